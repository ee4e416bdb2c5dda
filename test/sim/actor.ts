import assert from 'node:assert/strict';
import { array, int, longstr, type FieldTable } from '../../src/base/field-table.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, protocolHeader } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties, type Properties } from '../../src/wire/amqp091/properties.ts';
import { describeFrame, type Frame, FrameCutter } from '../support/amqp-frames.ts';
import * as requests from '../support/amqp-requests.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import type { Random } from '../support/random.ts';
import type { SimBroker } from '../support/sim-broker.ts';
import { capableClient } from '../support/sim-client.ts';
import { ActorChannel } from './actor-channel.ts';
import type { Ledger } from './ledger.ts';
import { encodeMessage } from './message.ts';
import { groupHeader, type Plan } from './plan.ts';

/** What an actor shares with the others. */
export interface World {
  readonly broker: SimBroker;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly random: Random;
  nextMessageId(): number;
}

const frameMax = 8192;
/** Reply codes with which a channel of ours may be closed: we do things that may be refused, but nothing that is malformed. */
const channelCodes = new Set([403, 404, 405, 406]);

/**
 * A client that does what comes to its mind. What it sends goes through its own network: bytes arrive at the broker when the world lets
 * them, in pieces of any size, and what the broker sends is read when the world lets it.
 */
export class Actor {
  readonly world: World;
  #socket: FakeSocket | null = null;
  #cutter = new FrameCutter();
  #toSend: Buffer[] = [];
  #channels = new Map<number, ActorChannel>();
  #state: 'gone' | 'opening' | 'open' | 'closing' = 'gone';
  #lastConsumer = 0;
  /** Reads nothing for a while: the broker has to keep what it sends. */
  isStalled = false;

  constructor(world: World) {
    this.world = world;
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get hasBytesToSend(): boolean {
    return this.#toSend.length > 0;
  }

  get port(): number {
    return this.#socket?.remotePort ?? 0;
  }

  connect(): void {
    const { broker, random } = this.world;
    const kernelBytesMax = random.pick([Infinity, 2000, 100_000]);
    this.#socket = broker.accept({ kernelBytesMax, takesAtOnce: random.chance(0.7) });
    this.#cutter = new FrameCutter();
    this.#state = 'opening';
    this.#channels.clear();
    const clientProperties = capableClient('consumer_cancel_notify', 'connection.blocked', 'basic.nack');
    // All at once, as some clients do.
    this.#queue(
      Buffer.from(protocolHeader),
      methods.encodeConnectionStartOk(0, {
        clientProperties,
        mechanism: 'PLAIN',
        response: Buffer.from('\0guest\0guest'),
        locale: 'en_US',
      }),
      methods.encodeConnectionTuneOk(0, { channelMax: 100, frameMax, heartbeat: 0 }),
      methods.encodeConnectionOpen(0, { virtualHost: '/' }),
    );
  }

  /** Lets some of the bytes on their way arrive at the broker. */
  transmit(bytesMax: number): void {
    const socket = this.#socket;
    if (socket === null) return;
    let left = bytesMax;
    const parts: Buffer[] = [];
    while (left > 0 && this.#toSend.length > 0) {
      const head = this.#toSend[0] as Buffer;
      const count = Math.min(left, head.length);
      parts.push(head.subarray(0, count));
      if (count === head.length) this.#toSend.shift();
      else this.#toSend[0] = head.subarray(count);
      left -= count;
    }
    if (parts.length > 0) socket.receive(Buffer.concat(parts));
  }

