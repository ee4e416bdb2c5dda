/** How a listener speaks WebSocket below its protocol. [RFC 6455] */
export interface WebSocketOptions {
  /** The one path that is served: `/ws`. */
  readonly path: string;
  /** Names of the protocol inside, the preferred first. A client that asks for none of them may be let in without. */
  readonly subProtocols: readonly string[];
  /** Whether a client must ask for one of them. */
  readonly isSubProtocolRequired: boolean;
  /** `as-received`: text to clients that send text, for STOMP; `binary`: nothing but binary frames, either way. */
  readonly frames: 'binary' | 'as-received';
  /** Largest message, in bytes, of a client that has logged in; of one that has not, 64 KiB at most. */
  readonly messageBytesMax: number;
  /** A client that is not heard of for so long, pings unanswered, is disconnected. Infinity for never. */
  readonly idleTimeoutMillis: number;
  /** Origins of web pages (`https://shop.example.com`) that may connect besides those of the same host; `*` for all. */
  readonly origins: readonly string[];
}

export const defaultWebSocketOptions: WebSocketOptions = {
  path: '/ws',
  subProtocols: [],
  isSubProtocolRequired: false,
  frames: 'binary',
  messageBytesMax: 16 * 1024 * 1024,
  idleTimeoutMillis: 60_000,
  origins: [],
};
