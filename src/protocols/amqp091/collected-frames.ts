import type { ByteSocket } from '../../net/byte-socket.ts';
import { Outbox } from '../../net/outbox.ts';

/** A socket that only keeps what is written to it. */
class Collector implements ByteSocket {
  readonly writableLength = 0;
  readonly chunks: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.chunks.push(Buffer.from(bytes));
    return true;
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  unshift(): void {}
  end(): void {}
  destroy(): void {}
  on(): void {}
}

/** The frames that `write` puts into an outbox, in one piece: for an answer that has to wait. */
export function collectedFrames(write: (outbox: Outbox) => void): Buffer {
  const collector = new Collector();
  const outbox = new Outbox(collector, Infinity, () => {});
  write(outbox);
  outbox.flush();
  return Buffer.concat(collector.chunks);
}
