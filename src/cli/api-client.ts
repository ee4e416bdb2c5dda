import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { ApiError, apiError } from './api-error.ts';
import { CliError, exitCodes } from './cli-error.ts';

const socketName = 'warren.sock';
const pidName = 'warren.pid';

/** Where the broker is: the control socket of a data directory, or its HTTP API. */
export interface Target {
  readonly dataDir: string;
  /** Null: the control socket. */
  readonly url: string | null;
  readonly username: string | null;
  readonly password: string | null;
}

/** What the options and the environment say about the broker; the variables of its container image count too. */
export function targetOf(options: ReadonlyMap<string, string>, env: NodeJS.ProcessEnv): Target {
  const dataDir = options.get('data-dir') ?? null;
  return {
    dataDir: dataDir ?? dataDirOf(env),
    // A data directory on the command line goes before a URL of the environment.
    url: options.get('url') ?? (dataDir === null ? env['WARREN_URL'] || null : null),
    username: options.get('username') ?? (env['WARREN_USER'] || null),
    password: options.get('password') ?? (env['WARREN_PASSWORD'] || null),
  };
}

/** [environment variables of the broker: WARREN_DATA_DIR, RABBITMQ_MNESIA_DIR, RABBITMQ_MNESIA_BASE] */
function dataDirOf(env: NodeJS.ProcessEnv): string {
  const named = env['WARREN_DATA_DIR'] || env['RABBITMQ_MNESIA_DIR'];
  if (named) return named;
  const base = env['RABBITMQ_MNESIA_BASE'];
  return base ? nodeBelow(base) : 'data';
}

/** The one directory of a node below the base; the base itself when that cannot be told. */
function nodeBelow(base: string): string {
  try {
    const nodes = readdirSync(base).filter(name => existsSync(join(base, name, socketName)));
    return nodes.length === 1 ? join(base, nodes[0] as string) : base;
  } catch {
    return base;
  }
}

/** Asks a running broker through its management API: by the control socket of its data directory, without a password, or by HTTP. */
export class ApiClient {
  readonly target: Target;
  readonly timeoutMillis: number;
  /** Connections are used again by commands that ask more than once. */
  #agent: http.Agent | null = null;

  constructor(target: Target, timeoutMillis: number) {
    this.target = target;
    this.timeoutMillis = timeoutMillis;
  }

  /** Whether the broker is on this machine, reached by its data directory. */
  get isLocal(): boolean {
    return this.target.url === null;
  }

  /** The broker's process id, from its data directory; null when it is not running. */
  get pid(): number | null {
    const path = join(this.target.dataDir, pidName);
    if (!existsSync(path)) return null;
    const pid = Number(this.#allowed(() => readFileSync(path, 'utf8')).trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  }

  get(path: string): Promise<unknown> {
    return this.request('GET', path);
  }

  put(path: string, body: unknown): Promise<unknown> {
    return this.request('PUT', path, body);
  }

  post(path: string, body: unknown): Promise<unknown> {
    return this.request('POST', path, body);
  }

  delete(path: string, headers: Record<string, string> = {}): Promise<unknown> {
    return this.request('DELETE', path, undefined, headers);
  }

  /** An object. */
  async object(path: string): Promise<Record<string, unknown>> {
    return (await this.get(path)) as Record<string, unknown>;
  }

  /** A list, whatever its length. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    return (await this.get(path)) as Record<string, unknown>[];
  }

  /** @throws ApiError with the API's reason; CliError with exit code 69 when there is no broker */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const payload = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const isTls = this.target.url !== null && parsed(this.target.url).protocol === 'https:';
    const transport = isTls ? await import('node:https') : http;
    this.#agent ??= new transport.Agent({ keepAlive: true });
    return await new Promise((done, fail) => {
      const request = transport.request(
        {
          ...this.#address(),
          method,
          agent: this.#agent as http.Agent,
          timeout: this.timeoutMillis,
          path: `${this.#prefix()}/api${path}`,
          headers: {
            ...this.#authorization(),
            ...headers,
            ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
          },
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', chunk => chunks.push(chunk as Buffer));
          response.on('error', error => fail(this.#unreachable(error)));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const status = response.statusCode ?? 0;
            if (status < 200 || status >= 300) fail(this.#failed(status, text));
            else {
              try {
                done(text === '' ? null : JSON.parse(text));
              } catch {
                fail(new CliError(`what answers at ${this.#where()} is no HTTP API of a broker`));
              }
            }
          });
        },
      );
      request.on('timeout', () =>
        request.destroy(
          new CliError(`operation ${method} ${path} timed out. Timeout value used: ${this.timeoutMillis}`, exitCodes.unavailable),
        ),
      );
      request.on('error', error => fail(error instanceof CliError ? error : this.#unreachable(error)));
      request.end(payload ?? undefined);
    });
  }

  /** Lets the process end. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
  }

  #address(): http.RequestOptions {
    const { url, dataDir } = this.target;
    if (url !== null) {
      const { hostname, port, protocol } = parsed(url);
      return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (protocol === 'https:' ? 15_671 : 15_672) : Number(port) };
    }
    // The socket's own name is always short enough for its address; the directory's may not be.
    if (existsSync(dataDir)) this.#allowed(() => process.chdir(dataDir));
    return { socketPath: socketName };
  }

  /** @throws CliError where the data directory is another user's, or no directory */
  #allowed<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#unreachable(error as Error);
    }
  }

  /** The API's path prefix is the URL's path. */
  #prefix(): string {
    const { url } = this.target;
    return url === null ? '' : parsed(url).pathname.replace(/(?:\/api)?\/*$/, '');
  }

  #authorization(): Record<string, string> {
    const { url, username, password } = this.target;
    if (url === null) return {};
    const inUrl = parsed(url);
    const user = username ?? (decodeURIComponent(inUrl.username) || 'guest');
    const secret = password ?? (decodeURIComponent(inUrl.password) || 'guest');
    return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
  }

  #where(): string {
    const { url, dataDir } = this.target;
    return url === null ? `data directory ${resolve(dataDir)}` : parsed(url).host;
  }

  #failed(status: number, text: string): CliError {
    const error = apiError(status, text);
    if (status !== 401 || this.isLocal || error.reason !== 'Login failed') return error;
    return new ApiError(status, `${this.#where()} refused the user name and password (--username, --password)`, error.facts);
  }

  #unreachable(error: Error): CliError {
    const { url } = this.target;
    const where = url === null ? `with ${this.#where()}` : `at ${this.#where()}`;
    return new CliError(
      `Error: unable to perform an operation: no broker ${where} answers (${error.message || error.name}).\n\n` +
        'Name its data directory with --data-dir or WARREN_DATA_DIR (and be its user, or root),\n' +
        'or its HTTP API with --url http://HOST:15672 --username USER --password PASSWORD',
      exitCodes.unavailable,
      'plain',
    );
  }
}

/** @throws CliError when it is no URL of HTTP */
function parsed(url: string): URL {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(`'${url}' is no URL of an HTTP API such as http://127.0.0.1:15672`, exitCodes.usage);
  }
  return new URL(url);
}
