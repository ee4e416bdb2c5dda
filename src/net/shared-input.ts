// hot path: see docs/STYLE.md
import net from 'node:net';

/** Bytes of a read; as many as a turn takes at a time. */
export const readBytes = 64 * 1024;
/** Bytes of a read while something large is coming. */
export const largeReadBytes = 256 * 1024;

/** Who gets what was read. */
export interface InputTaker {
  /** So many bytes of the buffer, which is filled again when this returns. */
  take(buffer: Buffer, bytes: number): void;
  /** Whether more of something large is to come, so that larger reads pay. */
  readonly isTakingLarge: boolean;
}

/** What net.Socket's option `onread` sets, which a server gives its sockets no way to have. */
interface Internals {
  readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null;
  [symbol: symbol]: unknown;
}

interface Names {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

const small = Buffer.allocUnsafeSlow(readBytes);
let large: Buffer | null = null;
let names: Names | null | undefined;

/**
 * Has a plain socket read into one buffer that all such sockets share: what is read is acted on at once, so that nobody needs a buffer of
 * its own, and no read costs an allocation of 64 KiB, which Node's way does and which V8's collector then has to find. Returns whether it
 * does; where not (TLS, a Node that works differently) 'data' events go on as they were. What was put back with `unshift` is an event in any case.
 */
export function shareInput(socket: object, taker: InputTaker): boolean {
  if (!(socket instanceof net.Socket) || 'encrypted' in socket) return false;
  const internals = socket as unknown as Internals;
  names ??= namesOf(internals);
  const handle = internals._handle;
  if (names === undefined || names === null || typeof handle?.useUserBuffer !== 'function') return false;
  internals[names.callback] = (bytes: number, buffer: Buffer): boolean => {
    taker.take(buffer, bytes);
    return true;
  };
  internals[names.generator] = (): Buffer => (taker.isTakingLarge ? (large ??= Buffer.allocUnsafeSlow(largeReadBytes)) : small);
  internals[names.buffer] = small;
  handle.useUserBuffer(small);
  return true;
}

/** The properties that every socket has for `onread`, unset; null when there are none of these names. */
function namesOf(socket: Internals): Names | null {
  const find = (name: string): symbol | null => {
    const symbol = Object.getOwnPropertySymbols(socket).find(each => each.description === name);
    return symbol !== undefined && socket[symbol] === null ? symbol : null;
  };
  const [buffer, callback, generator] = [find('kBuffer'), find('kBufferCb'), find('kBufferGen')];
  return buffer === null || callback === null || generator === null ? null : { buffer, callback, generator };
}
