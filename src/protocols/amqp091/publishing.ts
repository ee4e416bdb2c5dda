// hot path: see docs/STYLE.md
import { copyBytes, equalBytes } from '../../base/bytes.ts';
import type { FieldTable } from '../../base/field-table.ts';
import { BrokerError, notFound, preconditionFailed, accessRefused } from '../../core/broker-error.ts';
import { saysWhen } from '../../core/delays/delay.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { emptyRoute, type Route } from '../../core/exchanges/route.ts';
import { stagedBytesMin } from '../../core/messages/body-stage.ts';
import { LargeBody } from '../../core/messages/large-body.ts';
import { Publication } from '../../core/messages/publication.ts';
import { exchangeTerm } from '../../core/resource-name.ts';

import { Facets, peekFacets } from '../../wire/amqp091/facets.ts';
import { DeliveryModeFlag, FrameHeader, HeadersFlag, ReplyToFlag, UserIdFlag } from '../../wire/amqp091/constants.gen.ts';
import { BasicPublish, decodeBasicPublish } from '../../wire/amqp091/methods.gen.ts';
import { DecodeError } from '../../wire/decode-error.ts';
import { decodeText } from '../../base/text.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { Channel } from './channel.ts';
import { expirationMillis, parseExpiration } from '../../core/messages/expiration.ts';
import { PublishMemo } from '../../core/publish-memo.ts';
import { ConnectionError, unknownFrame } from './reply-error.ts';
import { DeferredRoute } from './transaction.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { isPseudoQueue, prepareReplyTo } from './reply-to.ts';
import { copyKeys, withoutBcc } from '../../core/messages/sender-selected.ts';

const expectMethod = 0;
const expectHeader = 1;
const expectBody = 2;
/** Bodies up to this size are put together in one buffer when they come in pieces; larger ones in blocks. */
const gatheredBytesMax = 32 * 1024;
/** Properties up to this length are compared with the last message's before they are looked into. */
const rememberedPropertiesMax = 96;
/** Flaws of the properties that are told when the content is complete. */
const badExpiration = 0x1_0000;
const badDeliveryMode = 0x2_0000;
/** Properties that need more than a look: headers (CC, BCC), reply-to, user-id. */
const demandingFlags = HeadersFlag | ReplyToFlag | UserIdFlag;
const checkedFlags = ReplyToFlag | UserIdFlag | badExpiration | badDeliveryMode;
/** Ticket, exchange, routing key and bits of basic.publish. */
const argumentBytesMax = 2 + 256 + 256 + 1;
const immediateBit = 2;
const mandatoryBit = 1;
const nothing = Buffer.alloc(0);
/** Ticket, two empty names and bits, of which the first two and the last octet are no envelope. */
const noArguments = Buffer.alloc(5);
/** The first four octets of a content header: class basic, weight 0. */
const classAndWeight = 60 << 16;

/**
 * Takes a channel's publishes: method, content header, body frames; then routes the message. Everything that equals the last publish is
 * not looked at again. [AMQP 0-9-1 4.2.6, basic.publish]
 */
