// A broker with some life in it: a small shop's exchanges and queues, clients, dead letters.
import { longstr } from '../../../src/base/field-table.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import * as requests from '../../support/amqp-requests.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { ManagedBroker } from '../../integration/management/with-management.ts';

export interface Shop {
  readonly client: AmqpDriver;
  close(): void;
}

/** Fills a broker. The client that is left has two consumers, one of which holds messages. */
export async function openShop({ broker, http }: ManagedBroker): Promise<Shop> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const { status, text } = await http.put(`/api/${path}`, body);
    if (status >= 300) throw new Error(`PUT ${path}: ${status} ${text}`);
  };
  const post = async (path: string, body: unknown): Promise<void> => {
    const { status, text } = await http.post(`/api/${path}`, body);
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${text}`);
  };
  await put('vhosts/staging', { description: 'for rehearsals' });
  await put('permissions/staging/guest', { configure: '.*', write: '.*', read: '.*' });
  await put('users/ada', { password: 'ada', tags: 'monitoring,policymaker' });
  await put('permissions/%2F/ada', { configure: '^ada', write: '.*', read: '.*' });
  await put('topic-permissions/%2F/ada', { exchange: 'events', write: '^order', read: '.*' });
  await put('vhost-limits/staging/max-queues', { value: 50 });
  await put('user-limits/ada/max-connections', { value: 5 });
  await put('policies/%2F/retry-limit', { pattern: '^orders', definition: { 'max-length': 5000 }, priority: 1, 'apply-to': 'queues' });
  await put('operator-policies/%2F/ceiling', {
    pattern: '.*',
    definition: { 'max-length-bytes': 10_000_000 },
    priority: 0,
    'apply-to': 'queues',
  });
  await put('exchanges/%2F/events', { type: 'topic', durable: true });
  await put('exchanges/%2F/dead', { type: 'fanout', durable: true });
  await put('exchanges/%2F/audit', { type: 'fanout', durable: true, internal: true });
  await put('queues/%2F/orders', { durable: true, arguments: { 'x-dead-letter-exchange': 'dead', 'x-message-ttl': 3_600_000 } });
  await put('queues/%2F/invoices', { durable: true, arguments: { 'x-dead-letter-exchange': 'dead' } });
  await put('queues/%2F/emails', { durable: false, arguments: { 'x-max-priority': 5 } });
  await put('queues/%2F/graveyard', { durable: true });
  await put('queues/%2F/everything', { durable: true });
  await post('bindings/%2F/e/events/q/orders', { routing_key: 'order.*.created' });
  await post('bindings/%2F/e/events/q/invoices', { routing_key: 'order.#' });
  await post('bindings/%2F/e/events/q/emails', { routing_key: '*.*.created' });
  await post('bindings/%2F/e/events/e/audit', { routing_key: '#' });
  await post('bindings/%2F/e/audit/q/everything', { routing_key: '' });
  await post('bindings/%2F/e/dead/q/graveyard', { routing_key: '' });
  const client = await AmqpDriver.connect({
    port: broker.port,
    clientProperties: new Map([
      ['connection_name', longstr('billing-worker')],
      ['product', longstr('shop')],
    ]),
  });
  await client.openChannel(1);
  for (let i = 0; i < 40; i++) {
    client.publish(1, {
      exchange: 'events',
      routingKey: `order.${i % 4}.created`,
      body: JSON.stringify({ id: i, customer: `customer ${i % 7}`, lines: [{ sku: 'A-1', count: i }] }),
      properties: { contentType: 'application/json', deliveryMode: 2, messageId: `m-${i}` },
    });
  }
  client.publish(1, { routingKey: 'emails', body: Buffer.from([0, 1, 2, 253, 254, 255]) });
  await client.call(requests.confirmSelect(1), methods.ConfirmSelectOk);
  // Some orders are rejected, and die.
  for (let i = 0; i < 6; i++) {
    client.method(requests.basicGet(1, i < 4 ? 'orders' : 'invoices'));
    const delivery = await client.nextDelivery(1);
    if (delivery.kind !== 'get-ok') throw new Error(`not a get-ok but ${delivery.kind}`);
    client.method(requests.basicReject(1, delivery.args.deliveryTag, false));
  }
  await client.openChannel(2);
  client.method(requests.basicQos(2, 10));
  await client.expect(methods.BasicQosOk, 2);
  await client.call(requests.basicConsume(2, { queue: 'invoices', consumerTag: 'billing' }), methods.BasicConsumeOk);
  await client.call(requests.basicConsume(2, { queue: 'emails', consumerTag: 'mailer' }), methods.BasicConsumeOk);
  return { client, close: () => client.destroy() };
}
