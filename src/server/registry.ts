// Everything that can be plugged in, by name: an import and a line each.
import type { ExchangeType } from '../core/exchanges/exchange-type.ts';
import { consistentHash } from '../core/exchanges/consistent-hash.ts';
import { delayedMessage } from '../core/exchanges/delayed-message.ts';
import { direct } from '../core/exchanges/direct.ts';
import { fanout } from '../core/exchanges/fanout.ts';
import { headers } from '../core/exchanges/headers.ts';
import { localRandom } from '../core/exchanges/local-random.ts';
import { messageDeduplication } from '../core/exchanges/message-deduplication.ts';
import { modulusHash } from '../core/exchanges/modulus-hash.ts';
import { random } from '../core/exchanges/random.ts';
import { recentHistory } from '../core/exchanges/recent-history.ts';
import { topic } from '../core/exchanges/topic.ts';
import type { MessageFormat } from '../core/ports/message-format.ts';
import { classicQueueType } from '../core/queues/classic-queue-type.ts';
import { quorumQueueType } from '../core/queues/quorum-queue-type.ts';
import type { QueueType } from '../core/queues/queue-type.ts';
import { retainedQueueType } from '../core/retained/retained-queue-type.ts';
import { streamQueueType } from '../core/queues/stream/stream-queue-type.ts';
import { amqp091Format } from '../protocols/amqp091/amqp-format.ts';
import { mqttFormat } from '../protocols/mqtt/mqtt-format.ts';
import type { ProtocolLoader } from './protocol-front-end.ts';

export const exchangeTypes: readonly ExchangeType[] = [
  direct,
  fanout,
  topic,
  headers,
  consistentHash,
  modulusHash,
  random,
  localRandom,
  recentHistory,
  delayedMessage,
  messageDeduplication,
];
export const queueTypes: readonly QueueType[] = [classicQueueType, quorumQueueType, streamQueueType, retainedQueueType];
export const messageFormats: readonly MessageFormat[] = [amqp091Format, mqttFormat];
/** Protocols besides AMQP 0-9-1, by the names that listeners have for them. */
export const protocols: ReadonlyMap<string, ProtocolLoader> = new Map<string, ProtocolLoader>([
  [
    'mqtt',
    async ({ core, auth, options }) => {
      const { FrontEnd } = await import('../protocols/mqtt/front-end.ts');
      return new FrontEnd(core, auth, options.mqtt);
    },
  ],
  [
    'stomp',
    async ({ core, auth, options }) => new (await import('../protocols/stomp/front-end.ts')).StompFrontEnd(core, auth, options.stomp),
  ],
]);
