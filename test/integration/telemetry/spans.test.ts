// Spans of messages, as a collector gets them.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { silentLogger } from '../../../src/core/ports/logger.ts';
import { Broker, type BrokerOptions } from '../../../src/server/broker.ts';
import { startTelemetry, type TelemetryOptions } from '../../../src/telemetry/telemetry.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { MqttDriver } from '../../support/mqtt-driver.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Collector, type ReceivedSpan } from './collector.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const clientSpan = 'b7ad6b7169203331';
const sampled = `00-${traceId}-${clientSpan}-01`;

interface Traced {
  readonly broker: Broker;
  readonly client: AmqpDriver;
  readonly collector: Collector;
}

/** A broker whose messages are told to a collector, and a client with channel 1 open. */
async function traced(t: TestContext, options: Partial<TelemetryOptions> = {}, brokerOptions: BrokerOptions = {}): Promise<Traced> {
  const collector = await Collector.start(t);
  const broker = await Broker.start(brokerOptions);
  const telemetry = startTelemetry(
    broker.core,
    { endpoint: collector.url, headers: {}, serviceName: 'warrenmq', resource: {}, samplingRatio: 0, version: '1.0', ...options },
    silentLogger,
  );
  const client = await AmqpDriver.connect({ port: broker.port });
  t.after(async () => {
    client.destroy();
    await broker.stop();
    await telemetry.stop();
  });
  await client.openChannel(1);
  return { broker, client, collector };
}

async function declare(client: AmqpDriver, queue: string, args = new Map()): Promise<void> {
  const flags = { passive: false, durable: true, exclusive: false, autoDelete: false, nowait: false };
  await client.call(methods.encodeQueueDeclare(1, { queue, ...flags, arguments: args }), methods.QueueDeclareOk);
}

async function consume(client: AmqpDriver, queue: string, noAck = false): Promise<void> {
  const frame = methods.encodeBasicConsume(1, {
    queue,
    consumerTag: `on ${queue}`,
    noLocal: false,
    noAck,
    exclusive: false,
    nowait: false,
    arguments: new Map(),
  });
  await client.call(frame, methods.BasicConsumeOk);
}

function parented(headers: Record<string, string> = { traceparent: sampled }) {
  return { headers: new Map(Object.entries(headers).map(([name, value]) => [name, longstr(value)])) };
}

async function delivered(client: AmqpDriver): Promise<Delivery & { readonly tag: number }> {
  const delivery = await client.nextDelivery();
  assert.ok('deliveryTag' in delivery.args);
  return { ...delivery, tag: delivery.args.deliveryTag };
}

function isWithin(child: ReceivedSpan, parent: ReceivedSpan): boolean {
  return child.traceId === parent.traceId && child.parentSpanId === parent.spanId && child.startNanos >= parent.startNanos;
}

