import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface RequestOptions {
  /** user:password; null sends no credentials. */
  readonly user?: string | null;
  /** Sent as it is when it is a text or bytes, else as JSON. */
  readonly body?: unknown;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** A client that sends paths exactly as they are written, which fetch does not. */
export class HttpClient {
  readonly port: number;
  readonly host: string;
  readonly #agent = new http.Agent({ keepAlive: true });

  constructor(port: number, host = '127.0.0.1') {
    this.port = port;
    this.host = host;
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const { user = 'guest:guest', body } = options;
    const headers: http.OutgoingHttpHeaders = { ...options.headers };
    if (user !== null) headers['authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
    let bytes: string | Uint8Array | null = null;
    if (body !== undefined) {
      bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
      headers['content-type'] ??= 'application/json';
      headers['content-length'] ??= Buffer.byteLength(bytes);
    }
    return new Promise((resolve, reject) => {
      const request = http.request({ host: this.host, port: this.port, method, path, headers, agent: this.#agent }, response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: jsonOf(text) });
        });
      });
      request.on('error', reject);
      if (bytes !== null) request.write(bytes);
      request.end();
    });
  }

  get(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request('GET', path, options);
  }

  put(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('PUT', path, { ...options, body });
  }

  post(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('POST', path, { ...options, body });
  }

  delete(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.request('DELETE', path, options);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
