// hot path: see docs/STYLE.md
// What the broker must know of a message's properties to route, order and expire it, found without decoding them.
import {
  AppIdFlag,
  ClusterIdFlag,
  ContentEncodingFlag,
  ContentTypeFlag,
  CorrelationIdFlag,
  DeliveryModeFlag,
  ExpirationFlag,
  HeadersFlag,
  MessageIdFlag,
  PriorityFlag,
  ReplyToFlag,
  TimestampFlag,
  TypeFlag,
  UserIdFlag,
} from './constants.gen.ts';

const continuationFlag = 0x0001;

/** Filled by `peekFacets`; one object serves a connection. A start of 0 means that the property is absent. Starts are offsets into the
 * buffer that was peeked into; of a text they are the first byte behind the length octet. */
export class Facets {
  /** The flags word. */
  flags: number;
  /** 0 none, 1 transient, 2 persistent. */
  deliveryMode: number;
  /** -1 none. */
  priority: number;
  /** The header table, its four-byte length included. */
  headersStart: number;
  headersLength: number;
  expirationStart: number;
  expirationLength: number;
  userIdStart: number;
  userIdLength: number;
  replyToStart: number;
  replyToLength: number;
  messageIdStart: number;
  messageIdLength: number;
  correlationIdStart: number;
  correlationIdLength: number;

  constructor() {
    this.flags = 0;
    this.deliveryMode = 0;
    this.priority = -1;
    this.headersStart = 0;
    this.headersLength = 0;
    this.expirationStart = 0;
    this.expirationLength = 0;
    this.userIdStart = 0;
    this.userIdLength = 0;
    this.replyToStart = 0;
    this.replyToLength = 0;
    this.messageIdStart = 0;
    this.messageIdLength = 0;
    this.correlationIdStart = 0;
    this.correlationIdLength = 0;
  }
}

/** Walks the property list between the flags word at `start` and `end` and fills `into`. Returns false when the list is malformed: cut
 * short, with bytes left over, or with a continuation of the flags; `into` then holds nothing of use. The inside of the header table is
 * not looked at. `end` must not be beyond the buffer. */
export function peekFacets(buffer: Uint8Array, start: number, end: number, into: Facets): boolean {
  reset(into);
  if (end - start < 2) return false;
  const flags = ((buffer[start] as number) << 8) | (buffer[start + 1] as number);
  into.flags = flags;
  if ((flags & continuationFlag) !== 0) return false;
  let at = start + 2;
  // `at` never goes back, so that one comparison at the end of a group finds a shortstr that reached beyond the end.
  if ((flags & ContentTypeFlag) !== 0) at = skipShortstr(buffer, at, end);
  if ((flags & ContentEncodingFlag) !== 0) at = skipShortstr(buffer, at, end);
  if ((flags & HeadersFlag) !== 0) {
    if (at + 4 > end) return false;
    into.headersStart = at;
    into.headersLength = 4 + readUint32(buffer, at);
    at += into.headersLength;
  }
  if ((flags & DeliveryModeFlag) !== 0) {
    if (at >= end) return false;
    into.deliveryMode = buffer[at++] as number;
  }
  if ((flags & PriorityFlag) !== 0) {
    if (at >= end) return false;
    into.priority = buffer[at++] as number;
  }
  if ((flags & CorrelationIdFlag) !== 0) {
    const next = skipShortstr(buffer, at, end);
    into.correlationIdStart = at + 1;
    into.correlationIdLength = next - at - 1;
    at = next;
  }
  if ((flags & ReplyToFlag) !== 0) {
    const next = skipShortstr(buffer, at, end);
    into.replyToStart = at + 1;
    into.replyToLength = next - at - 1;
    at = next;
  }
  if ((flags & ExpirationFlag) !== 0) {
    const next = skipShortstr(buffer, at, end);
    into.expirationStart = at + 1;
    into.expirationLength = next - at - 1;
    at = next;
  }
  if ((flags & MessageIdFlag) !== 0) {
    const next = skipShortstr(buffer, at, end);
    into.messageIdStart = at + 1;
    into.messageIdLength = next - at - 1;
    at = next;
  }
  if ((flags & TimestampFlag) !== 0) at += 8;
  if ((flags & TypeFlag) !== 0) at = skipShortstr(buffer, at, end);
  if ((flags & UserIdFlag) !== 0) {
    const next = skipShortstr(buffer, at, end);
    into.userIdStart = at + 1;
    into.userIdLength = next - at - 1;
    at = next;
  }
  if ((flags & AppIdFlag) !== 0) at = skipShortstr(buffer, at, end);
  if ((flags & ClusterIdFlag) !== 0) at = skipShortstr(buffer, at, end);
  return at === end;
}

function reset(into: Facets): void {
  into.deliveryMode = 0;
  into.priority = -1;
  into.headersStart = 0;
  into.headersLength = 0;
  into.expirationStart = 0;
  into.expirationLength = 0;
  into.userIdStart = 0;
  into.userIdLength = 0;
  into.replyToStart = 0;
  into.replyToLength = 0;
  into.messageIdStart = 0;
  into.messageIdLength = 0;
  into.correlationIdStart = 0;
  into.correlationIdLength = 0;
}

/** The place behind the shortstr. Where there is no byte left for its length, a place beyond the end: the walk then fails at its end. */
function skipShortstr(buffer: Uint8Array, at: number, end: number): number {
  return at < end ? at + 1 + (buffer[at] as number) : end + 1;
}

function readUint32(buffer: Uint8Array, at: number): number {
  return (
    (buffer[at] as number) * 0x100_0000 +
    (((buffer[at + 1] as number) << 16) | ((buffer[at + 2] as number) << 8) | (buffer[at + 3] as number))
  );
}
