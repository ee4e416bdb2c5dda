import { type Field, longstr, timestamp } from '../../src/base/field-table.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { StreamQueue } from '../../src/core/queues/stream/stream-queue.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { decodeProperties } from '../../src/wire/amqp091/properties.ts';
import * as requests from '../support/amqp-requests.ts';
import type { Random } from '../support/random.ts';
import type { Arrival } from './durable-client.ts';
import type { Ledger } from './durable-ledger.ts';
import { filterValues, type KnownQueues, streamNames } from './durable-names.ts';
import { type Session, streamChannel } from './durable-session.ts';
import { readBody } from './message-body.ts';
import type { SimNode } from './sim-node.ts';
import type { StreamLedger, StreamRecord } from './stream-ledger.ts';

/** A consumer of a stream, and what it must get. */
export interface StreamCursor {
  readonly stream: StreamLedger;
  readonly queueId: number;
  /** Only messages with this value; null: all. */
  readonly filterValue: string | null;
  /** Whether a message may be the first it gets; it says why not, or null. */
  readonly refuse: (record: StreamRecord, before: StreamRecord | undefined) => string | null;
  /** Offset behind the last that it got; -1: none yet. */
  next: number;
}

const consumersMax = 5;

/** Streams that clients of the world read, and what is in them after a start. */
export class DurableStreams {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly #known: KnownQueues;
  deliveries = 0;
  /** Messages that limits have taken. */
  retained = 0;

  constructor(random: Random, ledger: Ledger, known: KnownQueues) {
    this.random = random;
    this.ledger = ledger;
    this.#known = known;
  }

  // --- clients

  /** Begins to read a stream somewhere. */
  consume(session: Session, node: SimNode): void {
    const queue = node.queues.get(this.random.pick(streamNames));
    if (!(queue instanceof StreamQueue) || session.cursors.size >= consumersMax) return;
    this.attach(session, node, queue, this.random.pick(['first', 'last', 'next', 'offset', 'time']), this.random.chance(0.3));
  }

  attach(
    session: Session,
    node: SimNode,
    queue: StreamQueue,
    kind: 'first' | 'last' | 'next' | 'offset' | 'time',
    isFiltered: boolean,
  ): void {
    const stream = this.ledgerOf(queue);
    const event = this.ledger.nextEvent();
    const { log } = queue;
    let spec: Field = longstr(kind);
    let refuse: StreamCursor['refuse'];
    switch (kind) {
      case 'first':
        refuse = (_, before) => (before === undefined || before.offset < log.firstOffset ? null : 'is not the first');
        break;
      case 'next':
        refuse = (record, before) => {
          if (record.event < event) return 'was there before';
          return before === undefined || before.event < event || before.offset < log.firstOffset ? null : 'is not the next';
        };
        break;
      case 'last': {
        const { endOffset } = log;
        const most = log.firstOffset === endOffset ? endOffset : endOffset - 1;
        refuse = ({ offset }) => (offset <= Math.max(most, log.firstOffset) ? null : 'is behind the last');
        break;
      }
      case 'offset': {
        const offset = this.random.below(stream.end + 4);
        spec = { type: 'l', value: offset };
        const least = Math.max(offset, log.firstOffset);
        refuse = record =>
          record.offset === least || (record.offset > least && record.offset <= log.firstOffset) ? null : `is not at ${offset}`;
        break;
      }
      case 'time': {
        const seconds = Math.floor(node.broker.clock.wallMillis / 1000) - this.random.below(4);
        spec = timestamp(seconds);
        refuse = (record, before) => {
          if (record.confirmedMillis < seconds * 1000) return 'is older';
          return before === undefined || before.sentMillis < seconds * 1000 || before.offset < log.firstOffset
            ? null
            : 'is not the first of its time';
        };
      }
    }
    const filterValue = isFiltered ? this.random.pick(filterValues) : null;
    const consumerTag = `s${++session.lastConsumer}`;
    session.cursors.set(consumerTag, { stream, queueId: queue.id, filterValue, refuse, next: -1 });
    const args = new Map([['x-stream-offset', spec]]);
    if (filterValue !== null) args.set('x-stream-filter', longstr(filterValue));
    session.client.call(
      requests.basicConsume(streamChannel, { queue: queue.name, consumerTag, arguments: args }),
      methods.BasicConsumeOk,
      null,
    );
  }

  cancel(session: Session): void {
    const [tag] = session.cursors.keys();
    if (tag === undefined) return;
    this.ledger.nextEvent();
    session.client.call(requests.basicCancel(streamChannel, tag), methods.BasicCancelOk, () => session.cursors.delete(tag));
  }

  acknowledge(session: Session): void {
    const tag = session.streamUnacked.at(this.random.chance(0.5) ? -1 : this.random.below(session.streamUnacked.length));
    if (tag === undefined) return;
    session.streamUnacked = session.streamUnacked.filter(each => each > tag);
    session.client.send(requests.basicAck(streamChannel, tag, true));
  }

