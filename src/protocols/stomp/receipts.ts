import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import { encodeFrame } from '../../wire/stomp/frame.ts';
import type { Session } from './session.ts';

interface Waiting {
  readonly id: string;
  readonly mark: number;
  /** Whether it is for a message, and a queue did not take that. */
  readonly isSend: boolean;
  isRefused: boolean;
}

/**
 * The receipts a session owes, in the order they were asked for. A receipt says that what it is for, and all before it, is as durable as it
 * has to be: it is an effect of a commit. [STOMP 1.2 RECEIPT; architecture, D4]
 */
export class Receipts implements ConfirmWaiter {
  isExpected = false;
  readonly #session: Session;
  #waiting: Waiting[] = [];
  #lastMark = 0;
  /** Called once when nothing is owed any more. */
  #onSettled: (() => void) | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** A receipt for a frame that was acted on just now. */
  add(id: string): void {
    const { log } = this.#session.broker;
    if (this.#waiting.length === 0 && !log.isPending && !log.isMetadataPending) this.#send(id);
    else this.#expect({ id, mark: ++this.#lastMark, isSend: false, isRefused: false });
  }

  /** A receipt for a message on its way to its queues; `refuseLast` if one of them does not take it. */
  addSend(id: string): void {
    this.#expect({ id, mark: ++this.#lastMark, isSend: true, isRefused: false });
  }

  refuseLast(): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined) last.isRefused = true;
  }

  /** Calls `then` when nothing is owed any more. */
  whenSettled(then: () => void): void {
    if (this.#waiting.length === 0) then();
    else this.#onSettled = then;
  }

  takeMark(): number {
    return this.#lastMark;
  }

  confirmed(mark: number): void {
    const count = this.#waiting.findIndex(waiting => waiting.mark > mark);
    const settled = count < 0 ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count < 0 ? [] : this.#waiting.slice(count);
    for (const { id, isSend, isRefused } of settled) {
      if (isRefused) {
        this.#session.refused(id);
        continue;
      }
      if (isSend) {
        this.#session.counters.confirmed++;
        this.#session.traffic.confirmed++;
        this.#session.connection.vhost.counters.confirmed++;
      }
      this.#send(id);
    }
    if (this.#waiting.length > 0 || this.#onSettled === null) return;
    const then = this.#onSettled;
    this.#onSettled = null;
    then();
  }

  #expect(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#session.broker.ledger.expect(this);
  }

  #send(id: string): void {
    this.#session.connection.send(encodeFrame('RECEIPT', [['receipt-id', id]]));
  }
}