test('a message with a traceparent is told of as publish, route, deliver and settle, each below the one before', async t => {
  const { client, collector } = await traced(t, { serviceName: 'orders-broker', resource: { 'deployment.environment.name': 'test' } });
  await declare(client, 'jobs');
  await consume(client, 'jobs');
  client.publish(1, {
    routingKey: 'jobs',
    properties: { ...parented({ traceparent: sampled, tracestate: 'vendor=1' }), messageId: 'm1', correlationId: 'c1', deliveryMode: 2 },
    body: 'hello',
  });
  const delivery = await delivered(client);
  client.method(methods.encodeBasicAck(1, { deliveryTag: delivery.tag, multiple: false }));

  const [publish, route, deliver, settle] = (await collector.expect(
    'publish amq.default',
    'route amq.default',
    'deliver jobs',
    'settle jobs',
  )) as [ReceivedSpan, ReceivedSpan, ReceivedSpan, ReceivedSpan];
  assert.equal(publish.traceId, traceId);
  assert.equal(publish.parentSpanId, clientSpan);
  assert.equal(publish.traceState, 'vendor=1');
  assert.ok(isWithin(route, publish) && isWithin(deliver, route) && isWithin(settle, deliver));
  assert.ok(settle.startNanos >= deliver.endNanos - 1_000_000n, 'the consumer has it once it is delivered');
  assert.equal(new Set([publish, route, deliver, settle].map(span => span.spanId)).size, 4);
  assert.equal(publish.resource['service.name'], 'orders-broker');
  assert.equal(publish.resource['deployment.environment.name'], 'test');
  assert.equal(publish.attributes['messaging.system'], 'rabbitmq');
  assert.equal(publish.attributes['messaging.destination.name'], 'jobs');
  assert.equal(publish.attributes['messaging.message.body.size'], 5);
  assert.equal(publish.attributes['messaging.message.id'], 'm1');
  assert.equal(publish.attributes['messaging.message.conversation_id'], 'c1');
  assert.equal(publish.attributes['user.name'], 'guest');
  assert.equal(route.attributes['warren.queues'], 'jobs');
  assert.equal(deliver.attributes['warren.redelivered'], false);
  assert.equal(settle.attributes['messaging.operation.name'], 'ack');
  assert.equal(collector.spans.length, 4);
  // Nothing was added: what the consumer gets is what was published.
  const headers = delivery.properties.headers ?? new Map();
  assert.deepEqual([...headers.keys()], ['traceparent', 'tracestate']);
  assert.equal(collector.requests[0]?.url, '/v1/traces');
});

test('a message to several queues has a delivery for each, and one that comes back a second one', async t => {
  const { client, collector } = await traced(t);
  for (const queue of ['a', 'b']) {
    await declare(client, queue, queue === 'b' ? new Map([['x-queue-type', longstr('quorum')]]) : new Map());
    await client.call(
      methods.encodeQueueBind(1, { queue, exchange: 'amq.fanout', routingKey: '', nowait: false, arguments: new Map() }),
      methods.QueueBindOk,
    );
  }
  client.publish(1, { exchange: 'amq.fanout', routingKey: 'k', properties: parented() });
  await consume(client, 'a', true);
  await client.nextDelivery();
  await consume(client, 'b');
  const first = await delivered(client);
  client.method(methods.encodeBasicNack(1, { deliveryTag: first.tag, multiple: false, requeue: true }));
  const second = await delivered(client);
  client.method(methods.encodeBasicAck(1, { deliveryTag: second.tag, multiple: true }));

  const [route, toA, toB, requeue, again, ack] = (await collector.expect(
    'route amq.fanout',
    'deliver a',
    'deliver b',
    'settle b',
    'deliver b',
    'settle b',
  )) as ReceivedSpan[] as [ReceivedSpan, ReceivedSpan, ReceivedSpan, ReceivedSpan, ReceivedSpan, ReceivedSpan];
  for (const span of [toA, toB, again]) assert.ok(isWithin(span, route));
  assert.ok(isWithin(requeue, toB) && isWithin(ack, again));
  assert.equal(toA.attributes['warren.automatic_ack'], true);
  assert.equal(requeue.attributes['messaging.operation.name'], 'requeue');
  assert.equal(again.attributes['warren.redelivered'], true);
  assert.ok(again.startNanos >= requeue.endNanos - 1_000_000n, 'its time in the queue begins anew');
  assert.equal(route.attributes['warren.queue_count'], 2);
});

