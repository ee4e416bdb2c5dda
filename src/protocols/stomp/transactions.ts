import { erlangBinary } from '../../core/erlang-field.ts';
import type { Frame } from '../../wire/stomp/frame.ts';
import { StompError } from './stomp-error.ts';

/** [RabbitMQ: MAX_TRANSACTIONS, MAX_TRANSACTION_ACTIONS] */
export const transactionsMax = 16;
export const actionsMax = 1024;
/** What the frames of all transactions of a session may take together. */
export const actionBytesMax = 64 * 1024 * 1024;
/** What a frame takes besides its body. */
const frameShareBytes = 512;

class Transaction {
  readonly frames: Frame[] = [];
  bytes = 0;
}

/** Frames that wait for the COMMIT of their transaction. [STOMP 1.2 BEGIN] */
export class Transactions {
  readonly #open = new Map<string, Transaction>();
  #bytes = 0;

  get count(): number {
    return this.#open.size;
  }

  /** Frames of all transactions. */
  get actionCount(): number {
    let count = 0;
    for (const { frames } of this.#open.values()) count += frames.length;
    return count;
  }

  /** Begins a transaction; one of the same name begins anew, as RabbitMQ has it. @throws StompError */
  begin(name: string): void {
    if (this.#open.size >= transactionsMax) {
      throw new StompError('Transaction limit exceeded', `Too many concurrent transactions (limit ${transactionsMax})`);
    }
    this.#forget(name);
    this.#open.set(name, new Transaction());
  }

  /** Keeps a frame. @throws StompError */
  add(name: string, frame: Frame): void {
    const transaction = this.#find(name);
    if (transaction.frames.length >= actionsMax) {
      throw new StompError('Transaction too large', `Too many actions in transaction (limit ${actionsMax})`);
    }
    let bytes = frameShareBytes + frame.body.length;
    for (const [header, value] of frame.headers) bytes += header.length + value.length;
    if (this.#bytes + bytes > actionBytesMax) {
      throw new StompError('Transaction too large', `Too many bytes in transactions (limit ${actionBytesMax})`);
    }
    transaction.frames.push({ ...frame, body: Buffer.from(frame.body) });
    transaction.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Takes a transaction's frames out, to act on them or to forget them. @throws StompError */
  take(name: string): readonly Frame[] {
    const { frames } = this.#find(name);
    this.#forget(name);
    return frames;
  }

  #find(name: string): Transaction {
    const transaction = this.#open.get(name);
    if (transaction !== undefined) return transaction;
    throw new StompError('Bad transaction', `Invalid transaction identifier: ${erlangBinary(Buffer.from(name))}\n`);
  }

  #forget(name: string): void {
    this.#bytes -= this.#open.get(name)?.bytes ?? 0;
    this.#open.delete(name);
  }
}
