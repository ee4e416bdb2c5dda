import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import type { Connection } from './connection.ts';

/** Answers that may wait before the client is not read any more. */
const waitingMax = 1000;

/** Answers that wait until the sessions, queues and bindings they tell of are durable, in their order. */
export class DurableReplies implements ConfirmWaiter {
  isExpected = false;
  readonly #connection: Connection;
  #replies: Buffer[] = [];
  #added = 0;
  #sent = 0;
  #isHolding = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether answers wait: messages do, too, since what a subscription brings is to come behind its SUBACK. */
  get areWaiting(): boolean {
    return this.#replies.length > 0;
  }

  /** Sends the answer, at once when there is nothing to wait for. */
  send(reply: Buffer): void {
    const { broker } = this.#connection;
    if (this.#replies.length === 0 && !broker.log.isMetadataPending) {
      this.#connection.send(reply);
      return;
    }
    this.#replies.push(reply);
    this.#added++;
    broker.ledger.expect(this);
    if (this.#replies.length < waitingMax || this.#isHolding) return;
    this.#isHolding = true;
    this.#connection.intake.hold();
  }

  takeMark(): number {
    return this.#added;
  }

  confirmed(mark: number): void {
    const due = this.#replies.splice(0, mark - this.#sent);
    this.#sent = mark;
    for (const reply of due) this.#connection.send(reply);
    if (this.#replies.length > 0) return;
    this.#connection.takesAgain();
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#connection.intake.release();
  }
}
