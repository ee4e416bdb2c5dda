// hot path: see docs/STYLE.md
import type { Consumer } from '../../core/consumer.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import { Entry, metaPersistent, metaRedelivered } from '../../core/queues/entry.ts';
import type { Outcome, Queue } from '../../core/queues/queue.ts';
import { reasons } from '../../wire/mqtt/constants.ts';
import type { Connection } from './connection.ts';
import { writePublish } from './delivering.ts';
import { Inflight, packetIdOf, parkedId, waitsForCommit, waitsForId, waitsForPuback, waitsForPubcomp, waitsForPubrec } from './inflight.ts';
import { PacketMarks } from './packet-marks.ts';
import { publishByte, pubrelByte } from './pending-acks.ts';
import type { Session } from './session.ts';
import { asRetainedFlag, qosMask, retainFlag } from './stored-properties.ts';

const retainBit = 1;
const duplicateBit = 8;
/** Keeps the packet ids of a client's queues apart, as a rule. */
const sharedStride = 7919;

/** Where a delivery is put for a moment. */
const scratch = new Entry();

/**
 * A session's deliveries, and both sides' part of the acknowledgements of QoS 1 and 2: what is under way outlives the connection, and with a
 * lasting session the broker. [MQTT 5.0 4.3, 4.4]
 */
export class Deliveries {
  readonly #session: Session;
  #inflight: Inflight | null = null;
  #marks: PacketMarks | null = null;
  /** Deliveries wait until those under way from the last connection have been sent again. */
  #isResending = false;
  /** Deliveries wait until the packet id is free that the next one has to have. */
  #isParked = false;
  /** Deliveries that are durable and wait to be read from disk: packet id, and flags above it. */
  #durable: number[] | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether no delivery can be taken at this moment. */
  get isHeld(): boolean {
    return this.#isResending || this.#isParked;
  }

  /** Those that are not complete. */
  get count(): number {
    return this.#inflight === null ? 0 : this.#inflight.count;
  }

