import net from 'node:net';

/** The part of a net.Socket (or tls.TLSSocket) that a link needs: the simulation has one without a network. */
export interface ByteSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly writableLength: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** Whether a write is taken within the call when there is room for it; left out, `takesAtOnce` looks for itself. */
  readonly takesAtOnce?: boolean;
  /** Calls `written` later, never from within, and for several writes in their order. */
  write(bytes: Buffer, written?: () => void): boolean;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  /** Puts bytes in front of what is still to be read. */
  unshift(bytes: Buffer): unknown;
  end(): unknown;
  destroy(): unknown;
  /** Has the kernel ask the peer for a sign of life when nothing came for so long. */
  setKeepAlive?(isOn: boolean, idleMillis: number): unknown;
  /** Whoever is there has logged in: limits for strangers concern it no more. */
  authenticated?(): void;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'close' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Whether a write is taken within the call when the kernel has room for it: so it is with TCP, and not with TLS. */
export function takesAtOnce(socket: ByteSocket): boolean {
  return socket.takesAtOnce ?? (socket instanceof net.Socket && !('encrypted' in socket));
}