export class Publishing {
  readonly #channel: Channel;
  /** Made with the first properties that are looked into, as everything that a channel without publishes does without. */
  #facets: Facets | null = null;
  #state = expectMethod;
  /** What is known of the publish at hand, and of those before it. */
  #memo: PublishMemo | null = null;
  #method: number = BasicPublish;
  /** The last publish to an exchange that took it. */
  #model: PublishMemo | null = null;
  /** Stands for publishes that are not worth remembering. */
  #passing: PublishMemo | null = null;
  /** The content header's payload behind class, weight and body size; a view of the read buffer or a copy. */
  #properties: Buffer = nothing;
  #propertiesStart = 0;
  #propertiesBytes = 0;
  #arePropertiesBorrowed = false;
  #bodyBytes = 0;
  #bodyLeft = 0;
  #gathered: Buffer | null = null;
  #large: LargeBody | null = null;
  /** The last properties and what they said. */
  #lastProperties: Buffer = nothing;
  #lastPropertiesBytes = -1;
  #isPersistent = false;
  #priority = 0;
  #ttlMillis = -1;
  #demands = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get isExpectingContent(): boolean {
    return this.#state !== expectMethod;
  }

  /** The method that content is expected for, or was. */
  get method(): number {
    return this.#method;
  }

  /** What to say of a frame that is not the one expected. */
  unexpected(): BrokerError {
    if (this.#state === expectMethod) return noContentExpected();
    return new BrokerError(
      'UNEXPECTED_FRAME',
      this.#state === expectHeader
        ? 'expected content header for class 60, got non content header frame instead'
        : 'expected content body, got non content body frame instead',
    );
  }

  /** Takes the content of a method that is refused when all of it is there. */
  refuse(method: number, error: BrokerError): void {
    this.#method = method;
    this.#memo = new PublishMemo(noArguments);
    this.#memo.byteCount = noArguments.length;
    this.#memo.error = error;
    this.#state = expectHeader;
  }

  onMethod(buffer: Buffer, start: number, end: number): void {
    const connection = this.#channel.connection;
    const vhostGeneration = connection.vhost.generation;
    const accessGeneration = connection.broker.access.generation;
    const last = this.#memo;
    if (last === null || !last.fits(buffer, start, end, vhostGeneration, accessGeneration))
      this.#memo = connection.publishMemos.find(buffer, start, end, vhostGeneration, accessGeneration) ?? this.#examine(buffer, start, end);
    this.#state = expectHeader;
    connection.publishes();
  }

  onHeader(buffer: Buffer, start: number, end: number): void {
    if (end - start < 12) throw unknownFrame(FrameHeader, buffer.subarray(start, end));
    if (this.#state !== expectHeader) throw this.unexpected();
    if (readUint32(buffer, start) !== classAndWeight) throw this.#notTheHeader(buffer, start);
    if (end - start < 14) throw new DecodeError('truncated', 'content header is cut short');
    const high = readUint32(buffer, start + 4);
    const low = readUint32(buffer, start + 8);
    const size = high * 0x1_0000_0000 + low;
    const sizeMax = this.#channel.connection.broker.settings.messageBytesMax;
    if (size > sizeMax) {
      const text = sizeMax >= 536_870_912 ? `larger than max size ${sizeMax}` : `larger than configured max size ${sizeMax}`;
      throw preconditionFailed(`message size ${high > 0x1f_ffff ? ((BigInt(high) << 32n) + BigInt(low)).toString() : size} is ${text}`);
    }
    this.#properties = buffer;
    this.#propertiesStart = start + 12;
    this.#propertiesBytes = end - start - 12;
    this.#arePropertiesBorrowed = true;
    this.#bodyBytes = size;
    this.#bodyLeft = size;
    this.#peek();
    if (size === 0) this.#finish(nothing, 0);
    else this.#state = expectBody;
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    if (this.#state !== expectBody) throw this.unexpected();
    const count = end - start;
    if (count === this.#bodyBytes) {
      this.#finish(buffer, start);
      return;
    }
    if (count > this.#bodyLeft) {
      throw new BrokerError(
        'UNEXPECTED_FRAME',
        `content body frame is larger than what is left of the message: ${count} > ${this.#bodyLeft}`,
      );
    }
    this.#addPiece(buffer, start, end);
    if (this.#bodyLeft === 0) this.#finishPieces();
  }

  /** A piece of a large body frame. */
  onBodyPiece(buffer: Buffer, start: number, end: number): void {
    if (this.#state !== expectBody) throw this.unexpected();
    if (end - start > this.#bodyLeft) {
      throw new BrokerError(
        'UNEXPECTED_FRAME',
        `content body frame is larger than what is left of the message: ${end - start} > ${this.#bodyLeft}`,
      );
    }
    this.#addPiece(buffer, start, end);
    if (this.#bodyLeft === 0) this.#finishPieces();
  }

  /** The read buffer is about to be let go: keeps what a message in progress needs of it. */
  keep(): void {
    if (this.#state !== expectBody || !this.#arePropertiesBorrowed) return;
    this.#properties = Buffer.from(this.#properties.subarray(this.#propertiesStart, this.#propertiesStart + this.#propertiesBytes));
    this.#propertiesStart = 0;
    this.#arePropertiesBorrowed = false;
  }

  /** Forgets a message in progress: the channel is closing. */
  reset(): void {
    this.#state = expectMethod;
    this.#gathered = null;
    this.#large?.unstage();
    this.#large?.release();
    this.#large = null;
    this.#properties = nothing;
  }

  #notTheHeader(buffer: Buffer, start: number): BrokerError {
    const classId = buffer.readUInt16BE(start);
    // A weight makes it another kind of header. [AMQP 0-9-1 2.3.5.2]
    if (classId === 60) return this.unexpected();
    return new BrokerError('UNEXPECTED_FRAME', `expected content header for class 60, got one for class ${classId} instead`);
  }

  #addPiece(buffer: Buffer, start: number, end: number): void {
    if (this.#bodyBytes <= gatheredBytesMax) {
      this.#gathered ??= Buffer.allocUnsafeSlow(this.#bodyBytes);
      buffer.copy(this.#gathered, this.#bodyBytes - this.#bodyLeft, start, end);
    } else {
      this.#large ??= this.#begin();
      this.#large.append(buffer, start, end, this.#bodyBytes);
    }
    this.#bodyLeft -= end - start;
  }

  #begin(): LargeBody {
    const body = LargeBody.empty();
    if (this.#isPersistent && this.#bodyBytes >= stagedBytesMin && this.#memo?.route?.queues.some(isLogging) === true)
      this.#channel.connection.broker.store.stage(body);
    return body;
  }

  #finishPieces(): void {
    const gathered = this.#gathered;
    this.#gathered = null;
    this.#finish(gathered ?? nothing, 0);
  }

  /** Looks up exchange, permission and route of a publish that is not remembered. A refusal is kept until the content is there. */
  #examine(buffer: Buffer, start: number, end: number): PublishMemo {
    const { connection } = this.#channel;
    const { broker, vhost, actor } = connection;
    const memo = this.#newMemo(buffer, start, end);
    memo.vhostGeneration = vhost.generation;
    memo.accessGeneration = broker.access.generation;
    memo.error = null;
    memo.exchange = null;
    memo.route = null;
    try {
      if (!this.#isLikeModel(buffer, start, end, memo)) {
        const args = decodeBasicPublish(buffer, start, end);
        memo.routingKey = args.routingKey;
        memo.isMandatory = args.mandatory;
        if (args.immediate) throw new BrokerError('NOT_IMPLEMENTED', 'immediate=true');
        broker.topology.check(actor, vhost, 'write', 'exchange', args.exchange);
        memo.exchange = vhost.exchanges.get(args.exchange) ?? null;
        if (memo.exchange === null) throw notFound(`no ${exchangeTerm(args.exchange, vhost.name)}`);
        if (memo.exchange.isInternal) throw accessRefused(`cannot publish to internal ${exchangeTerm(args.exchange, vhost.name)}`);
      }
      const exchange = memo.exchange as Exchange;
      broker.topology.checkTopic(actor, vhost, exchange, 'write', memo.routingKey);
      memo.route = vhost.router.remembered(exchange, memo.routingKey);
      if (memo !== this.#passing) {
        this.#model = memo;
        connection.publishMemos.add(memo);
      }
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) throw thrown;
      memo.error = thrown;
    }
    return memo;
  }

  /** The same publish looked up anew, unless it was refused for what it is. */
  #renewed(memo: PublishMemo): PublishMemo {
    return memo.vhostGeneration < 0 ? memo : this.#examine(memo.bytes, 0, memo.byteCount);
  }

  #newMemo(buffer: Buffer, start: number, end: number): PublishMemo {
    const count = end - start;
    // A transaction keeps what it is given until the commit.
    const isKept = this.#model === null || this.#channel.transaction !== null || this.#channel.connection.publishMemos.isWorthKeeping();
    const isPassing = !isKept && count <= argumentBytesMax;
    const memo = isPassing
      ? (this.#passing ??= new PublishMemo(Buffer.allocUnsafeSlow(argumentBytesMax)))
      : new PublishMemo(Buffer.allocUnsafe(count));
    memo.byteCount = count;
    copyBytes(buffer, start, memo.bytes, 0, count);
    return memo;
  }

  /** Fills in the memo of a publish that differs from the last to the same exchange in its routing key only. */
  #isLikeModel(buffer: Buffer, start: number, end: number, memo: PublishMemo): boolean {
    const model = this.#model;
    if (model === null || model.vhostGeneration !== memo.vhostGeneration || model.accessGeneration !== memo.accessGeneration) return false;
    if (!model.hasExchangeOf(buffer, start, end)) return false;
    const keyStart = start + 4 + (buffer[start + 2] as number);
    const keyEnd = keyStart + (buffer[keyStart - 1] as number);
    // What is cut short, or too long, is found by whoever decodes it in earnest.
    if (keyEnd + 1 !== end || ((buffer[keyEnd] as number) & immediateBit) !== 0) return false;
    memo.exchange = model.exchange;
    memo.routingKey = decodeText(buffer, keyStart, keyEnd);
    memo.isMandatory = ((buffer[keyEnd] as number) & mandatoryBit) !== 0;
    return true;
  }

  /** Finds out what the broker must know of the properties; nothing is done when they equal the last message's. */
  #peek(): void {
    const buffer = this.#properties;
    const start = this.#propertiesStart;
    const count = this.#propertiesBytes;
    if (count === this.#lastPropertiesBytes && equalBytes(this.#lastProperties, 0, buffer, start, count)) return;
    const facets = (this.#facets ??= new Facets());
    if (!peekFacets(buffer, start, start + count, facets)) throw new DecodeError('malformed', 'content header');
    this.#isPersistent = facets.deliveryMode === 2;
    this.#priority = facets.priority < 0 ? 0 : facets.priority;
    this.#demands = facets.flags & demandingFlags;
    this.#ttlMillis = -1;
    if (facets.expirationStart !== 0) {
      this.#ttlMillis = expirationMillis(textAt(buffer, facets.expirationStart, facets.expirationLength));
      if (this.#ttlMillis < 0) this.#demands |= badExpiration;
    }
    if ((facets.flags & DeliveryModeFlag) !== 0 && facets.deliveryMode !== 1 && facets.deliveryMode !== 2) this.#demands |= badDeliveryMode;
    if (count <= rememberedPropertiesMax && this.#demands === 0) {
      if (this.#lastProperties === nothing) this.#lastProperties = Buffer.allocUnsafeSlow(rememberedPropertiesMax);
      for (let i = 0; i < count; i++) this.#lastProperties[i] = buffer[start + i] as number;
      this.#lastPropertiesBytes = count;
    } else {
      this.#lastPropertiesBytes = -1;
    }
  }

  #finish(body: Buffer, bodyStart: number): void {
    this.#state = expectMethod;
    const channel = this.#channel;
    const { connection } = channel;
    let memo = this.#memo as PublishMemo;
    // What counts is the topology at the time when the message is complete.
    if (memo.vhostGeneration !== connection.vhost.generation || memo.accessGeneration !== connection.broker.access.generation)
      memo = this.#renewed(memo);
    const p = connection.publication;
    p.envelope = memo.bytes;
    p.envelopeStart = 2;
    p.envelopeBytes = memo.byteCount - 3;
    p.properties = this.#properties;
    p.propertiesStart = this.#propertiesStart;
    p.propertiesBytes = this.#propertiesBytes;
    p.body = body;
    p.bodyStart = bodyStart;
    p.bodyBytes = this.#bodyBytes;
    const large = this.#large;
    this.#large = null;
    p.large = large;
    p.format = amqp091FormatTag;
    p.isPersistent = this.#isPersistent;
    p.priority = this.#priority;
    p.ttlMillis = this.#ttlMillis;
    p.cycleGuard = null;
    if (memo.error !== null) {
      large?.release();
      throw memo.error;
    }
    let route = memo.route;
    if (this.#demands !== 0 || route === null) route = this.#demanding(memo, p);
    channel.publish(memo, route, p);
    large?.release();
    p.large = null;
    p.properties = nothing;
    p.body = nothing;
  }

  /** Exchanges that see the message may keep it: in a transaction they see it at the commit. */
  #route(exchange: Exchange, keys: readonly string[], p: Publication, headers: FieldTable | null): Route {
    const { router } = this.#channel.connection.vhost;
    const isHeld = (): boolean => this.#isScheduled(headers) || router.remembered(exchange, keys[0] as string) === null;
    if (this.#channel.transaction !== null && isHeld()) return new DeferredRoute(keys);
    return router.route(exchange, keys, p, headers);
  }

  /** Whether the message may be held for later though its exchange routes by the key alone. */
  #isScheduled(headers: FieldTable | null): boolean {
    return this.#channel.connection.vhost.isScheduling && saysWhen(headers);
  }

  /** A refusal by an exchange is told with a nack where there are confirms, else it closes the channel. */
  #accepted(route: Route): Route {
    if (route.refusal !== null && this.#channel.confirms === null) throw preconditionFailed(route.refusal);
    return route;
  }

  /**
   * A message whose properties take part: in routing (headers exchange, CC, BCC), in permission (user-id), in replies (reply-to), or are not
   * valid. Everything is checked in RabbitMQ's order, when the content is complete.
   */
  #demanding(memo: PublishMemo, p: Publication): Route {
    const { connection } = this.#channel;
    const { broker, vhost } = connection;
    const exchange = memo.exchange;
    if (exchange === null) return emptyRoute;
    const demands = this.#demands;
    if ((demands & checkedFlags) !== 0) this.#check(p);
    let headers: FieldTable | null = null;
    if ((demands & HeadersFlag) !== 0) headers = broker.format(p.format).headers(p.properties, p.propertiesStart, p.propertiesBytes);
    const keys = headers === null ? null : copyKeys(headers, memo.routingKey);
    if (keys !== null) {
      for (let i = 1; i < keys.length; i++) broker.topology.checkTopic(connection.actor, vhost, exchange, 'write', keys[i] as string);
      if (headers?.has('BCC')) withoutBcc(p, headers, broker.format(p.format), broker.pivot);
      return this.#accepted(this.#route(exchange, keys, p, headers));
    }
    if (memo.route !== null && !this.#isScheduled(headers)) return memo.route;
    return this.#accepted(this.#route(exchange, [memo.routingKey], p, headers));
  }

  /** [RabbitMQ: rabbit_channel, basic.publish] */
  #check(p: Publication): void {
    const facets = this.#facets as Facets;
    const { properties, propertiesStart } = p;
    // The header may have been kept elsewhere since it was looked at.
    peekFacets(properties, propertiesStart, propertiesStart + p.propertiesBytes, facets);
    const userId =
      facets.userIdStart === 0 ? null : properties.toString('utf8', facets.userIdStart, facets.userIdStart + facets.userIdLength);
    const expiration = textAt(properties, facets.expirationStart, facets.expirationLength);
    if (isPseudoQueue(properties, facets.replyToStart, facets.replyToLength)) prepareReplyTo(this.#channel, p);
    if (userId !== null) this.#checkUserId(userId);
    if ((this.#demands & badExpiration) !== 0) parseExpiration(expiration);
    if ((this.#demands & badDeliveryMode) !== 0)
      throw preconditionFailed(`invalid message: {delivery_mode_unknown,${facets.deliveryMode}}`);
  }

  /** [RabbitMQ docs: validated user-id] */
  #checkUserId(claimed: string): void {
    const { broker, user } = this.#channel.connection;
    if (claimed === user || broker.access.hasTag(user, 'impersonator')) return;
    throw preconditionFailed(`user_id property set to '${claimed}' but authenticated user was '${user}'`);
  }
}

function textAt(buffer: Buffer, start: number, count: number): string {
  return buffer.toString('latin1', start, start + count);
}

/** Content where a method has to be. */
export function noContentExpected(): BrokerError {
  return new ConnectionError('UNEXPECTED_FRAME', 'expected method frame, got non method frame instead');
}

function readUint32(buffer: Buffer, at: number): number {
  return (
    (((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)) >>>
    0
  );
}

function isLogging(queue: Queue): boolean {
  return queue.isLogging;
}