test('priorities do not mix messages up, and basic.get is a delivery too', async t => {
  const { client, collector } = await traced(t);
  await declare(client, 'jobs', new Map([['x-max-priority', { type: 'I', value: 5 }]]));
  const parents = ['1', '2', '3'].map(digit => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
  parents.forEach((traceparent, index) => {
    client.publish(1, { routingKey: 'jobs', properties: { ...parented({ traceparent }), priority: [1, 5, 1][index] ?? 0 }, body: 'same' });
  });
  for (let count = 0; count < 3; count++) {
    const get = await client.call(methods.encodeBasicGet(1, { queue: 'jobs', noAck: false }), methods.BasicGetOk);
    client.method(methods.encodeBasicAck(1, { deliveryTag: get.deliveryTag, multiple: false }));
  }
  await collector.expect('settle jobs', 'settle jobs', 'settle jobs');
  const order = collector.spans.filter(span => span.name === 'deliver jobs').map(span => span.traceId[0]);
  assert.deepEqual(order, ['2', '1', '3']);
  for (const span of collector.spans.filter(({ name }) => name === 'settle jobs')) {
    const deliver = collector.spans.find(({ spanId }) => spanId === span.parentSpanId);
    assert.ok(deliver !== undefined && isWithin(span, deliver));
  }
});

test('what is not sampled is not told of: by its parent, or by the ratio', async t => {
  const { client, collector } = await traced(t, { samplingRatio: 0 });
  await declare(client, 'jobs');
  await consume(client, 'jobs', true);
  client.publish(1, { routingKey: 'jobs', properties: parented({ traceparent: `00-${traceId}-${clientSpan}-00` }) });
  client.publish(1, { routingKey: 'jobs', properties: parented({ traceparent: 'nonsense' }) });
  client.publish(1, { routingKey: 'jobs' });
  for (let count = 0; count < 3; count++) await client.nextDelivery();
  client.publish(1, { routingKey: 'jobs', properties: parented() });
  await collector.expect('publish amq.default', 'route amq.default', 'deliver jobs');
  assert.equal(collector.spans.length, 3);
  assert.ok(collector.spans.every(span => span.traceId === traceId));
});

test('with a ratio of 1 every message begins a trace of its own', async t => {
  const { client, collector } = await traced(t, { samplingRatio: 1 });
  client.publish(1, { exchange: 'amq.topic', routingKey: 'nobody.listens' });
  client.publish(1, { exchange: 'amq.topic', routingKey: 'nobody.listens' });
  const spans = await collector.expect('publish amq.topic', 'publish amq.topic', 'route amq.topic', 'route amq.topic');
  assert.equal(new Set(spans.map(span => span.traceId)).size, 2);
  assert.equal(spans[0]?.parentSpanId, '');
  assert.equal(spans[2]?.attributes['warren.unroutable'], true);
});

test('a message from before, and a dead letter, hang below the span of their publisher', async t => {
  const { client, collector } = await traced(t);
  await declare(client, 'parking');
  const arguments_ = new Map([
    ['x-dead-letter-exchange', longstr('')],
    ['x-dead-letter-routing-key', longstr('parking')],
  ]);
  await declare(client, 'jobs', arguments_);
  client.publish(1, { routingKey: 'jobs', properties: parented(), body: 'x' });
  const get = await client.call(methods.encodeBasicGet(1, { queue: 'jobs', noAck: false }), methods.BasicGetOk);
  client.method(methods.encodeBasicReject(1, { deliveryTag: get.deliveryTag, requeue: false }));
  await consume(client, 'parking');
  const dead = await delivered(client);
  client.method(methods.encodeBasicAck(1, { deliveryTag: dead.tag, multiple: false }));
  const [reject, deliver, settle] = await collector.expect('settle jobs', 'deliver parking', 'settle parking');
  assert.equal(reject?.attributes['messaging.operation.name'], 'reject');
  assert.equal(deliver?.parentSpanId, clientSpan);
  assert.equal(settle?.parentSpanId, deliver?.spanId);
});

test('the trace goes on where a message changes the protocol', async t => {
  const { broker, client, collector } = await traced(t, {}, { listeners: [{}, { protocol: 'mqtt' }, { protocol: 'stomp' }] });
  const portOf = (protocol: string): number => broker.listeners.find(({ options }) => options.protocol === protocol)?.port ?? 0;
  const mqtt = await MqttDriver.connect(portOf('mqtt'), {});
  const stomp = await StompDriver.connect(portOf('stomp'));
  t.after(() => {
    mqtt.destroy();
    stomp.destroy();
  });
  await mqtt.subscribe('jobs/in', 1);
  await declare(client, 'jobs');
  await client.call(
    methods.encodeQueueBind(1, { queue: 'jobs', exchange: 'amq.topic', routingKey: 'jobs.in', nowait: false, arguments: new Map() }),
    methods.QueueBindOk,
  );
  stomp.send('SEND', { destination: '/topic/jobs.in', traceparent: sampled }, 'by STOMP');
  const publish = await mqtt.next('publish');
  mqtt.ack('puback', publish.packetId);
  await consume(client, 'jobs', true);
  await client.nextDelivery();
  await waitUntil(() => collector.spans.filter(span => span.name.startsWith('settle mqtt-')).length === 1);
  const [route] = await collector.expect('route amq.topic', 'publish amq.topic', 'deliver jobs');
  const settle = collector.spans.find(span => span.name.startsWith('settle mqtt-'));
  const deliver = collector.spans.find(span => span.spanId === settle?.parentSpanId);
  assert.ok(route !== undefined && deliver !== undefined && isWithin(deliver, route));
  assert.ok(collector.spans.every(span => span.traceId === traceId));
});

test('the firehose and spans do not get in each other’s way', async t => {
  const { broker, client, collector } = await traced(t);
  const vhost = broker.core.vhosts.get('/');
  assert.ok(vhost !== undefined);
  vhost.isTracing = true;
  await declare(client, 'trace');
  await client.call(
    methods.encodeQueueBind(1, { queue: 'trace', exchange: 'amq.rabbitmq.trace', routingKey: '#', nowait: false, arguments: new Map() }),
    methods.QueueBindOk,
  );
  await declare(client, 'jobs');
  client.publish(1, { routingKey: 'jobs', properties: parented() });
  await collector.expect('publish amq.default', 'route amq.default');
  await waitUntil(() => vhost.queues.get('trace')?.readyCount === 1);
  vhost.isTracing = false;
  client.publish(1, { routingKey: 'jobs', properties: parented() });
  await collector.expect('publish amq.default', 'publish amq.default');
  assert.equal(vhost.queues.get('trace')?.readyCount, 1);
  broker.core.virtualHosts.observe(null);
  assert.equal(vhost.tracer, null);
});

test('a broker started with OTEL_EXPORTER_OTLP_ENDPOINT sends spans there, the last ones as it stops', async t => {
  const collector = await Collector.start(t);
  const warren = await WarrenProcess.start(t, {
    dataDir: temporaryDirectory(t),
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-team=orders',
      OTEL_SERVICE_NAME: 'by-environment',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_TRACES_SAMPLER_ARG: '1',
    },
  });
  await warren.logged(/Spans of messages go to http:.*\/base\/v1\/traces/);
  const client = await AmqpDriver.connect({ port: warren.port });
  t.after(() => client.destroy());
  await client.openChannel(1);
  client.publish(1, { exchange: 'amq.direct', routingKey: 'k', properties: { deliveryMode: 2 } });
  await client.end();
  assert.equal((await warren.stop()).code, 0);
  const [publish] = await collector.expect('publish amq.direct');
  assert.equal(publish?.resource['service.name'], 'by-environment');
  assert.equal(publish?.resource['deployment.environment.name'], 'test');
  assert.equal(collector.requests[0]?.url, '/base/v1/traces');
  assert.equal(collector.requests[0]?.headers.authorization, 'Bearer abc');
  assert.equal(collector.requests[0]?.headers['x-team'], 'orders');
  assert.ok(!warren.output.includes('Bearer'));
});

test('without an endpoint nothing of it is there', async t => {
  const warren = await WarrenProcess.start(t, { dataDir: null, env: { OTEL_SERVICE_NAME: 'x', OTEL_SDK_DISABLED: 'false' } });
  assert.ok(!warren.output.includes('Spans'));
  const disabled = await WarrenProcess.start(t, {
    dataDir: null,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
  });
  assert.ok(!disabled.output.includes('Spans'));
});
