/**
 * Why the broker refused something, in the words of the AMQP 0-9-1 constants but tied to no protocol: each front-end maps the code to
 * its own form (a reply code, an MQTT reason code, an HTTP status). [AMQP 0-9-1 constants]
 */
export type BrokerErrorCode =
  | 'ACCESS_REFUSED'
  | 'NOT_FOUND'
  | 'RESOURCE_LOCKED'
  | 'PRECONDITION_FAILED'
  | 'NOT_ALLOWED'
  | 'NOT_IMPLEMENTED'
  | 'COMMAND_INVALID'
  | 'RESOURCE_ERROR'
  | 'INTERNAL_ERROR'
  | 'CONTENT_TOO_LARGE'
  | 'CHANNEL_ERROR'
  | 'FRAME_ERROR'
  | 'UNEXPECTED_FRAME'
  | 'SYNTAX_ERROR'
  | 'CONNECTION_FORCED'
  | 'INVALID_PATH'
  | 'NO_ROUTE';

/** A refusal to be told to the peer. `text` is RabbitMQ's exact text without the 'NAME - ' in front; `message` has it. */
export class BrokerError extends Error {
  readonly code: BrokerErrorCode;
  readonly text: string;

  constructor(code: BrokerErrorCode, text: string) {
    super(`${code} - ${text}`);
    this.name = 'BrokerError';
    this.code = code;
    this.text = text;
  }
}

export function accessRefused(text: string): BrokerError {
  return new BrokerError('ACCESS_REFUSED', text);
}

export function notFound(text: string): BrokerError {
  return new BrokerError('NOT_FOUND', text);
}

export function resourceLocked(text: string): BrokerError {
  return new BrokerError('RESOURCE_LOCKED', text);
}

export function preconditionFailed(text: string): BrokerError {
  return new BrokerError('PRECONDITION_FAILED', text);
}

export function notAllowed(text: string): BrokerError {
  return new BrokerError('NOT_ALLOWED', text);
}

export function notImplemented(text: string): BrokerError {
  return new BrokerError('NOT_IMPLEMENTED', text);
}

export function commandInvalid(text: string): BrokerError {
  return new BrokerError('COMMAND_INVALID', text);
}

export function resourceError(text: string): BrokerError {
  return new BrokerError('RESOURCE_ERROR', text);
}

export function internalError(text: string): BrokerError {
  return new BrokerError('INTERNAL_ERROR', text);
}

export function contentTooLarge(text: string): BrokerError {
  return new BrokerError('CONTENT_TOO_LARGE', text);
}

export function channelError(text: string): BrokerError {
  return new BrokerError('CHANNEL_ERROR', text);
}

export function frameError(text: string): BrokerError {
  return new BrokerError('FRAME_ERROR', text);
}

export function unexpectedFrame(text: string): BrokerError {
  return new BrokerError('UNEXPECTED_FRAME', text);
}

export function syntaxError(text: string): BrokerError {
  return new BrokerError('SYNTAX_ERROR', text);
}

export function connectionForced(text: string): BrokerError {
  return new BrokerError('CONNECTION_FORCED', text);
}

export function invalidPath(text: string): BrokerError {
  return new BrokerError('INVALID_PATH', text);
}

export function noRoute(text: string): BrokerError {
  return new BrokerError('NO_ROUTE', text);
}
