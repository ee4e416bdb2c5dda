import type { Consumer } from '../../core/consumer.ts';
import type { Channel } from './channel.ts';

/**
 * How long a delivery to the consumer may wait for its acknowledgement: what the consumer asked for (x-consumer-timeout), its queue says by
 * argument or policy, or the broker's default. Infinity: for ever. [RabbitMQ docs: delivery acknowledgement timeout]
 */
function timeoutOf(consumer: Consumer, defaultMillis: number): number {
  const { settings } = consumer.queue;
  const millis = consumer.ackTimeoutMillis > 0 ? consumer.ackTimeoutMillis : settings.consumerTimeoutMillis;
  if (millis > 0) return millis;
  return defaultMillis > 0 ? defaultMillis : Infinity;
}

/** The timeout that a delivery of the channel has exceeded, in milliseconds; 0 when none has. */
export function exceededTimeout(channel: Channel, nowMillis: number): number {
  const { unacked } = channel;
  // What is being settled is not waited for.
  if (unacked.count === 0 || channel.settling.isUnderWay) return 0;
  const defaultMillis = channel.connection.broker.settings.consumerTimeoutMillis;
  let leastMillis = defaultMillis > 0 ? defaultMillis : Infinity;
  for (const consumer of channel.consumers.values()) leastMillis = Math.min(leastMillis, timeoutOf(consumer, defaultMillis));
  for (const consumer of channel.getters?.values() ?? []) leastMillis = Math.min(leastMillis, timeoutOf(consumer, defaultMillis));
  let exceeded = 0;
  unacked.someDeliveredBefore(nowMillis - leastMillis, (consumer, deliveredMillis) => {
    const millis = timeoutOf(consumer, defaultMillis);
    if (nowMillis - deliveredMillis > millis) exceeded = millis;
    return exceeded > 0;
  });
  return exceeded;
}
