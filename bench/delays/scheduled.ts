import { int, longstr } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import type { BrokerCore } from '../../src/core/broker.ts';
import type { Exchange } from '../../src/core/exchanges/exchange.ts';
import { packEnvelope } from '../../src/core/messages/envelope.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';

/** An exchange that holds messages, and a queue behind it. */
export interface Scheduled {
  readonly vhost: Vhost;
  readonly exchange: Exchange;
  readonly queue: Queue;
  readonly publish: (delayMillis: number, body: Buffer, isPersistent: boolean) => void;
}

export function scheduled(core: BrokerCore): Scheduled {
  const vhost = core.vhosts.get('/') ?? core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
  const declaration = { isDurable: true, isAutoDelete: false, arguments: new Map() };
  const args = new Map([['x-delayed-type', longstr('fanout')]]);
  const exchange = core.topology.declareExchange(
    vhost,
    'x-delayed-message',
    { ...declaration, name: 'later', isInternal: false, arguments: args },
    brokerActor,
  );
  const queue = core.topology.declareQueue(vhost, { ...declaration, name: 'q', owner: null }, brokerActor);
  core.topology.bind(vhost, 'later', 'queue', 'q', '', new Map(), brokerActor);
  return {
    vhost,
    exchange,
    queue,
    publish: (delayMillis, body, isPersistent) => {
      const p = new Publication();
      p.envelope = packEnvelope('later', '');
      p.envelopeBytes = p.envelope.length;
      const headers = new Map([['x-delay', int(delayMillis)]]);
      p.properties = encodeProperties({ deliveryMode: isPersistent ? 2 : 1, headers });
      p.propertiesBytes = p.properties.length;
      p.body = body;
      p.bodyBytes = body.length;
      p.format = amqp091FormatTag;
      p.isPersistent = isPersistent;
      core.publisher.publish(vhost, exchange, vhost.router.route(exchange, [''], p), p);
    },
  };
}
