import { type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import * as requests from '../../support/amqp-requests.ts';
import type { FastClient } from '../../support/fast-client.ts';
import type { Site } from './site.ts';
import { barrierTopic, type CampaignQueue, delayExchange, fanoutExchange, nameOf, queueNumbers, queues, routes } from './topology.ts';
import { subscribe } from './work/mqtt.ts';

/** Declares what the campaign works with; equal declarations of what is there change nothing. */
export async function declareTopology(site: Site): Promise<void> {
  const client = await site.amqp();
  await client.openChannel(1);
  await client.call(requests.exchangeDeclare(1, { exchange: fanoutExchange, type: 'fanout', durable: true }));
  for (const queue of queues) if (queue.access !== 'session' && site.has(queue.kind)) await client.call(declaration(queue));
  for (const number of routes.fan.queues) await bind(client, number, fanoutExchange, '');
  if (site.has('delay')) {
    const args: FieldTable = new Map([['x-delayed-type', longstr('direct')]]);
    await client.call(requests.exchangeDeclare(1, { exchange: delayExchange, type: 'x-delayed-message', durable: true, arguments: args }));
    await bind(client, queueNumbers.held, delayExchange, routes.heldShortly.routingKey);
  }
  await bind(client, queueNumbers.barrier, 'amq.topic', barrierTopic.replace('/', '.'));
  client.destroy();
  if (site.has('mqtt-1')) await subscribe(site, site.memory.mqtt[1]);
  if (site.has('mqtt-2')) await subscribe(site, site.memory.mqtt[2]);
}

function bind(client: FastClient, number: number, exchange: string, routingKey: string): Promise<Buffer> {
  return client.call(requests.queueBind(1, { queue: nameOf(number), exchange, routingKey }));
}

function declaration(queue: CampaignQueue): Buffer {
  const args: FieldTable = new Map(queue.arguments);
  if (queue.ttlMillis > 0) args.set('x-message-ttl', long(queue.ttlMillis));
  const target = queues[queue.deadLetterQueue];
  if (target !== undefined) {
    args.set('x-dead-letter-exchange', longstr(''));
    args.set('x-dead-letter-routing-key', longstr(target.name));
  }
  return requests.queueDeclare(1, { queue: queue.name, durable: true, arguments: args });
}
