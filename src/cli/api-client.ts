import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { CliError, exitCodes } from './cli-error.ts';

const socketName = 'warren.sock';
const pidName = 'warren.pid';

/** Where the broker is: the control socket of a data directory, or its HTTP API. */
export interface Target {
  readonly dataDir: string;
  /** Given by --url; null: the control socket. */
  readonly url: string | null;
}

/** Asks a running broker through its management API: by the control socket of its data directory, without a password, or by HTTP. */
export class ApiClient {
  readonly #target: Target;
  readonly #timeoutMillis: number;

  constructor(target: Target, timeoutMillis: number) {
    this.#target = target;
    this.#timeoutMillis = timeoutMillis;
  }

  /** The broker's process id, from its data directory; null when it is not running. */
  get pid(): number | null {
    const path = join(this.#target.dataDir, pidName);
    if (!existsSync(path)) return null;
    const pid = Number(readFileSync(path, 'utf8').trim());
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

  /** A list, whatever its length. */
  async list(path: string): Promise<Record<string, unknown>[]> {
    return (await this.get(path)) as Record<string, unknown>[];
  }

  /** @throws CliError with the API's reason; exit code 69 when there is no broker. */
  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const payload = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const options = { ...this.#address(), method, timeout: this.#timeoutMillis };
    return new Promise((done, fail) => {
      const request = http.request(
        {
          ...options,
          path: `/api${path}`,
          headers: {
            ...this.#authorization(),
            ...headers,
            ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
          },
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', chunk => chunks.push(chunk as Buffer));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) done(text === '' ? null : JSON.parse(text));
            else fail(apiError(status, text, path));
          });
        },
      );
      request.on('timeout', () => request.destroy(new CliError(`operation ${method} ${path} timed out`, exitCodes.unavailable)));
      request.on('error', error => fail(error instanceof CliError ? error : this.#unreachable(error)));
      request.end(payload ?? undefined);
    });
  }

  #address(): http.RequestOptions {
    const { url, dataDir } = this.#target;
    if (url !== null) {
      const { hostname, port } = new URL(url);
      return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 15672 : Number(port) };
    }
    // The socket's own name is always short enough for its address; the directory's may not be.
    if (existsSync(dataDir)) process.chdir(dataDir);
    return { socketPath: socketName };
  }

  #authorization(): Record<string, string> {
    const { url } = this.#target;
    if (url === null) return {};
    const { username, password } = new URL(url);
    const credentials = `${decodeURIComponent(username || 'guest')}:${decodeURIComponent(password || 'guest')}`;
    return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  }

  #unreachable(error: Error): CliError {
    const { url, dataDir } = this.#target;
    const where = url === null ? `with data directory ${resolve(dataDir)}` : `at ${new URL(url).host}`;
    return new CliError(
      `unable to perform an operation: no broker ${where} answers (${error.message}).\n` +
        'Name its data directory with --data-dir or WARREN_DATA_DIR, or its HTTP API with --url http://USER:PASSWORD@HOST:15672',
      exitCodes.unavailable,
    );
  }
}

function apiError(status: number, text: string, path: string): CliError {
  let reason = text;
  try {
    const parsed = JSON.parse(text) as { reason?: unknown };
    if (typeof parsed.reason === 'string') reason = parsed.reason;
  } catch {
    // The body is no JSON: it is shown as it is.
  }
  return new CliError(
    status === 404 ? `Object (${path.split('/')[1] ?? ''}) not found: ${reason}` : reason,
    status === 404 ? exitCodes.data : exitCodes.software,
  );
}
