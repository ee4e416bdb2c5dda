import assert from 'node:assert/strict';
import { FrameBody, FrameHeader } from '../../src/wire/amqp091/constants.gen.ts';
import { decodeContentHeader } from '../../src/wire/amqp091/content-header.ts';
import type { BasicDeliverArguments, BasicGetOkArguments, MethodNumber } from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { describeFrame, type Frame, isMethodFrame, type MethodFrame } from '../support/amqp-frames.ts';
import type { Ledger } from './ledger.ts';
import { checkMessage } from './message.ts';

interface AwaitedReply {
  readonly methods: readonly MethodNumber[];
  readonly answer: (frame: MethodFrame) => void;
}

interface Publishing {
  readonly id: number;
  readonly isMandatory: boolean;
}

interface Content {
  readonly method: MethodFrame;
  bodyBytes: number;
  left: number;
  chunks: Buffer[];
}

export interface KnownConsumer {
  readonly tag: string;
  readonly noAck: boolean;
  readonly prefetch: number;
  unackedCount: number;
  isCancelled: boolean;
}

/**
 * What a client knows of one of its channels, and what it holds the broker to: replies in the order of requests, deliveries as the ledger
 * saw them handed over, each publish confirmed once, no more than the prefetch.
 */
export class ActorChannel {
  readonly number: number;
  readonly key: string;
  readonly #ledger: Ledger;
  mode: 'plain' | 'confirm' | 'tx' = 'plain';
  state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';
  hasAskedForClose = false;
  /** Frames of a publish that are still to be sent: nothing else may come between on this channel. */
  unsentFrames: Buffer[] = [];
  readonly consumers = new Map<string, KnownConsumer>();
  /** Deliveries that it may settle: tag -> consumer tag, '' for what was got. */
  readonly unacked = new Map<number, string>();
  prefetch = 0;
  globalPrefetch = 0;
  isRecovering = false;
  readonly #awaited: AwaitedReply[] = [];
  /** Publishes that wait for their confirm, by sequence number. */
  readonly unconfirmed = new Map<number, Publishing>();
  /** Publishes of a transaction that is not committed. */
  transaction: Publishing[] = [];
  #publishedCount = 0;
  #lastDeliveryTag = 0;
  #content: Content | null = null;
  readonly #returned = new Set<number>();

  constructor(number: number, port: number, ledger: Ledger) {
    this.number = number;
    this.key = `${port}/${number}`;
    this.#ledger = ledger;
    this.expect([methods.ChannelOpenOk], () => {
      if (this.state === 'opening') this.state = 'open';
    });
  }

  get isIdle(): boolean {
    return this.#awaited.length === 0;
  }

  get isUsable(): boolean {
    return (this.state === 'open' || this.state === 'opening') && this.unsentFrames.length === 0;
  }

  expect(replies: readonly MethodNumber[], answer: (frame: MethodFrame) => void = () => {}): void {
    this.#awaited.push({ methods: replies, answer });
  }