  /** Reads some of what the broker has sent; false when there was nothing. */
  read(bytesMax: number): boolean {
    const socket = this.#socket;
    if (socket === null || this.isStalled) return false;
    const bytes = socket.read(bytesMax);
    if (bytes.length > 0) for (const frame of this.#cutter.push(bytes)) this.#onFrame(frame);
    if (!socket.isOver || socket.readableBytes > 0 || this.#state === 'gone') return bytes.length > 0;
    assert.equal(this.#state, 'closing', 'the broker has ended a connection without a word');
    this.#gone(false);
    return true;
  }

  /** The connection breaks, or the program closes its socket. */
  drop(isOrderly: boolean): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (isOrderly) socket.hangUp();
    else socket.reset();
    this.#gone(true);
  }

  /** Asks for the end of the connection. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#finishFrames();
    this.#state = 'closing';
    for (const channel of this.#channels.values()) channel.state = 'closing';
    this.#queue(methods.encodeConnectionClose(0, { replyCode: 200, replyText: 'Goodbye', classId: 0, methodId: 0 }));
  }

  /** Sends what is left of publishes that were begun. */
  #finishFrames(): void {
    for (const channel of this.#channels.values()) this.#queue(...channel.unsentFrames.splice(0));
  }

  /** Asks something of every channel whose answer comes behind all that was asked before; `isSynced` tells whether all have answered. */
  sync(): void {
    this.#finishFrames();
    for (const channel of this.#channels.values()) {
      if (channel.state !== 'open') continue;
      if (channel.mode === 'tx' && channel.transaction.length > 0) this.#commit(channel);
      this.#call(channel, requests.basicQos(channel.number, channel.prefetch), methods.BasicQosOk);
    }
  }

  /** Checks that nothing is owed any more. To be called when all is quiet. */
  checkSynced(): void {
    for (const channel of this.#channels.values()) {
      if (channel.state !== 'open') continue;
      assert.ok(channel.isIdle, `channel ${channel.key} waits for an answer that does not come`);
      assert.deepEqual([...channel.unconfirmed.keys()], [], `publishes of channel ${channel.key} are not confirmed`);
      assert.deepEqual(this.world.ledger.outgoing(channel.key), [], `deliveries to channel ${channel.key} do not come`);
    }
  }

  /** Does one thing, whatever comes to its mind. */
  act(): void {
    const { random } = this.world;
    if (this.#state !== 'open') return;
    const channels = [...this.#channels.values()].filter(channel => channel.state === 'open' || channel.state === 'opening');
    if (channels.length < 3 && (channels.length === 0 || random.chance(0.1))) {
      this.#openChannel();
      return;
    }
    const channel = random.pick(channels);
    if (channel.unsentFrames.length > 0) {
      this.#queue(channel.unsentFrames.shift() as Buffer);
      return;
    }
    if (channel.isUsable) this.#actOn(channel);
  }

  #openChannel(): void {
    const { random, plan } = this.world;
    const numbers = [1, 2, 3, 7].filter(number => !this.#channels.has(number));
    if (numbers.length === 0) return;
    const number = random.pick(numbers);
    const channel = new ActorChannel(number, this.port, this.world.ledger);
    this.#channels.set(number, channel);
    this.#queue(methods.encodeChannelOpen(number));
    if (random.chance(0.5)) {
      channel.mode = 'confirm';
      this.#call(channel, requests.confirmSelect(number), methods.ConfirmSelectOk);
    } else if (random.chance(0.15)) {
      channel.mode = 'tx';
      this.#call(channel, methods.encodeTxSelect(number), methods.TxSelectOk);
    }
    // Quorum queues know no such limit.
    if (!plan.queues.some(queue => queue.isQuorum) && random.chance(0.2)) {
      channel.globalPrefetch = random.between(1, 3);
      this.#call(channel, requests.basicQos(number, channel.globalPrefetch, true), methods.BasicQosOk);
    }
  }

  #actOn(channel: ActorChannel): void {
    const { random, plan } = this.world;
    const { number } = channel;
    const queue = random.pick(plan.queues);
    const exchange = random.pick(plan.exchanges);
    const action = random.weighted({
      publish: 40,
      declareQueue: 6,
      consume: 6,
      settle: 25,
      get: 5,
      bind: 4,
      cancel: 2,
      unbind: 1,
      qos: 1,
      recover: 1,
      purge: plan.isLossless ? 0 : 1,
      deleteQueue: 1,
      declareExchange: 3,
      deleteExchange: 0.5 * 2,
      bindExchange: 1,
      commit: channel.mode === 'tx' ? 8 : 0,
      rollback: channel.mode === 'tx' ? 3 : 0,
      close: 1,
      offend: 0.3 * 2,
    });
    switch (action) {
      case 'publish':
        this.#publish(channel);
        return;
      case 'declareQueue': {
        const { name, isDurable, isExclusive, isAutoDelete } = queue;
        const given = { queue: name, durable: isDurable, exclusive: isExclusive, autoDelete: isAutoDelete, arguments: queue.arguments };
        this.#call(channel, requests.queueDeclare(number, given), methods.QueueDeclareOk);
        return;
      }
      case 'declareExchange': {
        const { name, type, isDurable, isAutoDelete } = exchange;
        const given = { exchange: name, type, durable: isDurable, autoDelete: isAutoDelete, arguments: exchange.arguments };
        this.#call(channel, requests.exchangeDeclare(number, given), methods.ExchangeDeclareOk);
        return;
      }
      case 'consume':
        this.#consume(channel, queue.name);
        return;
      case 'cancel':
        this.#cancel(channel);
        return;
      case 'settle':
        this.#settle(channel);
        return;
      case 'get': {
        const noAck = random.chance(0.3);
        channel.expect([methods.BasicGetOk, methods.BasicGetEmpty], frame => {
          if (frame.method === methods.BasicGetOk && !noAck) channel.unacked.set(frame.args.deliveryTag as number, '');
        });
        this.#queue(requests.basicGet(number, queue.name, noAck));
        return;
      }
      case 'bind':
      case 'unbind': {
        const given = {
          queue: queue.name,
          exchange: this.#someExchange(),
          routingKey: random.pick([...plan.keys, '#', 'k.*']),
          arguments: this.#someMatch(),
        };
        if (action === 'bind') this.#call(channel, requests.queueBind(number, given), methods.QueueBindOk);
        else this.#call(channel, requests.queueUnbind(number, given), methods.QueueUnbindOk);
        return;
      }
      case 'bindExchange': {
        const given = { destination: random.pick(plan.exchanges).name, source: this.#someExchange(), routingKey: random.pick(plan.keys) };
        this.#call(channel, requests.exchangeBind(number, given), methods.ExchangeBindOk);
        return;
      }
      case 'qos':
        channel.prefetch = random.pick([0, 1, 2, 10]);
        this.#call(channel, requests.basicQos(number, channel.prefetch), methods.BasicQosOk);
        return;
      case 'recover':
        // What was delivered until the answer comes is delivered again, and cannot be settled any more.
        channel.isRecovering = true;
        channel.expect([methods.BasicRecoverOk], () => {
          channel.isRecovering = false;
          channel.settled(0, true);
        });
        this.#queue(methods.encodeBasicRecover(number, { requeue: true }));
        return;
      case 'purge':
        this.#call(channel, requests.queuePurge(number, { queue: queue.name }), methods.QueuePurgeOk);
        return;
      case 'deleteQueue':
        this.#call(
          channel,
          requests.queueDelete(number, { queue: queue.name, ifEmpty: !queue.isQuorum && random.chance(0.3) }),
          methods.QueueDeleteOk,
        );
        return;
      case 'deleteExchange':
        this.#call(
          channel,
          requests.exchangeDelete(number, { exchange: exchange.name, ifUnused: random.chance(0.5) }),
          methods.ExchangeDeleteOk,
        );
        return;
      case 'commit':
        this.#commit(channel);
        return;
      case 'rollback': {
        const { transaction } = channel;
        channel.transaction = [];
        this.#call(channel, methods.encodeTxRollback(number), methods.TxRollbackOk, () => {
          for (const { id } of transaction)
            assert.ok(!this.world.ledger.publishes.has(id), `message ${id} was rolled back and is published`);
        });
        return;
      }
      case 'close':
        channel.state = 'closing';
        channel.hasAskedForClose = true;
        channel.expect([methods.ChannelCloseOk], () => {
          this.#channels.delete(number);
          channel.ended(false);
        });
        this.#queue(methods.encodeChannelClose(number, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }));
        return;
      case 'offend':
        this.#queue(random.pick([requests.basicAck(number, 1_000_000), requests.basicGet(number, 'no such queue')]));
    }
  }

