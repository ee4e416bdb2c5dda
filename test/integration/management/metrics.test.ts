import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { overviewMetrics, raftMetrics } from '../../../conformance/monitoring/dashboard-metrics.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

interface RecordedFamily {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', 'prometheus-3.10.recorded.json'), 'utf8')) as Record<
  string,
  readonly RecordedFamily[]
>;

/** Series of things that this broker does not have. */
const absent = [/^rabbitmq_global_stream_error_/, /_auth_attempts_detailed_/];

/** The series of a page: value by name and labels, and the type of each name. */
class Page {
  readonly types = new Map<string, string>();
  readonly values = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const type = /^# TYPE (\S+) (\S+)$/.exec(line);
      if (type !== null) {
        assert.ok(!this.types.has(type[1] as string), `${type[1]} is there twice`);
        this.types.set(type[1] as string, type[2] as string);
      }
      if (line === '' || line.startsWith('#')) continue;
      const series = /^([a-zA-Z_:][\w:]*(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})?) (NaN|[+-]Inf|-?[\d.e+-]+)$/.exec(line);
      assert.ok(series !== null, `no series: ${line}`);
      assert.ok(!this.values.has(series[1] as string), `${series[1]} is there twice`);
      this.values.set(series[1] as string, Number(series[2]));
    }
  }

  labelsOf(name: string): string[] {
    for (const series of this.values.keys()) {
      if (series.startsWith(`${name}{`)) return [...series.matchAll(/(\w+)="/g)].map(match => match[1] as string);
    }
    return [];
  }

  value(series: string): number {
    const value = this.values.get(series);
    assert.ok(value !== undefined, `${series} is missing`);
    return value;
  }
}

async function scrape(port: number, path: string): Promise<Page> {
  const http = new HttpClient(port);
  const answer = await http.get(path, { user: null });
  http.close();
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  return new Page(answer.text);
}

const allFamilies = [
  'queue_coarse_metrics',
  'queue_consumer_count',
  'queue_metrics',
  'connection_coarse_metrics',
  'connection_metrics',
  'connection_churn_metrics',
  'channel_metrics',
  'channel_exchange_metrics',
  'channel_queue_metrics',
  'channel_queue_exchange_metrics',
  'node_metrics',
  'ra_metrics',
  'auth_attempt_metrics',
  'vhost_status',
  'exchange_bindings',
  'exchange_names',
];

test("every series of RabbitMQ 3.10 is there under its name, with its type; an object's series have its labels", async () => {
  await withManagement({}, async ({ broker, management }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    const detailed = `/metrics/detailed?${allFamilies.map(family => `family=${family}`).join('&')}`;
    const problems: string[] = [];
    for (const [path, families] of Object.entries(recorded)) {
      const page = await scrape(management.metricsPort, path === '/metrics/detailed' ? detailed : path);
      for (const { name, type, labels } of families) {
        if (absent.some(pattern => pattern.test(name))) continue;
        const own = page.types.get(name);
        if (own !== type) problems.push(`${path} ${name}: ${own ?? 'missing'} in place of ${type}`);
        const isOfQueue = labels[0] === 'vhost' && labels[1] === 'queue' && !name.includes('_raft_');
        if (isOfQueue) assert.deepEqual(page.labelsOf(name), labels, name);
      }
    }
    assert.deepEqual(problems, []);
    await client.end();
  });
});

test("every metric that a panel of RabbitMQ's dashboards asks for is on the page that is scraped by default", async () => {
  await withManagement({}, async ({ management }) => {
    const { types } = await scrape(management.metricsPort, '/metrics');
    const isThere = (metric: string): boolean => types.has(metric) || types.has(metric.replace(/_(?:bucket|count|sum)$/, ''));
    assert.deepEqual(
      [...overviewMetrics, ...raftMetrics].filter(metric => !isThere(metric)),
      [],
    );
  });
});

test('counters count, also what deleted queues and closed channels have counted', async () => {
  await withManagement({}, async ({ broker, management }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    for (let i = 0; i < 10; i++) client.publish(1, { routingKey: 'q', body: 'x' });
    client.publish(1, { routingKey: 'nowhere', body: 'x' });
    client.send(methods.encodeBasicGet(1, { queue: 'q', noAck: true }));
    await client.nextDelivery(1);
    const before = await scrape(management.metricsPort, '/metrics');
    assert.equal(before.value('rabbitmq_queue_messages_ready'), 9);
    assert.equal(before.value('rabbitmq_queues'), 1);
    assert.equal(before.value('rabbitmq_channels'), 1);
    assert.equal(before.value('rabbitmq_connections'), 1);
    assert.equal(before.value('rabbitmq_channel_messages_published_total'), 11);
    assert.equal(before.value('rabbitmq_queue_messages_published_total'), 10);
    assert.equal(before.value('rabbitmq_channel_get_total'), 1);
    assert.equal(before.value('rabbitmq_channel_messages_unroutable_dropped_total'), 1);
    assert.equal(before.value('warrenmq_messages_unroutable_total'), 1);
    const type = 'protocol="amqp091",queue_type="rabbit_classic_queue"';
    assert.equal(before.value(`rabbitmq_global_messages_delivered_get_auto_ack_total{${type}}`), 1);
    const { tick } = management.statistics;
    await waitUntil(() => management.statistics.tick > tick + 1);
    await client.call(methods.encodeQueueDelete(1, { queue: 'q', ifUnused: false, ifEmpty: false, nowait: false }), methods.QueueDeleteOk);
    await client.end();
    await waitUntil(() => broker.core.connections.size === 0);
    const after = await scrape(management.metricsPort, '/metrics');
    assert.equal(after.value('rabbitmq_queue_messages_ready'), 0);
    assert.equal(after.value('rabbitmq_channel_messages_published_total'), 11);
    assert.equal(after.value('rabbitmq_queue_messages_published_total'), 10);
    assert.equal(after.value('rabbitmq_channel_get_total'), 1);
    assert.equal(after.value('rabbitmq_queues_deleted_total'), 1);
    assert.equal(after.value('rabbitmq_channels_closed_total'), 1);
  });
});

test('each page tells which it is, and what its queues are', async () => {
  await withManagement({}, async ({ management, http }) => {
    await http.put('/api/queues/%2F/q', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    const info = 'queue_info{vhost="/",queue="q",queue_type="rabbit_quorum_queue",membership="leader"}';
    for (const [path, endpoint, series] of [
      ['/metrics', 'aggregated', null],
      ['/metrics/per-object', 'per-object', `rabbitmq_${info}`],
      ['/metrics/detailed?family=queue_coarse_metrics', 'detailed', `rabbitmq_detailed_${info}`],
      ['/metrics/memory-breakdown', 'memory-breakdown', null],
    ] as const) {
      const page = await scrape(management.metricsPort, path);
      const identities = [...page.values.keys()].filter(name => name.startsWith('rabbitmq_identity_info{'));
      assert.equal(identities.length, 1, path);
      assert.ok(identities[0]?.includes(`rabbitmq_endpoint="${endpoint}"`), identities[0]);
      if (series !== null) assert.equal(page.value(series), 1);
      else assert.ok(![...page.types.keys()].some(name => name.endsWith('queue_info')), path);
    }
  });
});

test('sizes of messages are counted in the classes that dashboards show', async () => {
  await withManagement({}, async ({ broker, management }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    for (const size of [0, 100, 101, 70_000, 300_000]) client.publish(1, { routingKey: 'q', body: 'x'.repeat(size) });
    await client.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk);
    const page = await scrape(management.metricsPort, '/metrics');
    const name = 'rabbitmq_message_size_bytes';
    assert.equal(page.types.get(name), 'histogram');
    const upTo = (bound: string): number => page.value(`${name}_bucket{protocol="amqp091",le="${bound}"}`);
    assert.deepEqual(['100', '1000', '10000', '100000', '1000000', '100000000', '+Inf'].map(upTo), [2, 3, 3, 4, 5, 5, 5]);
    assert.equal(page.value(`${name}_count{protocol="amqp091"}`), 5);
    assert.equal(page.value(`${name}_sum{protocol="amqp091"}`), 370_201);
    await client.end();
  });
});

test('dead letters are counted by reason and strategy, also those of deleted queues', async () => {
  await withManagement({}, async ({ broker, management, http }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    const [dead, safe] = ['dead', 'safe'];
    await http.put(`/api/queues/%2F/${dead}`, { durable: true });
    const lettering = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
    await http.put('/api/queues/%2F/short', { durable: true, arguments: { 'x-max-length': 1, ...lettering } });
    await http.put('/api/queues/%2F/dropping', { durable: true, arguments: { 'x-max-length': 1 } });
    await http.put(`/api/queues/%2F/${safe}`, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': 0,
        'x-overflow': 'reject-publish',
        'x-dead-letter-strategy': 'at-least-once',
        ...lettering,
      },
    });
    for (const routingKey of ['short', 'short', 'short', 'dropping', 'dropping', safe]) client.publish(1, { routingKey, body: 'x' });
    client.send(methods.encodeBasicGet(1, { queue: safe, noAck: false }));
    const got = await client.nextDelivery(1);
    assert.ok(got.kind === 'get-ok');
    client.send(methods.encodeBasicReject(1, { deliveryTag: got.args.deliveryTag, requeue: true }));
    await waitUntil(async () => ((await http.get(`/api/queues/%2F/${dead}?columns=messages`)).json as { messages: number }).messages === 3);
    await http.delete('/api/queues/%2F/short');
    const page = await scrape(management.metricsPort, '/metrics');
    const count = (reason: string, type: string, strategy: string): number =>
      page.value(
        `rabbitmq_global_messages_dead_lettered_${reason}_total{queue_type="rabbit_${type}_queue",dead_letter_strategy="${strategy}"}`,
      );
    assert.equal(count('maxlen', 'classic', 'at_most_once'), 2);
    assert.equal(count('maxlen', 'classic', 'disabled'), 1);
    assert.equal(count('delivery_limit', 'quorum', 'at_least_once'), 1);
    assert.equal(count('confirmed', 'quorum', 'at_least_once'), 1);
    assert.equal(count('expired', 'quorum', 'at_least_once'), 0);
    await client.end();
  });
});

