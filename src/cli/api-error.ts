import { CliError, exitCodes } from './cli-error.ts';

/** The broker refused: what the HTTP API answered. */
export class ApiError extends CliError {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, facts: Readonly<Record<string, unknown>>) {
    super(reason.trimEnd(), status === 401 || status === 403 ? exitCodes.data : exitCodes.unavailable);
    this.status = status;
    this.reason = reason;
    this.facts = facts;
  }

  /** The body of the answer. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Makes an error out of an answer's status and body. */
export function apiError(status: number, text: string): ApiError {
  let facts: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) facts = parsed as Record<string, unknown>;
  } catch {
    // The body is no JSON: it is shown as it is.
  }
  const { reason } = facts;
  const words = typeof reason === 'string' ? reason : reason === undefined ? text || `HTTP status ${status}` : JSON.stringify(reason);
  return new ApiError(status, words, facts);
}

/** What `work` gives; in place of "not found" the error that says it in the words of the command. */
export async function orMissing<T>(work: Promise<T>, missing: () => CliError): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) throw missing();
    throw error;
  }
}
