import { BrokerError } from '../../core/broker-error.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { mqtt31, reasons } from '../../wire/mqtt/constants.ts';
import { encodePacket } from '../../wire/mqtt/encode.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import type { SubscribePacket, Subscription as Wanted, UnsubscribePacket } from '../../wire/mqtt/packets.ts';
import type { Connection } from './connection.ts';
import { Subscription } from './subscription.ts';
import { isSubscribable } from './topics.ts';

/** What MQTT 3.1.1 has for all that goes wrong. */
const failure = 0x80;

/** Acts on SUBSCRIBE: each filter by itself, one answer for all. [MQTT 5.0 3.8] */
export function onSubscribe(connection: Connection, packet: SubscribePacket): void {
  const { session, frontEnd, isVersion5 } = connection;
  connection.intake.worked(packet.subscriptions.length, connection.broker.turn);
  const id = packet.properties.subscriptionIds?.[0] ?? 0;
  const answers: number[] = [];
  const retained: { subscription: Subscription; queue: Queue }[] = [];
  for (const wanted of packet.subscriptions) {
    const wasThere = session.subscriptions.has(wanted.filter);
    const refusal = refusalOf(connection, wanted, wasThere);
    if (refusal !== null) {
      answers.push(refused(connection, refusal.reason, refusal.text));
      continue;
    }
    const subscription = new Subscription(wanted, id, frontEnd.options.sparkplug);
    try {
      const queue = frontEnd.sessions.subscribe(session, subscription);
      answers.push(wanted.qos);
      const wantsRetained = wanted.retainHandling === 0 || (wanted.retainHandling === 1 && !wasThere);
      if (wantsRetained && subscription.group === null) retained.push({ subscription, queue });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      answers.push(refused(connection, reasonOf(error), error.text));
    }
  }
  const reply = encodePacket({ name: 'suback', packetId: packet.packetId, reasons: answers, properties: {} }, connection.version);
  connection.reply(reply);
  if (!isVersion5 && connection.version === mqtt31 && answers.includes(failure))
    throw new MqttError(reasons.notAuthorized, 'a subscription was refused');
  for (const { subscription, queue } of retained) frontEnd.sessions.sendRetained(session, subscription, queue);
}

/** Acts on UNSUBSCRIBE. [MQTT 5.0 3.10] */
export function onUnsubscribe(connection: Connection, packet: UnsubscribePacket): void {
  const { session, frontEnd } = connection;
  const answers = packet.filters.map(filter => {
    if (!isSubscribable(filter, frontEnd.options.topicLevelsMax))
      return refused(connection, reasons.topicFilterInvalid, `the topic filter '${filter.slice(0, 64)}'`);
    return frontEnd.sessions.unsubscribe(session, filter) ? reasons.success : reasons.noSubscriptionExisted;
  });
  connection.reply(encodePacket({ name: 'unsuback', packetId: packet.packetId, reasons: answers, properties: {} }, connection.version));
}

function refusalOf(connection: Connection, wanted: Wanted, wasThere: boolean): { reason: number; text: string } | null {
  const { session, frontEnd } = connection;
  if (!isSubscribable(wanted.filter, frontEnd.options.topicLevelsMax))
    return { reason: reasons.topicFilterInvalid, text: `the topic filter '${wanted.filter.slice(0, 64)}'` };
  const { subscriptionsMax } = frontEnd.options;
  if (!wasThere && session.subscriptions.size >= subscriptionsMax)
    return { reason: reasons.quotaExceeded, text: `more than ${subscriptionsMax} subscriptions` };
  return null;
}

function refused(connection: Connection, reason: number, text: string): number {
  connection.broker.logger.error('connection', `MQTT connection ${connection.name}, client '${connection.clientId}': ${text}`);
  return connection.isVersion5 ? reason : failure;
}

function reasonOf(error: BrokerError): number {
  switch (error.code) {
    case 'ACCESS_REFUSED':
      return reasons.notAuthorized;
    case 'PRECONDITION_FAILED':
      return error.text.includes('limit') ? reasons.quotaExceeded : reasons.implementationSpecific;
    default:
      return reasons.unspecified;
  }
}