test('hostile names are escaped', async () => {
  await withManagement({}, async ({ broker, management }) => {
    const vhost = broker.core.vhosts.get('/');
    assert.ok(vhost !== undefined);
    const name = 'a"b\\c\nd{}';
    const declaration = { name, isDurable: false, isAutoDelete: false, owner: null, arguments: new Map() };
    broker.core.topology.declareQueue(vhost, declaration, { user: '', owner: null, isBroker: true });
    const page = await scrape(management.metricsPort, '/metrics/per-object');
    assert.equal(page.value(String.raw`rabbitmq_queue_messages{vhost="/",queue="a\"b\\c\nd{}"}`), 0);
  });
});

test('/metrics/detailed has what is asked for, of the vhosts asked for', async () => {
  await withManagement({}, async ({ broker, management, http }) => {
    await http.put('/api/vhosts/other', {});
    await http.put('/api/queues/%2F/one', {});
    await http.put('/api/queues/other/two', {});
    const page = await scrape(management.metricsPort, '/metrics/detailed?family=queue_coarse_metrics&vhost=other');
    assert.deepEqual(
      [...page.values.keys()].filter(series => series.startsWith('rabbitmq_detailed_queue_messages{')),
      ['rabbitmq_detailed_queue_messages{vhost="other",queue="two"}'],
    );
    assert.ok(![...page.types.keys()].some(name => name.includes('process_open_fds')));
    const nothing = await scrape(management.metricsPort, '/metrics/detailed');
    assert.deepEqual(
      [...nothing.types.keys()].filter(name => name.startsWith('rabbitmq_')),
      ['rabbitmq_build_info', 'rabbitmq_identity_info'],
    );
    assert.equal(broker.core.vhosts.size, 2);
  });
});

