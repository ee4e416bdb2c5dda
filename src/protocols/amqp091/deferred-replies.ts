import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import type { Channel } from './channel.ts';

/** Answers of a channel that wait for a commit, in order: nobody is told of a declaration that a crash could undo. */
export class DeferredReplies implements ConfirmWaiter {
  isExpected = false;
  readonly #channel: Channel;
  readonly #onDone: () => void;
  #frames: Buffer[] = [];
  /** How many frames were added and sent since the beginning. */
  #added = 0;
  #sent = 0;

  constructor(channel: Channel, onDone: () => void) {
    this.#channel = channel;
    this.#onDone = onDone;
  }

  add(frame: Buffer): void {
    this.#frames.push(frame);
    this.#added++;
    this.#channel.connection.broker.ledger.expect(this);
  }

  takeMark(): number {
    return this.#added;
  }

  confirmed(mark: number): void {
    if (!this.#channel.isOpen) return;
    while (this.#sent < mark && this.#frames.length > 0) {
      this.#channel.connection.send(this.#frames.shift() as Buffer);
      this.#sent++;
    }
    if (this.#frames.length === 0) this.#onDone();
  }

  /** Sends all at once. */
  flush(): void {
    this.confirmed(this.#added);
  }
}
