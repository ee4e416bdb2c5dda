import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import type { Channel } from './channel.ts';

/** An answer that is made when its turn comes; returns false while it cannot be made, and calls `DeferredReplies.goOn` when it can. */
export type LateReply = () => boolean;

/**
 * Answers of a channel that wait, in the order of the requests: for a commit, because nobody is told of a declaration that a crash could
 * undo, or for a message that is fetched from disk. They also come when the channel has been closed meanwhile, before the answer to that.
 */
export class DeferredReplies implements ConfirmWaiter {
  isExpected = false;
  readonly #channel: Channel;
  readonly #onDone: () => void;
  #replies: (Buffer | LateReply)[] = [];
  /** How many were added, may be sent and have been sent since the beginning. */
  #added = 0;
  #durable = 0;
  #sent = 0;

  constructor(channel: Channel, onDone: () => void) {
    this.#channel = channel;
    this.#onDone = onDone;
  }

  add(reply: Buffer | LateReply): void {
    this.#replies.push(reply);
    this.#added++;
    this.#channel.connection.broker.ledger.expect(this);
  }

  takeMark(): number {
    return this.#added;
  }

  confirmed(mark: number): void {
    this.#durable = mark;
    this.goOn();
  }

  goOn(): void {
    const { connection } = this.#channel;
    while (this.#sent < this.#durable && connection.isRunning) {
      const reply = this.#replies[0] as Buffer | LateReply;
      if (typeof reply !== 'function') connection.send(reply);
      else if (!reply()) return;
      this.#replies.shift();
      this.#sent++;
    }
    if (this.#replies.length === 0) this.#onDone();
  }
}
