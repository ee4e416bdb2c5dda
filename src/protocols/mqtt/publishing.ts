// hot path: see docs/STYLE.md
import { copyBytes, equalBytes } from '../../base/bytes.ts';
import { accessRefused, BrokerError } from '../../core/broker-error.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { Route } from '../../core/exchanges/route.ts';
import { packEnvelope } from '../../core/messages/envelope.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import { LargeBody } from '../../core/messages/large-body.ts';
import { Publication } from '../../core/messages/publication.ts';
import { PublishMemo, PublishMemos } from '../../core/publish-memo.ts';
import { exchangeTerm } from '../../core/resource-name.ts';
import { ByteReader, isMqttText, malformed, protocolError } from '../../wire/mqtt/byte-reader.ts';
import { reasons } from '../../wire/mqtt/constants.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import { readProperties } from '../../wire/mqtt/properties.ts';
import type { Connection } from './connection.ts';
import { pubackByte, pubrecByte } from './pending-acks.ts';
import { storedProperties } from './stored-properties.ts';
import { isTopicName, routingKeyOfTopic } from './topics.ts';

const nothing = Buffer.alloc(0);
/** Bodies above this are kept where they came in, if little else is in there. */
const keptBytesMin = 32 * 1024;
/** Properties up to this length are compared with the last message's before they are looked into. */
const rememberedPropertiesMax = 256;

/** What is stored of a message without properties: QoS, and 4 for RETAIN. */
const plainProperties: readonly Buffer[] = Array.from({ length: 8 }, (_, flags) => Buffer.from([flags]));