  /** Notes a publish that is being sent. */
  published(id: number, isMandatory: boolean): void {
    if (this.mode === 'confirm') this.unconfirmed.set(++this.#publishedCount, { id, isMandatory });
    if (this.mode === 'tx') this.transaction.push({ id, isMandatory });
  }

  /** Forgets what a settlement that is being sent covers. */
  settled(tag: number, multiple: boolean): void {
    for (const [each, consumerTag] of Array.from(this.unacked)) {
      if (each !== tag && !(multiple && (tag === 0 || each <= tag))) continue;
      this.unacked.delete(each);
      const consumer = this.consumers.get(consumerTag);
      if (consumer !== undefined) consumer.unackedCount--;
    }
  }

  onFrame(frame: Frame): void {
    if (this.#content !== null) {
      this.#onContent(this.#content, frame);
      return;
    }
    assert.ok(isMethodFrame(frame), `${describeFrame(frame)} without a method before it`);
    switch (frame.method) {
      case methods.BasicDeliver:
      case methods.BasicGetOk:
      case methods.BasicReturn:
        this.#content = { method: frame, bodyBytes: -1, left: 0, chunks: [] };
        return;
      case methods.BasicAck:
        this.#confirmed(frame.args.deliveryTag as number, frame.args.multiple, true);
        return;
      case methods.BasicNack:
        this.#confirmed(frame.args.deliveryTag as number, frame.args.multiple, false);
        return;
      case methods.BasicCancel: {
        const consumer = this.consumers.get(frame.args.consumerTag);
        assert.ok(consumer !== undefined, `an unknown consumer ${frame.args.consumerTag} was cancelled`);
        consumer.isCancelled = true;
        return;
      }
      default:
        this.#onReply(frame);
    }
  }

  /** The broker has closed the channel, too: of all that was asked only the close is answered. */
  abandoned(): void {
    this.#awaited.splice(0, this.#awaited.length - 1);
    this.ended(false);
  }

  /** The channel is gone: by an error, its own close, or with its connection. */
  ended(isConnectionGone: boolean): void {
    this.state = 'closed';
    if (!isConnectionGone) {
      assert.equal(this.#content, null, 'a channel was closed in the middle of a message');
      assert.deepEqual(this.#ledger.outgoing(this.key), [], 'deliveries were made that did not come before the channel was closed');
    }
    this.consumers.clear();
    this.unacked.clear();
  }

  #onReply(frame: MethodFrame): void {
    const awaited = this.#awaited.shift();
    assert.ok(awaited !== undefined, `${describeFrame(frame)}, but nothing was asked`);
    assert.ok(
      awaited.methods.includes(frame.method as MethodNumber),
      `${describeFrame(frame)} in place of ${awaited.methods.map(method => methods.methodNames.get(method)).join(' or ')}`,
    );
    awaited.answer(frame);
  }

  #onContent(content: Content, frame: Frame): void {
    if (content.bodyBytes < 0) {
      assert.equal(frame.type, FrameHeader, `${describeFrame(frame)} in place of a header`);
      content.bodyBytes = content.left = decodeContentHeader(frame.payload, 0, frame.payload.length).bodySize;
    } else {
      assert.equal(frame.type, FrameBody, `${describeFrame(frame)} in place of a body`);
      content.chunks.push(frame.payload);
      content.left -= frame.payload.length;
      assert.ok(content.left >= 0, 'a body is longer than its header says');
    }
    if (content.left > 0) return;
    this.#content = null;
    const id = checkMessage(Buffer.concat(content.chunks));
    const { method } = content;
    if (method.method === methods.BasicDeliver) this.#onDelivery(id, method.args);
    else if (method.method === methods.BasicReturn) this.#onReturn(id);
    else {
      const args = method.args as BasicGetOkArguments;
      this.#onTag(args.deliveryTag as number);
      this.#onReply(method);
    }
  }

  #onTag(tag: number): void {
    assert.equal(tag, this.#lastDeliveryTag + 1, 'delivery tags do not ascend by one');
    this.#lastDeliveryTag = tag;
  }

  #onDelivery(id: number, args: BasicDeliverArguments): void {
    const tag = args.deliveryTag as number;
    this.#onTag(tag);
    const outgoing = this.#ledger.outgoing(this.key).shift();
    assert.ok(outgoing !== undefined, 'a delivery came that was never made');
    assert.equal(id, outgoing.copy.id, 'another message came than was delivered');
    assert.equal(tag, outgoing.deliveryTag);
    assert.equal(args.consumerTag, outgoing.consumerTag);
    assert.equal(args.redelivered, outgoing.redelivered);
    const consumer = this.consumers.get(args.consumerTag);
    assert.ok(consumer !== undefined, `a delivery to consumer ${args.consumerTag}, who was cancelled`);
    assert.equal(consumer.isCancelled, false, 'a delivery behind the notice that the consumer is cancelled');
    if (consumer.noAck) return;
    this.unacked.set(tag, args.consumerTag);
    consumer.unackedCount++;
    assert.ok(consumer.prefetch === 0 || consumer.unackedCount <= consumer.prefetch, 'more deliveries than the prefetch allows');
  }

  #onReturn(id: number): void {
    const record = this.#ledger.publishes.get(id);
    assert.ok(record !== undefined && record.routedCount === 0, `message ${id} was returned, but it was routed`);
    assert.ok(!this.#returned.has(id), `message ${id} was returned twice`);
    this.#returned.add(id);
  }

  #confirmed(tag: number, multiple: boolean, isAck: boolean): void {
    assert.equal(this.mode, 'confirm', 'a confirm on a channel that asked for none');
    const tags = multiple ? [...this.unconfirmed.keys()].filter(each => each <= tag) : [tag];
    assert.ok(this.unconfirmed.has(tag), `publish ${tag} is confirmed, but it was already, or never made`);
    for (const each of tags) {
      const { id, isMandatory } = this.unconfirmed.get(each) as Publishing;
      this.unconfirmed.delete(each);
      const record = this.#ledger.publishes.get(id);
      assert.ok(record !== undefined, `message ${id} is confirmed before the broker has handled it`);
      assert.equal(
        isAck,
        !record.isRefused,
        `message ${id} was ${record.isRefused ? 'refused' : 'taken'} and got ${isAck ? 'an ack' : 'a nack'}`,
      );
      if (isMandatory && record.routedCount === 0) assert.ok(this.#returned.has(id), `message ${id} is confirmed before it is returned`);
    }
  }
}