test('the age of the oldest message and the averages of waiting are told', async () => {
  await withManagement({}, async ({ management, http }) => {
    await http.put('/api/queues/%2F/q', {});
    await http.post('/api/exchanges/%2F/amq.default/publish', {
      properties: {},
      routing_key: 'q',
      payload: 'x',
      payload_encoding: 'string',
    });
    const name = 'warrenmq_queue_oldest_message_age_seconds{vhost="/",queue="q"}';
    await waitUntil(async () => (await scrape(management.metricsPort, '/metrics/per-object')).value(name) > 0.02);
    const page = await scrape(management.metricsPort, '/metrics/per-object');
    assert.ok(page.value('warrenmq_queue_time_in_queue_seconds{vhost="/",queue="q"}') >= 0);
    assert.ok((await scrape(management.metricsPort, '/metrics')).value('warrenmq_queue_oldest_message_age_seconds') > 0.02);
  });
});

test('with authentication only monitors scrape', async () => {
  await withManagement({ prometheus: { authentication: true } }, async ({ management, http }) => {
    await http.put('/api/users/mon', { password: 'mon', tags: 'monitoring' });
    await http.put('/api/users/mgmt', { password: 'mgmt', tags: 'management' });
    const metrics = new HttpClient(management.metricsPort);
    assert.equal((await metrics.get('/metrics', { user: null })).status, 401);
    assert.equal((await metrics.get('/metrics', { user: 'mgmt:mgmt' })).status, 401);
    assert.equal((await metrics.get('/metrics', { user: 'mon:mon' })).status, 200);
    assert.equal((await metrics.get('/', { user: 'mon:mon' })).status, 404);
    assert.equal((await metrics.request('POST', '/metrics', { user: 'mon:mon' })).status, 405);
    metrics.close();
  });
});
