// Prometheus itself: it scrapes the broker, has what RabbitMQ's dashboards ask for, and takes the alert rules.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../test/support/amqp-driver.ts';
import { basicConsume, basicQos, queueDeclare } from '../../test/support/amqp-requests.ts';
import { brokerFor, type BrokerUnderTest, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';
import { outputOf, Program } from '../support/program.ts';
import { waitUntil } from '../support/wait-until.ts';
import { overviewMetrics, raftMetrics, streamMetrics } from './dashboard-metrics.ts';

const isOracle = process.env.BROKER === 'rabbitmq';
const reason = ensureDebianPackages('prometheus') ?? reasonBrokerIsFixed() ?? (isOracle ? 'the rules are for this broker' : null);
const rules = join(dirname(conformanceRoot), 'packaging', 'prometheus', 'rules.yml');

function metricsUrl(broker: BrokerUnderTest): string {
  assert.ok(broker.metricsUrl !== null);
  return broker.metricsUrl;
}

/** Something of everything, so that every series has a value; returns what ends it. */
async function makeTraffic(broker: BrokerUnderTest): Promise<() => void> {
  const client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  const stream = new Map([['x-queue-type', longstr('stream')]]);
  await client.call(queueDeclare(1, { queue: 'orders', durable: true }), methods.QueueDeclareOk);
  await client.call(queueDeclare(1, { queue: 'log', durable: true, arguments: stream }), methods.QueueDeclareOk);
  await client.call(basicQos(1, 5), methods.BasicQosOk);
  for (const queue of ['orders', 'log']) await client.call(basicConsume(1, { queue, consumerTag: queue }), methods.BasicConsumeOk);
  for (let count = 0; count < 20; count++) client.publish(1, { routingKey: 'orders', properties: { deliveryMode: 2 } });
  client.publish(1, { routingKey: 'log' });
  client.publish(1, { exchange: 'amq.direct', routingKey: 'nowhere' });
  await client.nextDelivery();
  return () => client.destroy();
}

/** Prometheus, scraping the broker every second; returns what asks it. */
async function prometheus(t: TestContext, broker: BrokerUnderTest): Promise<(path: string) => Promise<unknown>> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-prometheus-'));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const [port = 0] = await freePorts(1);
  const { host } = new URL(metricsUrl(broker));
  writeFileSync(
    join(directory, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${rules}']
scrape_configs:
  - job_name: rabbitmq
    static_configs: [{ targets: ['${host}'] }]
  - job_name: per-object
    metrics_path: /metrics/per-object
    static_configs: [{ targets: ['${host}'] }]
`,
  );
  const server = new Program('/usr/bin/prometheus', [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  t.after(() => server.kill());
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    assert.equal(answer.status, 'success', `${path}: ${answer.error}`);
    return answer.data;
  };
  await waitUntil(
    'both targets to be scraped',
    async () => {
      const { activeTargets } = (await ask('targets').catch(() => ({ activeTargets: [] }))) as { activeTargets: { health: string }[] };
      return activeTargets.length === 2 && activeTargets.every(({ health }) => health === 'up');
    },
    60_000,
  );
  return ask;
}

type Result = readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];

test('Prometheus', { skip: reason ?? false }, async t => {
  const broker = await brokerFor(t);
  const end = await makeTraffic(broker);
  t.after(end);

  await t.test('promtool finds the alert rules sound', async () => {
    const output = await outputOf('/usr/bin/promtool', ['check', 'rules', rules]);
    assert.match(output, /SUCCESS: \d+ rules found/);
  });

  for (const path of ['/metrics', '/metrics/per-object', '/metrics/detailed?family=queue_coarse_metrics']) {
    await t.test(`promtool reads ${path}`, async () => {
      const input = await (await fetch(new URL(path, metricsUrl(broker)))).text();
      await using program = new Program('/usr/bin/promtool', ['check', 'metrics'], { input });
      const { code, stderr } = await program.end();
      // 3: names that are not as promtool advises; many of RabbitMQ's are not.
      assert.ok(code === 0 || code === 3, stderr);
      assert.ok(!/error while linting/.test(stderr), stderr);
    });
  }

  const ask = await prometheus(t, broker);
  const query = async (expression: string): Promise<Result> =>
    ((await ask(`query?query=${encodeURIComponent(expression)}`)) as { result: Result }).result;

  for (const metric of [...overviewMetrics, ...raftMetrics, ...streamMetrics]) {
    await t.test(`a dashboard's panel with ${metric} has a value`, async () => {
      // Dashboards find a cluster's series by joining them with the identity of their instance, and choose one of its pages.
      const joined = `${metric} * on(instance, job) group_left(rabbitmq_cluster, rabbitmq_node) rabbitmq_identity_info{job="rabbitmq",rabbitmq_endpoint="aggregated"}`;
      await waitUntil(joined, async () => (await query(joined)).length > 0);
      const [first] = await query(joined);
      assert.ok(first?.metric['rabbitmq_cluster'] && first.metric['rabbitmq_node'], JSON.stringify(first));
    });
  }

  await t.test('the labels that dashboards choose and show by are there', async () => {
    const [build] = await query('rabbitmq_build_info{job="rabbitmq"}');
    for (const label of ['rabbitmq_version', 'erlang_version', 'prometheus_client_version', 'prometheus_plugin_version'])
      assert.ok(build?.metric[label], label);
    const byProtocol = await query('sum by (protocol) (rabbitmq_global_messages_received_total{job="rabbitmq"})');
    assert.ok(byProtocol.some(({ metric: { protocol }, value }) => protocol === 'amqp091' && Number(value[1]) >= 21));
    const byType = await query(
      'sum by (queue_type) (rabbitmq_queue_messages{job="per-object"} * on(instance, job, vhost, queue) group_left(queue_type) rabbitmq_queue_info)',
    );
    assert.deepEqual(byType.map(({ metric }) => metric['queue_type']).sort(), ['rabbit_classic_queue', 'rabbit_stream_queue']);
    // RabbitMQ-Overview until 3.11 joins by instance alone, and chooses a namespace that is empty outside of Kubernetes.
    const identity = 'rabbitmq_identity_info{job="rabbitmq",rabbitmq_cluster!="",namespace=""}';
    const byNode = await query(
      `sum(rabbitmq_queue_messages_ready{job="rabbitmq"} * on(instance) group_left(rabbitmq_cluster, rabbitmq_node) ${identity}) by (rabbitmq_node)`,
    );
    assert.deepEqual(
      byNode.map(({ metric: { rabbitmq_node: node }, value }) => [node !== undefined, Number(value[1]) >= 15]),
      [[true, true]],
    );
    const small = await query(
      'sum(rabbitmq_message_size_bytes_bucket{job="rabbitmq",le="100"}) / sum(rabbitmq_message_size_bytes_count{job="rabbitmq"})',
    );
    assert.equal(small[0]?.value[1], '1');
    const perQueue = await query('rabbitmq_queue_messages_ready{job="per-object",queue="orders",vhost="/"}');
    assert.equal(perQueue.length, 1);
  });

  await t.test('the alert rules are evaluated without an error, and one fires for messages that reach no queue', async () => {
    type Rules = { groups: { rules: { name: string; health: string; lastError?: string; query: string }[] }[] };
    const loaded = await waitUntil('the rules to be evaluated', async () => {
      const found = ((await ask('rules')) as Rules).groups.flatMap(group => group.rules);
      return found.length > 0 && found.every(({ health }) => health !== 'unknown') ? found : null;
    });
    for (const rule of loaded) assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`);
    const text = readFileSync(rules, 'utf8');
    assert.equal(loaded.length, [...text.matchAll(/- alert:/g)].length);
    // Every metric that a rule names is one that there is.
    const names = new Set((await ask('label/__name__/values')) as string[]);
    for (const [name] of text.matchAll(/\b(?:rabbitmq|warrenmq)_\w+/g)) assert.ok(names.has(name), name);
  });
});
