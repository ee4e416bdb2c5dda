// Requests to the HTTP API, relative to where this page is: a path prefix makes no difference.
import { isLoggedOut } from './session.ts';

/** The API's refusal, with its own words. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, reason: string) {
    super(reason);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** A path of names, each percent-encoded once: path`queues/${vhost}/${name}`. */
export function path(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return parts.reduce((whole, part, index) => whole + part + (index < names.length ? encodeURIComponent(names[index] ?? '') : ''), '');
}

/** What the API calls the exchange without a name. */
export function exchangePathName(name: string): string {
  return name === '' ? 'amq.default' : name;
}

async function request(method: string, target: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`api/${target}`, {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, 'The broker cannot be reached.');
  }
  const text = await response.text();
  const json = parse(text);
  if (response.ok) return json;
  const { error, reason } = (typeof json === 'object' && json !== null ? json : {}) as { error?: unknown; reason?: unknown };
  if (response.status === 401 && error === 'not_authorized' && target !== 'login') isLoggedOut();
  throw new ApiError(
    response.status,
    typeof reason === 'string' ? reason : reason === undefined ? `HTTP ${response.status}` : JSON.stringify(reason),
  );
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

export const api = {
  get: async <T>(target: string, signal?: AbortSignal): Promise<T> => (await request('GET', target, undefined, signal)) as T,
  put: (target: string, body: unknown): Promise<unknown> => request('PUT', target, body),
  post: async <T>(target: string, body: unknown, signal?: AbortSignal): Promise<T> => (await request('POST', target, body, signal)) as T,
  delete: (target: string): Promise<unknown> => request('DELETE', target),
};

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
