// hot path: see docs/STYLE.md
import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import type { Channel } from './channel.ts';

/**
 * The publisher confirms of a channel. The ledger says up to where publishes are as durable as they must be; one acknowledgement with
 * `multiple` covers them all, except those a queue refused, which get a nack of their own. [RabbitMQ docs: confirms]
 */
export class Confirms implements ConfirmWaiter {
  isExpected = false;
  readonly #channel: Channel;
  /** Sequence number of the last publish. */
  published = 0;
  #confirmed = 0;
  /** Refused publishes that were not answered yet, ascending. */
  readonly #refused: number[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** How many publishes wait for their confirm. */
  get unconfirmedCount(): number {
    return this.published - this.#confirmed;
  }

  /** Counts a publish that was not taken by a queue. */
  refuse(): void {
    this.#refused.push(this.published);
  }

  takeMark(): number {
    return this.published;
  }

  confirmed(mark: number): void {
    if (!this.#channel.isOpen) return;
    const from = this.#confirmed;
    const refused = this.#refused;
    let count = 0;
    for (; count < refused.length && (refused[count] as number) <= mark; count++) {
      const tag = refused[count] as number;
      this.#acknowledge(tag - 1);
      this.#channel.sendConfirm(tag, false, false);
      this.#confirmed = tag;
    }
    if (count > 0) refused.splice(0, count);
    this.#acknowledge(mark);
    this.#channel.counters.confirmed += this.#confirmed - from;
    this.#channel.connection.vhost.counters.confirmed += this.#confirmed - from;
  }

  #acknowledge(tag: number): void {
    if (tag <= this.#confirmed) return;
    this.#channel.sendConfirm(tag, tag - this.#confirmed > 1, true);
    this.#confirmed = tag;
  }
}