  #commit(channel: ActorChannel): void {
    const { transaction } = channel;
    channel.transaction = [];
    this.#call(channel, methods.encodeTxCommit(channel.number), methods.TxCommitOk, () => {
      for (const { id } of transaction) assert.ok(this.world.ledger.publishes.has(id), `message ${id} was committed and is not published`);
    });
  }

  #publish(channel: ActorChannel): void {
    const { random, plan, ledger } = this.world;
    const { number } = channel;
    const id = this.world.nextMessageId();
    const isMandatory = random.chance(0.2);
    const body = encodeMessage(id, this.#fillerBytes());
    const exchange = random.chance(0.02) ? 'missing' : random.chance(0.5) ? '' : this.#someExchange();
    const properties: Properties = {};
    if (random.chance(0.4)) properties.deliveryMode = random.between(1, 2);
    if (random.chance(0.3)) properties.priority = random.pick([0, 1, 2, 5, 255]);
    if (!plan.isLossless && random.chance(0.1)) properties.expiration = String(random.pick([0, 1, 50, 5000]));
    if (random.chance(0.1)) properties.correlationId = `c${id}`;
    const headers: FieldTable = new Map();
    if (random.chance(0.1)) headers.set('h', int(random.below(3)));
    if (random.chance(0.05))
      headers.set(random.pick(['CC', 'BCC']), array([longstr(random.pick(plan.keys)), longstr(random.pick(plan.keys))]));
    if (plan.hasGroups && random.chance(0.7)) {
      const key = random.below(4);
      headers.set(groupHeader, int(key));
      ledger.groups.set(id, key);
    }
    if (headers.size > 0) properties.headers = headers;
    channel.published(id, isMandatory);
    const frames = [
      methods.encodeBasicPublish(number, { exchange, routingKey: random.pick(plan.keys), mandatory: isMandatory, immediate: false }),
      encodeContentHeaderFrame(number, body.length, encodeProperties(properties)),
      ...encodeBodyFrames(number, body, random.chance(0.2) ? random.between(64, frameMax) : frameMax),
    ];
    assert.ok(!ledger.publishes.has(id));
    // Now and then other channels get in between, and things change while a message is half sent.
    if (random.chance(0.2)) channel.unsentFrames = frames;
    else this.#queue(...frames);
  }

  #fillerBytes(): number {
    const { random, plan } = this.world;
    if (plan.hasLargeMessages && random.chance(0.05)) return random.pick([33_000, 60_000, 270_000]);
    return random.chance(0.1) ? random.below(20_000) : random.below(60);
  }

  #consume(channel: ActorChannel, queue: string): void {
    const { random } = this.world;
    const tag = `t${++this.#lastConsumer}`;
    const noAck = random.chance(0.2);
    const args: FieldTable = new Map();
    if (random.chance(0.2)) args.set('x-priority', int(random.between(-1, 2)));
    const { prefetch } = channel;
    channel.consumers.set(tag, { tag, noAck, prefetch, unackedCount: 0, isCancelled: false });
    const given = { queue, consumerTag: tag, noAck, exclusive: random.chance(0.05), arguments: args };
    this.#call(channel, requests.basicConsume(channel.number, given), methods.BasicConsumeOk);
  }

  #cancel(channel: ActorChannel): void {
    const tags = [...channel.consumers.keys()];
    if (tags.length === 0) return;
    const tag = this.world.random.pick(tags);
    this.#call(channel, requests.basicCancel(channel.number, tag), methods.BasicCancelOk, () => {
      const consumer = channel.consumers.get(tag);
      if (consumer !== undefined) consumer.isCancelled = true;
    });
  }

  #settle(channel: ActorChannel): void {
    const { random } = this.world;
    const tags = [...channel.unacked.keys()].sort((a, b) => a - b);
    if (tags.length === 0 || channel.isRecovering) return;
    const { number } = channel;
    const multiple = random.chance(0.2);
    // Multiple with tag 0 covers what is on its way too: only what is known can be compared afterwards.
    const tag = random.chance(0.5) ? (tags[0] as number) : random.pick(tags);
    const how = random.weighted({ ack: 6, requeue: 3, refuse: this.world.plan.isLossless ? 0 : 5 });
    channel.settled(tag, multiple);
    if (how === 'ack') this.#queue(requests.basicAck(number, tag, multiple));
    else if (multiple || random.chance(0.5)) this.#queue(requests.basicNack(number, tag, { multiple, requeue: how === 'requeue' }));
    else this.#queue(requests.basicReject(number, tag, how === 'requeue'));
  }

  #someExchange(): string {
    const { random, plan } = this.world;
    return random.pick([...plan.exchanges.map(exchange => exchange.name), 'amq.fanout', 'amq.topic', 'amq.headers']);
  }

  #someMatch(): FieldTable {
    const { random } = this.world;
    return random.chance(0.3) ? new Map([['h', int(random.below(3))]]) : new Map();
  }

  #call(channel: ActorChannel, frame: Buffer, reply: Parameters<ActorChannel['expect']>[0][number], then: () => void = () => {}): void {
    channel.expect([reply], then);
    this.#queue(frame);
  }

  #queue(...frames: readonly Buffer[]): void {
    this.#toSend.push(...frames);
  }

  #onFrame(frame: Frame): void {
    if (frame.channel === 0) {
      this.#onConnectionFrame(frame);
      return;
    }
    const channel = this.#channels.get(frame.channel);
    assert.ok(channel !== undefined, `${describeFrame(frame)}, which is not open`);
    if (frame.method !== methods.ChannelClose) {
      channel.onFrame(frame);
      return;
    }
    assert.ok(channelCodes.has(frame.args.replyCode), describeFrame(frame));
    this.#queue(methods.encodeChannelCloseOk(frame.channel));
    // When both close at a time, each still gets the other's answer.
    if (channel.hasAskedForClose) {
      channel.abandoned();
      return;
    }
    this.#channels.delete(frame.channel);
    channel.ended(false);
  }

  #onConnectionFrame(frame: Frame): void {
    switch (frame.method) {
      case methods.ConnectionStart:
      case methods.ConnectionTune:
      case methods.ConnectionBlocked:
      case methods.ConnectionUnblocked:
        return;
      case methods.ConnectionOpenOk:
        this.#state = 'open';
        return;
      case methods.ConnectionCloseOk:
        assert.equal(this.#state, 'closing');
        this.#socket?.hangUp();
        this.#gone(false);
        return;
      default:
        assert.fail(`unexpected ${describeFrame(frame)}`);
    }
  }

  #gone(isBroken: boolean): void {
    for (const channel of this.#channels.values()) channel.ended(isBroken);
    this.#channels.clear();
    this.world.ledger.forget(this.port);
    this.#state = 'gone';
    this.#socket = null;
    this.#toSend = [];
    this.isStalled = false;
  }
}
