import type { BrokerErrorCode } from '../../core/broker-error.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { erlangBinary } from '../../core/erlang-field.ts';
import { hardErrors, replyNames } from '../../wire/amqp091/constants.gen.ts';
import { DecodeError } from '../../wire/decode-error.ts';

const codes: ReadonlyMap<string, number> = new Map([...replyNames].map(([code, name]) => [name, code]));

/** What a close method says. */
export interface ReplyError {
  readonly code: number;
  readonly text: string;
  /** Whether it ends the connection and not only the channel. [AMQP 0-9-1 constants, hard errors] */
  readonly isHard: boolean;
  /** Whether the method at fault is named; framing errors name none. */
  readonly namesMethod: boolean;
}

/** A refusal that is nobody's fault but the connection's: its close names no method. */
export class ConnectionError extends BrokerError {}

const replyTextBytesMax = 255;

/**
 * A reply text has to fit a shortstr; RabbitMQ cuts it and says so by three dots. [RabbitMQ: rabbit_binary_generator, truncate] Names in it
 * may be any bytes; the text is UTF-8, because clients decode it as such.
 */
export function replyText(name: string, text: string): string {
  const whole = `${name} - ${text}`.toWellFormed();
  if (Buffer.byteLength(whole) <= replyTextBytesMax) return whole;
  let cut = whole.slice(0, replyTextBytesMax - 3);
  while (Buffer.byteLength(cut) > replyTextBytesMax - 3 || !cut.isWellFormed()) cut = cut.slice(0, -1);
  return `${cut}...`;
}

export function replyError(code: BrokerErrorCode, text: string): ReplyError {
  const number = codes.get(code) ?? 541;
  return { code: number, text: replyText(code, text), isHard: hardErrors.has(number), namesMethod: true };
}

/** Says how to answer a failure; null for one that is ours, to be answered with INTERNAL_ERROR and logged. */
export function replyFor(error: unknown, payload: Uint8Array): ReplyError | null {
  if (error instanceof BrokerError) return { ...replyError(error.code, error.text), namesMethod: !(error instanceof ConnectionError) };
  if (error instanceof DecodeError) {
    if (error.kind === 'malformed-utf8') return { ...replyError('FRAME_ERROR', 'Malformed UTF-8 in shortstr'), namesMethod: false };
    if (error.kind === 'too-deep' || error.kind === 'too-many') return replyError('SYNTAX_ERROR', error.message);
    return replyError('FRAME_ERROR', `cannot decode ${erlangBinary(payload)}`);
  }
  return null;
}

/** What RabbitMQ shows of a payload: all of a short one, else its beginning. [RabbitMQ: rabbit_reader, payload_snippet] */
function payloadSnippet(payload: Uint8Array): string {
  return payload.length < 16 ? `all octets = ${erlangBinary(payload)}` : `first 16 octets = ${erlangBinary(payload.subarray(0, 16))}`;
}

export function frameFaultText(
  fault: 'bad-end' | 'too-large',
  type: number,
  detail: number,
  payload: Uint8Array,
  payloadBytesMax: number,
): string {
  if (fault === 'too-large') return `type ${type}, all octets = <<>>: {frame_too_large,${detail},${payloadBytesMax - 8}}`;
  return `type ${type}, ${payloadSnippet(payload)}: {invalid_frame_end_marker,${detail}}`;
}

/** A frame that is none: of no known type, or too short for its type. */
export function unknownFrame(type: number, payload: Uint8Array): ConnectionError {
  return new ConnectionError('FRAME_ERROR', `type ${type}, ${payloadSnippet(payload)}: unknown_frame`);
}

/** A frame where it does not belong. */
export function misplacedFrame(type: number, payload: Uint8Array): ConnectionError {
  return new ConnectionError('UNEXPECTED_FRAME', `type ${type}, ${payloadSnippet(payload)}`);
}
