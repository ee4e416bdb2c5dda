/** JSON as it goes out: anything JSON.stringify takes. */
export type JsonObject = Record<string, unknown>;

/** What a handler answers. At most one of `json`, `text`, `bytes`, `chunks` and `events` is there. */
export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  /** A body that is no JSON, of the type that `headers` tell. */
  readonly text?: string;
  /** A body that goes out as it is. */
  readonly bytes?: Buffer;
  /** A JSON body in pieces, made while it is sent. */
  readonly chunks?: AsyncIterable<string>;
  /** A body without an end: each piece is sent at once and uncompressed, the next one made when the client has taken it. */
  readonly events?: AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(json: unknown): Reply {
  return { status: 200, json };
}

export const noContent: Reply = { status: 204 };
export const created: Reply = { status: 201 };

/** 201 for what is new, 204 for what was there. */
export function createdOrThere(isNew: boolean): Reply {
  return isNew ? created : noContent;
}

/** Ends a request with an error in RabbitMQ's form: {"error", "reason"}. Most reasons are texts, some are terms. */
export class HttpError extends Error {
  readonly status: number;
  readonly error: string;
  readonly reason: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: string, reason: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`${status} ${error}: ${typeof reason === 'string' ? reason : JSON.stringify(reason)}`);
    this.name = 'HttpError';
    this.status = status;
    this.error = error;
    this.reason = reason;
    this.headers = headers;
  }

  toReply(): Reply {
    return { status: this.status, json: { error: this.error, reason: this.reason }, headers: this.headers };
  }
}

export function badRequest(reason: unknown): HttpError {
  return new HttpError(400, 'bad_request', reason);
}

/** The object of the path does not exist. */
export function notFound(): HttpError {
  return new HttpError(404, 'Object Not Found', 'Not Found');
}

/** Something that the request needs does not exist. */
export function missing(reason: string): HttpError {
  return new HttpError(404, 'not_found', reason);
}

export function notAuthorised(reason: string): HttpError {
  return new HttpError(401, 'not_authorised', reason);
}

/** What RabbitMQ answers when the broker refuses what the management asks in a user's name. */
export function accessRefused(): HttpError {
  return notAuthorised('Access refused.');
}