  arrived(session: Session, node: SimNode, arrival: Arrival): void {
    const cursor = session.cursors.get(arrival.consumerTag ?? '');
    if (cursor === undefined) throw new Error(`a message of a stream for nobody: ${JSON.stringify(arrival)}`);
    this.deliveries++;
    session.streamUnacked.push(arrival.deliveryTag);
    const { stream, filterValue, next } = cursor;
    const { streamOffset: offset, messageId } = arrival;
    const record = stream.find(offset, messageId);
    // Only what is durable is delivered.
    record.isSafe = true;
    cursor.next = offset + 1;
    const what = `message ${messageId}, offset ${offset} of stream ${stream.name}`;
    if (arrival.isRedelivered) throw new Error(`${what}, is flagged`);
    if (filterValue !== null && record.filterValue !== filterValue) throw new Error(`${what}, was not asked for`);
    const firstOffset = this.#firstOffset(node, cursor);
    if (next >= 0) {
      if (offset < next) throw new Error(`${what}, came behind offset ${next - 1}`);
      const skipped = this.#wanted(cursor, next, offset);
      if (skipped !== undefined && skipped.offset >= firstOffset) throw new Error(`${what}, came before offset ${skipped.offset}`);
      return;
    }
    if (filterValue !== null) return;
    const refusal = cursor.refuse(record, stream.at(offset - 1));
    if (refusal !== null) throw new Error(`${what}, came first and ${refusal}`);
  }

  /** @throws Error when a consumer waits for a message that is there, though it may have more */
  checkEnds(session: Session, node: SimNode): void {
    for (const [tag, cursor] of session.cursors) {
      if (cursor.next < 0 || node.queues.get(cursor.stream.name)?.id !== cursor.queueId) continue;
      const missed = this.#wanted(cursor, cursor.next, cursor.stream.end);
      if (missed !== undefined && missed.offset >= this.#firstOffset(node, cursor))
        throw new Error(`consumer ${tag} of stream ${cursor.stream.name} does not get offset ${missed.offset}`);
    }
  }

  /** The first of some offsets that a consumer must get. */
  #wanted({ stream, filterValue }: StreamCursor, from: number, to: number): StreamRecord | undefined {
    for (let offset = from; offset < to; offset++) {
      const record = stream.at(offset);
      if (filterValue === null || record?.filterValue === filterValue) return record;
    }
    return undefined;
  }

  #firstOffset(node: SimNode, { stream, queueId }: StreamCursor): number {
    const queue = node.queues.get(stream.name);
    // A deleted stream has nothing any more.
    return queue instanceof StreamQueue && queue.id === queueId ? queue.log.firstOffset : Infinity;
  }

  ledgerOf(queue: Queue): StreamLedger {
    const { stream } = this.#known.of(queue) ?? {};
    if (stream === undefined || stream === null) throw new Error(`queue ${queue.name} is no stream`);
    return stream;
  }

  // --- a start

  /** Reads all streams and compares with what must be there. Returns what is to be called when the node serves. */
  audit(node: SimNode, wallMillis: number): () => void {
    const accepted: (() => void)[] = [];
    for (const queue of node.queues.values()) {
      if (!(queue instanceof StreamQueue)) continue;
      const stream = this.ledgerOf(queue);
      const { firstOffset, endOffset } = queue.log;
      this.#read(node, queue, stream);
      if (queue.messageCount !== endOffset - firstOffset)
        throw new Error(`stream ${queue.name} says it has ${queue.messageCount} messages`);
      stream.audit(firstOffset, endOffset, this.ledger.durableEvent, wallMillis);
      this.retained += firstOffset;
      accepted.push(() => stream.accept(endOffset));
    }
    return () => {
      for (const accept of accepted) accept();
    };
  }

  /** Every message that is shown must be the one that was published there, without a gap. */
  #read(node: SimNode, queue: StreamQueue, stream: StreamLedger): void {
    let isReadable = false;
    let next = queue.log.firstOffset;
    const reader = queue.log.read({ kind: 'first' }, null, () => (isReadable = true));
    do {
      isReadable = false;
      while (reader.next()) {
        if (reader.offset !== next) throw new Error(`stream ${stream.name} goes on at ${reader.offset} in place of ${next}`);
        next++;
        stream.find(reader.offset, readBody(reader.bytes.subarray(reader.bodyStart, reader.bodyStart + reader.bodyBytes)));
        const { headers } = decodeProperties(reader.bytes, reader.propertiesStart, reader.propertiesStart + reader.propertiesBytes);
        if (Number(headers?.get('x-stream-offset')?.value) !== reader.offset)
          throw new Error(`the header of offset ${reader.offset} is wrong`);
      }
      while (node.files.step());
    } while (isReadable);
    reader.close();
    // A process that died meanwhile reads nothing any more.
    if (next !== queue.log.endOffset && !node.files.isFrozen)
      throw new Error(`stream ${stream.name} shows messages up to ${next} of ${queue.log.endOffset}`);
  }

  /** Limits hold when nothing more is under way. */
  checkLengths(node: SimNode): void {
    for (const queue of node.queues.values()) if (queue instanceof StreamQueue) this.ledgerOf(queue).checkLength(queue.log.firstOffset);
  }
}