/** Takes a client's PUBLISH packets. Everything that equals the last one is not looked at again. [MQTT 5.0 3.3] */
export class Publishing {
  readonly #connection: Connection;
  readonly #publication: Publication;
  readonly #memos: PublishMemos;
  #memo: PublishMemo | null = null;
  /** Topics by alias. */
  #aliases: (Buffer | null)[] | null = null;
  /** The last properties, and what is stored of them. */
  #lastProperties: Buffer = nothing;
  #lastFlags = -1;
  #stored: Buffer = nothing;
  #ttlMillis = -1;
  #alias = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#publication = new Publication();
    this.#publication.publisher = connection.intake;
    this.#memos = new PublishMemos(connection.frontEnd.publishMemoBudget);
  }

  close(): void {
    this.#memos.close();
  }

  /** @throws MqttError */
  onPublish(first: number, buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const qos = (first >> 1) & 3;
    if (qos === 3) throw malformed('QoS 3');
    if (qos === 0 && (first & 8) !== 0) throw malformed('a duplicate with QoS 0');
    if (end - start < 2) throw malformed('the packet is cut short');
    const topicStart = start + 2;
    const topicEnd = topicStart + (((buffer[start] as number) << 8) | (buffer[start + 1] as number));
    let at = topicEnd;
    if (at + (qos === 0 ? 0 : 2) > end) throw malformed('the packet is cut short');
    let id = 0;
    if (qos > 0) {
      id = ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
      if (id === 0) throw protocolError('packet identifier 0');
      at += 2;
    }
    const flags = qos | ((first & 1) << 2);
    let stored = plainProperties[flags] as Buffer;
    this.#alias = 0;
    let ttlMillis = -1;
    if (connection.isVersion5) {
      if (at >= end) throw malformed('the packet is cut short');
      if (buffer[at] === 0) {
        at++;
      } else {
        at = this.#readProperties(buffer, at, end, flags);
        stored = this.#stored;
        ttlMillis = this.#ttlMillis;
      }
    }
    let topic = buffer;
    let from = topicStart;
    let to = topicEnd;
    if (this.#alias > 0 || from === to) {
      topic = this.#aliased(buffer, topicStart, topicEnd);
      if (topic !== buffer) {
        from = 0;
        to = topic.length;
      }
    }
    if (qos === 2 && connection.session.deliveries.hasReceived(id)) {
      // It was published already: the client did not hear of it.
      connection.acks.push(id, pubrecByte, 0);
      return;
    }
    const vhostGeneration = connection.vhost.generation;
    const accessGeneration = connection.broker.access.generation;
    let memo = this.#memo;
    if (memo === null || !memo.fits(topic, from, to, vhostGeneration, accessGeneration)) {
      memo = this.#memos.find(topic, from, to, vhostGeneration, accessGeneration) ?? this.#examine(topic, from, to);
      this.#memo = memo;
    }
    if (qos > 0) this.#expect(qos);
    connection.publishes();
    this.#publish(memo, stored, ttlMillis, flags, id, buffer, at, end);
  }

  /** Counts a message that waits for its acknowledgement. */
  #expect(qos: number): void {
    const { session, acks, frontEnd, isVersion5 } = this.#connection;
    const max = isVersion5 ? frontEnd.options.receiveMax : 0xffff;
    if (acks.pubackCount + session.deliveries.receivedCount >= max)
      throw new MqttError(reasons.receiveMaximumExceeded, `more than ${max} messages that wait for their acknowledgement`);
    if (qos < 2) return;
    try {
      session.deliveries.willReceive();
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw new MqttError(error.text.includes('limit') ? reasons.quotaExceeded : reasons.implementationSpecific, error.text);
    }
  }

  #publish(
    memo: PublishMemo,
    stored: Buffer,
    ttlMillis: number,
    flags: number,
    id: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const connection = this.#connection;
    const { broker, vhost, session } = connection;
    const qos = flags & 3;
    session.counters.published++;
    connection.traffic.published++;
    connection.traffic.messageSizes.add(end - start);
    if (memo.error !== null) {
      this.#refuse(memo.error, qos, id);
      return;
    }
    const p = this.#publication;
    const envelope = memo.envelope as Buffer;
    p.envelope = envelope;
    p.envelopeStart = 0;
    p.envelopeBytes = envelope.length;
    p.properties = stored;
    p.propertiesStart = 0;
    p.propertiesBytes = stored.length;
    p.bodyBytes = end - start;
    if (connection.reader.isPacketOwn && p.bodyBytes > keptBytesMin && p.bodyBytes * 2 > buffer.length) {
      p.large = LargeBody.of([buffer.subarray(start, end)]);
    } else {
      p.body = buffer;
      p.bodyStart = start;
      p.large = null;
    }
    p.format = mqttFormatTag;
    p.isPersistent = qos > 0;
    p.priority = 0;
    p.ttlMillis = ttlMillis;
    p.waiter = qos > 0 ? connection.acks : null;
    p.cycleGuard = null;
    const exchange = memo.exchange as Exchange;
    let route = memo.route ?? vhost.router.route(exchange, [memo.routingKey], p);
    if (session.hasNoLocal) route = this.#withoutOwn(route, memo.routingKey);
    const { tracer } = vhost;
    if (tracer !== null) tracer.published(session.identity(), exchange, route, p);
    const routed = broker.publisher.publish(vhost, exchange, route, p);
    let reason = 0;
    if (routed === 0) {
      session.counters.droppedUnroutable++;
      connection.traffic.droppedUnroutable++;
      vhost.counters.droppedUnroutable++;
      exchange.counters.droppedUnroutable++;
      reason = reasons.noMatchingSubscribers;
    } else if (p.isRefused) {
      reason = reasons.quotaExceeded;
    }
    if ((flags & 4) !== 0 && !connection.frontEnd.retained.retain(vhost, memo.routingKey, p)) {
      connection.frontEnd.retainedRefused();
      reason = reasons.quotaExceeded;
    }
    if (qos > 0) this.#acknowledge(qos, id, reason);
    const disk = broker.backlogOf(p);
    if (disk.isBehind) connection.intake.holdForDisk(disk);
    p.large = null;
    p.body = nothing;
  }

  #acknowledge(qos: number, id: number, reason: number): void {
    const connection = this.#connection;
    // Older versions have no way to refuse: without an acknowledgement the client tries again.
    if (reason >= 0x80 && !connection.isVersion5) return;
    if (qos === 2 && reason < 0x80) connection.session.deliveries.received(id);
    connection.acks.push(id, qos === 1 ? pubackByte : pubrecByte, reason);
  }

  #refuse(error: BrokerError, qos: number, id: number): void {
    const connection = this.#connection;
    connection.broker.logger.error('connection', `MQTT connection ${connection.name}: ${error.text}`);
    if (connection.frontEnd.options.disconnectOnUnauthorized && error.code === 'ACCESS_REFUSED')
      throw new MqttError(reasons.notAuthorized, error.text);
    if (qos > 0) this.#acknowledge(qos, id, error.code === 'ACCESS_REFUSED' ? reasons.notAuthorized : reasons.unspecified);
  }

  /** Without the session's own queues, where all that matches there refuses its own messages. */
  #withoutOwn(route: Route, routingKey: string): Route {
    const { session } = this.#connection;
    const isOwn = (queue: unknown): boolean => queue === session.queue0 || queue === session.queue1;
    if (!route.queues.some(isOwn) || !session.matches.isOnlyNoLocal(routingKey)) return route;
    return new Route(route.queues.filter(queue => !isOwn(queue)));
  }

  /** Looks into the properties; returns where the payload begins. Nothing is done when they equal the last message's. */
  #readProperties(buffer: Buffer, start: number, end: number, flags: number): number {
    const last = this.#lastProperties;
    const count = last.length;
    if (flags === this.#lastFlags && count > 0 && end - start >= count && equalBytes(last, 0, buffer, start, count)) return start + count;
    const reader = new ByteReader(buffer, start, end);
    const properties = readProperties(reader, 'publish');
    if (properties.subscriptionIds !== undefined) throw protocolError('a subscription identifier from a client');
    const { topicAlias, responseTopic, messageExpirySeconds } = properties;
    if (responseTopic !== undefined && !isTopicName(responseTopic))
      throw new MqttError(reasons.topicNameInvalid, 'the response topic is none');
    this.#alias = topicAlias ?? -1;
    if (topicAlias !== undefined && (topicAlias === 0 || topicAlias > this.#connection.frontEnd.options.topicAliasMax))
      throw new MqttError(reasons.topicAliasInvalid, `topic alias ${topicAlias}`);
    if (this.#alias < 0) this.#alias = 0;
    this.#stored = storedProperties(flags & 3, (flags & 4) !== 0, properties);
    this.#ttlMillis = messageExpirySeconds === undefined ? -1 : messageExpirySeconds * 1000;
    // With an alias they mean something else each time.
    const isKept = topicAlias === undefined && reader.at - start <= rememberedPropertiesMax;
    this.#lastProperties = isKept ? Buffer.from(buffer.subarray(start, reader.at)) : nothing;
    this.#lastFlags = flags;
    return reader.at;
  }

  /** The topic behind an alias, or the one that becomes it. [MQTT 5.0 3.3.2.3.4] */
  #aliased(buffer: Buffer, start: number, end: number): Buffer {
    if (start === end) {
      const topic = this.#aliases?.[this.#alias] ?? null;
      if (topic !== null) return topic;
      if (this.#alias > 0) throw protocolError(`topic alias ${this.#alias} stands for nothing`);
      throw this.#noTopic('an empty topic');
    }
    this.#aliases ??= [];
    this.#aliases[this.#alias] = Buffer.from(buffer.subarray(start, end));
    return buffer;
  }

  #noTopic(text: string): MqttError {
    return new MqttError(this.#connection.isVersion5 ? reasons.topicNameInvalid : reasons.malformedPacket, text);
  }

  /** Looks up permission and route of a topic that is not remembered. @throws MqttError for what is no topic */
  #examine(buffer: Buffer, start: number, end: number): PublishMemo {
    const connection = this.#connection;
    const { vhost, broker, clientId } = connection;
    const { sessions, options } = connection.frontEnd;
    if (!isMqttText(buffer, start, end)) throw malformed('a topic is not UTF-8, or holds U+0000');
    const topic = buffer.toString('utf8', start, end);
    if (!isTopicName(topic, options.topicLevelsMax)) throw this.#noTopic(`the topic '${topic.slice(0, 64)}'`);
    const memo = new PublishMemo(Buffer.allocUnsafe(end - start));
    memo.byteCount = end - start;
    copyBytes(buffer, start, memo.bytes, 0, end - start);
    memo.vhostGeneration = vhost.generation;
    memo.accessGeneration = broker.access.generation;
    memo.routingKey = routingKeyOfTopic(topic, options.sparkplug);
    try {
      // Nobody but the broker speaks there. [MQTT 5.0 4.7.2]
      if (topic.startsWith('$SYS/') || topic.startsWith('$share/')) throw accessRefused(`publishing to topic '${topic}' refused`);
      const exchange = sessions.checkPublish(vhost, connection.user, clientId, memo.routingKey);
      if (exchange.isInternal) throw accessRefused(`cannot publish to internal ${exchangeTerm(exchange.name, vhost.name)}`);
      memo.exchange = exchange;
      memo.envelope = packEnvelope(exchange.name, memo.routingKey);
      memo.route = vhost.router.remembered(exchange, memo.routingKey);
      if (this.#memos.isWorthKeeping()) this.#memos.add(memo);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      memo.error = error;
    }
    return memo;
  }
}