  /** QoS 2 messages that the client has not released yet. */
  get receivedCount(): number {
    return this.#marks === null ? 0 : this.#marks.receivedCount;
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const connection = this.#session.connection as Connection;
    const { store } = this.#session.broker;
    store.locate(entry.ref);
    const { matches } = this.#session;
    const { queue } = consumer;
    const isShared = queue !== this.#session.queue0 && queue !== this.#session.queue1;
    let flags = 0;
    let publishedQos = (entry.meta & metaPersistent) === 0 ? 0 : 1;
    if (store.format === mqttFormatTag) {
      const { loose } = store;
      flags = loose === null ? (store.bytes[store.propertiesStart] as number) : (loose.properties[0] as number);
      publishedQos = flags & qosMask;
    }
    if (isShared) matches.ofShared(queue.name);
    else matches.of(store, flags & asRetainedFlag);
    if (!matches.isMatch) {
      // The subscription it came for is gone, or it is not for wildcards.
      if (!consumer.noAck) this.#settleAtOnce(consumer, entry);
      return;
    }
    const qos = consumer.noAck ? 0 : Math.min(publishedQos, matches.qos);
    let first = qos << 1;
    if ((flags & asRetainedFlag) !== 0 || ((flags & retainFlag) !== 0 && matches.isRetainAsPublished)) first |= retainBit;
    let id = 0;
    if (qos > 0) {
      id = this.#idFor(queue, entry.sequence, qos);
      if (id === 0) {
        (this.#inflight as Inflight).add(parkedId, consumer, entry, waitsForId);
        this.#isParked = true;
        return;
      }
      if ((entry.meta & metaRedelivered) !== 0) first |= duplicateBit;
      const isKept = qos === 2 && this.#isOnDisk;
      (this.#inflight as Inflight).add(id, consumer, entry, isKept ? waitsForCommit : qos === 2 ? waitsForPubrec : waitsForPuback);
      if (isKept) {
        connection.acks.push(id, publishByte | first, 0);
        return;
      }
    }
    this.#countDelivery(connection, queue, qos, (entry.meta & metaRedelivered) !== 0);
    const { tracer } = this.#session.vhost;
    if (tracer !== null) {
      tracer.delivered(this.#session.identity(), queue, entry, consumer.noAck);
      store.locate(entry.ref);
    }
    const isWritten = this.#write(connection, entry, first, id);
    if (isWritten) connection.wrote();
    else if (id > 0) (this.#inflight as Inflight).release(id);
    if (!consumer.noAck && (qos === 0 || !isWritten)) this.#settleAtOnce(consumer, entry);
  }

  /**
   * A delivery of QoS 2 whose message is in the queue for good: a packet id that the client knows must not come to stand for another message,
   * or for none, when the broker is killed. `flags` are those of PUBLISH.
   */
  sendDurable(id: number, flags: number): void {
    const inflight = this.#inflight;
    if (inflight === null || inflight.state(id) !== waitsForCommit) return;
    if (this.#durable !== null) {
      this.#durable.push(id | (flags << 16));
      return;
    }
    inflight.read(id, scratch);
    if (this.#session.broker.store.isResident(scratch.ref)) {
      this.#sendKept(inflight, id, flags);
      return;
    }
    this.#durable = [id | (flags << 16)];
    this.#fetchDurable(this.#durable);
  }

  /** PUBACK: the client has the message. Returns the reason why it cannot be, or 0. */
  acknowledged(id: number): number {
    const inflight = this.#inflight;
    if (inflight === null || inflight.state(id) !== waitsForPuback) return reasons.packetIdNotFound;
    const consumer = inflight.consumer(id) as Consumer;
    inflight.read(id, scratch);
    inflight.release(id);
    this.#countAck(consumer.queue);
    this.#settle(consumer.queue, scratch, 'accepted');
    consumer.gaveBack(1);
    if (this.#isParked) this.#unpark();
    return 0;
  }

  /** PUBREC: the client has the message for good. PUBREL follows when that is durable. */
  receivedByClient(id: number, reason: number): number {
    const inflight = this.#inflight;
    const state = inflight === null ? 0 : inflight.state(id);
    if (inflight === null || (state !== waitsForPubrec && state !== waitsForPubcomp)) return reasons.packetIdNotFound;
    if (state === waitsForPubrec) {
      inflight.read(id, scratch);
      const { queue } = inflight.consumer(id) as Consumer;
      this.#countAck(queue);
      this.#settle(queue, scratch, 'accepted');
      inflight.received(id);
      if (reason < 0x80) this.#keepMarks().delivered(id);
    }
    if (reason >= 0x80) this.#complete(inflight, id);
    else (this.#session.connection as Connection).acks.push(id, pubrelByte, 0);
    return 0;
  }

  /** PUBCOMP: the delivery is over. */
  completed(id: number): number {
    const inflight = this.#inflight;
    if (inflight === null || inflight.state(id) !== waitsForPubcomp) return reasons.packetIdNotFound;
    this.#complete(inflight, id);
    return 0;
  }

  /** Whether a QoS 2 message with this id came already, and the client was or will be told so. */
  hasReceived(id: number): boolean {
    return this.#marks !== null && this.#marks.hasReceived(id);
  }

  /** Makes sure that packet ids of QoS 2 are kept as long as the session. @throws BrokerError when they cannot be */
  willReceive(): void {
    this.#keepMarks();
  }

  /** A QoS 2 message was taken. To be called in the turn in which it is published. */
  received(id: number): void {
    this.#keepMarks().received(id);
  }

  /** PUBREL: the id means nothing any more. Returns whether it did. */
  released(id: number): boolean {
    return this.#marks !== null && this.#marks.released(id);
  }

  /** After a restart: what the session's queue remembers. */
  restoreMarks(queue: Queue): void {
    this.#marks ??= new PacketMarks();
    for (const id of this.#marks.restore(queue)) {
      this.#inflight ??= this.#newInflight();
      this.#inflight.restore(id);
    }
  }

  /** The client is here: what was under way is sent again. */
  resume(): void {
    if (this.#inflight !== null && this.#inflight.count > 0) this.#resend(this.#inflight.ids());
  }

  /** The client is gone. */
  pause(): void {
    this.#isResending = false;
    this.#durable = null;
    this.#giveBackParked();
  }

  /** The session is over. */
  close(): void {
    this.#giveBackParked();
    const inflight = this.#inflight;
    if (inflight === null) return;
    for (const id of inflight.ids()) {
      if (inflight.state(id) !== waitsForPubcomp) {
        inflight.read(id, scratch);
        // Others may have what came to the group.
        const consumer = inflight.consumer(id);
        if (consumer !== null) this.#settle(consumer.queue, scratch, 'returned');
      }
      inflight.release(id);
    }
    this.#session.broker.dropsRefs(inflight);
    this.#inflight = null;
  }

  #complete(inflight: Inflight, id: number): void {
    const consumer = inflight.consumer(id);
    inflight.release(id);
    this.#marks?.completed(id);
    consumer?.gaveBack(1);
    if (this.#isParked) this.#unpark();
  }

  /**
   * The packet id for a queue's message; 0 when it has to wait for one. After a restart a message of QoS 2 must have the id it had before, if
   * it was sent: that is how the client knows that it is the same. So it follows from the message's place in its queue, which is in the log.
   */
  #idFor(queue: Queue, sequence: number, qos: number): number {
    const inflight = (this.#inflight ??= this.#newInflight());
    const id = packetIdOf(sequence, queue === this.#session.queue1 ? 0 : queue.id * sharedStride);
    if (!inflight.has(id)) return id;
    return qos === 2 && this.#isOnDisk ? 0 : inflight.freeFrom(id);
  }

  get #isOnDisk(): boolean {
    return this.#session.isDurable && this.#session.broker.store.hasLog;
  }

  /** Sends what could go, in its order, but is not in memory any more. */
  #fetchDurable(durable: number[]): void {
    const { store } = this.#session.broker;
    for (let next = durable[0]; next !== undefined; next = durable[0]) {
      const id = next & 0xffff;
      const inflight = this.#inflight as Inflight;
      if (inflight.state(id) === waitsForCommit) {
        inflight.read(id, scratch);
        if (!store.isResident(scratch.ref)) {
          store.fetch(scratch.ref, () => {
            if (this.#durable === durable && !this.#session.isEnded) this.#fetchDurable(durable);
          });
          return;
        }
        this.#sendKept(inflight, id, next >> 16);
      }
      durable.shift();
    }
    this.#durable = null;
  }

  /** Sends a delivery that is kept already, and in memory; what cannot be sent is settled. */
  #sendKept(inflight: Inflight, id: number, flags: number): void {
    const { store } = this.#session.broker;
    const consumer = inflight.consumer(id) as Consumer;
    const connection = this.#session.connection as Connection;
    const { queue } = consumer;
    const entry = new Entry();
    inflight.read(id, entry);
    if (inflight.state(id) === waitsForCommit) inflight.setState(id, waitsForPubrec);
    if (store.isIntact(entry.ref)) {
      store.locate(entry.ref);
      this.#countDelivery(connection, queue, 1, (flags & duplicateBit) !== 0);
      const { tracer } = this.#session.vhost;
      if (tracer !== null) {
        tracer.delivered(this.#session.identity(), queue, entry, consumer.noAck);
        store.locate(entry.ref);
      }
      if (queue !== this.#session.queue0 && queue !== this.#session.queue1) this.#session.matches.ofShared(queue.name);
      else this.#session.matches.of(store, 0);
      if (this.#write(connection, entry, flags, id)) {
        connection.wrote();
        return;
      }
    }
    inflight.release(id);
    this.#settleAtOnce(consumer, entry);
  }

  /** Sends the delivery that waits for a packet id, if it can have it. */
  #unpark(): void {
    const inflight = this.#inflight as Inflight;
    const { connection } = this.#session;
    const consumer = inflight.consumer(parkedId);
    if (connection === null || consumer === null) return;
    const entry = new Entry();
    inflight.read(parkedId, entry);
    const { store } = this.#session.broker;
    if (!store.isResident(entry.ref)) {
      store.fetch(entry.ref, () => {
        if (this.#isParked && this.#session.connection === connection) this.#unpark();
      });
      return;
    }
    inflight.release(parkedId);
    this.#isParked = false;
    if (store.isIntact(entry.ref)) this.deliver(consumer, entry);
    else this.#settleAtOnce(consumer, entry);
    this.#session.refresh();
  }

  #giveBackParked(): void {
    const inflight = this.#inflight;
    if (inflight === null || !this.#isParked) return;
    this.#isParked = false;
    inflight.read(parkedId, scratch);
    const consumer = inflight.consumer(parkedId);
    consumer?.queue.settle(scratch, 'returned');
    inflight.release(parkedId);
  }

  /** Kept beside the session's queue when it is to outlive the connection. */
  #keepMarks(): PacketMarks {
    const marks = (this.#marks ??= new PacketMarks());
    if (this.#isOnDisk && !marks.isDurable) marks.keepWith(this.#session.sessions.lastingQueue(this.#session));
    return marks;
  }

  #newInflight(): Inflight {
    const inflight = new Inflight();
    this.#session.broker.holdsRefs(inflight);
    return inflight;
  }

  /**
   * Sends what is under way again, in its order and with its packet ids: that is how a message of QoS 2 is known to be the same.
   * [MQTT 5.0 4.4] What is on disk is fetched first.
   */
  #resend(ids: readonly number[]): void {
    const inflight = this.#inflight as Inflight;
    const { store } = this.#session.broker;
    const { connection } = this.#session;
    const entry = new Entry();
    this.#isResending = true;
    for (const id of ids) {
      const before = inflight.consumer(id);
      const consumer = before === null ? undefined : this.#session.consumers.get(before.queue);
      if (consumer !== undefined && before !== consumer) {
        inflight.adopt(id, consumer);
        consumer.took();
      }
    }
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const state = inflight.state(id);
      if (state === waitsForPubcomp) {
        (connection as Connection).acks.push(id, pubrelByte, 0);
        continue;
      }
      if (this.#isOnDisk && (state === waitsForPubrec || state === waitsForCommit)) {
        inflight.setState(id, waitsForCommit);
        (connection as Connection).acks.push(id, publishByte | duplicateBit, 0);
        continue;
      }
      if (state !== waitsForPuback && state !== waitsForPubrec) continue;
      inflight.read(id, entry);
      if (!store.isResident(entry.ref)) {
        const rest = ids.slice(i);
        store.fetch(entry.ref, () => {
          if (this.#session.connection === connection && !this.#session.isEnded) this.#resend(rest);
        });
        return;
      }
      this.#sendKept(inflight, id, duplicateBit | (state === waitsForPubrec ? 4 : 2));
    }
    this.#isResending = false;
    this.#session.refresh();
  }

  #write(connection: Connection, entry: Entry, first: number, id: number): boolean {
    const { store } = this.#session.broker;
    return writePublish(connection, store, store.arrivalMillis(entry.ref), first, id, this.#session.matches.idBytes);
  }

  #countDelivery(connection: Connection, queue: Queue, qos: number, isRedelivered: boolean): void {
    const { counters } = this.#session;
    const traffic = connection.traffic.of(queue.type);
    if (isRedelivered) {
      counters.redelivered++;
      traffic.redelivered++;
    }
    if (qos === 0) {
      counters.deliveredNoAck++;
      traffic.deliveredNoAck++;
    } else {
      counters.delivered++;
      traffic.delivered++;
    }
  }

  #countAck(queue: Queue): void {
    this.#session.counters.acked++;
    (this.#session.connection as Connection).traffic.of(queue.type).acked++;
  }

  #settle(queue: Queue, entry: Entry, outcome: Outcome): void {
    const { tracer } = this.#session.vhost;
    if (tracer !== null) tracer.settled(queue, entry, outcome);
    queue.settle(entry, outcome);
  }

  #settleAtOnce(consumer: Consumer, entry: Entry): void {
    this.#settle(consumer.queue, entry, 'accepted');
    consumer.gaveBack(1);
  }
}
