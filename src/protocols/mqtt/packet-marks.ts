import type { DurableMarks } from '../../core/queues/durable-marks.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { PacketIds } from './packet-ids.ts';

/** Marks of deliveries stand behind those of what came in. */
const deliveredBase = 0x1_0000;

/**
 * Packet ids of QoS 2 that both sides hold between the two halves of the exchange: of messages that the client published and has not released,
 * and of deliveries that it has for good and has not completed. With a durable session they are marks of its queue, so that the exchange goes
 * on after the broker was killed. [MQTT 5.0 4.3.3]
 */
export class PacketMarks {
  readonly #received = new PacketIds();
  #marks: DurableMarks | null = null;

  /** Whether they are kept on disk. */
  get isDurable(): boolean {
    return this.#marks !== null && !this.#marks.isDeleted;
  }

  get receivedCount(): number {
    return this.#received.count;
  }

  /** From now on they are kept beside the queue's messages, if those are kept. */
  keepWith(queue: Queue): void {
    if (!this.isDurable) this.#marks = queue.durableMarks();
  }

  /** Takes what was there before a restart; returns the ids of deliveries. */
  restore(queue: Queue): number[] {
    if (queue.marks === null) return [];
    this.#marks = queue.marks;
    const delivered: number[] = [];
    for (const number of queue.marks.numbers()) {
      if (number < deliveredBase) this.#received.add(number);
      else delivered.push(number - deliveredBase);
    }
    return delivered;
  }

  hasReceived(id: number): boolean {
    return this.#received.has(id);
  }

  received(id: number): void {
    this.#received.add(id);
    this.#marks?.add(id);
  }

  /** Whether it was there. */
  released(id: number): boolean {
    this.#marks?.delete(id);
    return this.#received.delete(id);
  }

  /** The client has a delivery for good. */
  delivered(id: number): void {
    this.#marks?.add(deliveredBase + id);
  }

  completed(id: number): void {
    this.#marks?.delete(deliveredBase + id);
  }
}
