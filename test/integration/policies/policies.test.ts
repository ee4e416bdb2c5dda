// Policies as clients see them: on queues and exchanges that are declared later, and on those that are there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../../src/base/field-table.ts';
import { long, longstr } from '../../../src/base/field-table.ts';
import type { PolicyTarget } from '../../../src/core/definitions/definitions.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import type { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver } from '../../support/amqp-driver.ts';
import { AmqpDriver as Driver } from '../../support/amqp-driver.ts';
import { basicConsume, basicGet, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';

function policy(
  broker: Broker,
  name: string,
  pattern: string,
  definition: Record<string, Json>,
  priority = 0,
  applyTo: PolicyTarget = 'all',
): void {
  broker.core.policies.put('policy', '/', name, { pattern, definition, priority, applyTo });
}

function operatorPolicy(broker: Broker, name: string, pattern: string, definition: Record<string, Json>): void {
  broker.core.policies.put('operator_policy', '/', name, { pattern, definition });
}

function queueOf(broker: Broker, name: string): Queue {
  const queue = broker.core.vhosts.get('/')?.queues.get(name);
  assert.ok(queue !== undefined);
  return queue;
}

async function declare(client: AmqpDriver, queue: string, args: Record<string, number | string> = {}): Promise<void> {
  const table = new Map(Object.entries(args).map(([name, value]) => [name, typeof value === 'number' ? long(value) : longstr(value)]));
  await client.call(queueDeclare(1, { queue, arguments: table }), methods.QueueDeclareOk);
}

async function messageCount(client: AmqpDriver, queue: string): Promise<number> {
  return (await client.call(queueDeclare(1, { queue, passive: true }), methods.QueueDeclareOk)).messageCount;
}

function publish(client: AmqpDriver, routingKey: string, count: number): void {
  for (let i = 1; i <= count; i++) client.publish(1, { routingKey, body: String(i) });
}

describe('a policy', () => {
  test('limits a queue that is declared later, by the lower of argument and policy', () =>
    withClient(async (client, broker) => {
      policy(broker, 'short', '^p', { 'max-length': 3 });
      await declare(client, 'p1');
      await declare(client, 'p2', { 'x-max-length': 1 });
      await declare(client, 'p3', { 'x-max-length': 10 });
      await declare(client, 'q', {});
      for (const queue of ['p1', 'p2', 'p3', 'q']) publish(client, queue, 5);
      const counts = await Promise.all(['p1', 'p2', 'p3', 'q'].map(queue => messageCount(client, queue)));
      assert.deepEqual(counts, [3, 1, 3, 5]);
    }));

  test('changes a queue that is there: it is cut at once, and let grow again when the policy goes', () =>
    withClient(async (client, broker) => {
      await declare(client, 'q');
      publish(client, 'q', 5);
      assert.equal(await messageCount(client, 'q'), 5);
      policy(broker, 'short', '^q$', { 'max-length': 2 });
      assert.equal(await messageCount(client, 'q'), 2);
      client.send(basicGet(1, 'q', true));
      assert.equal((await client.nextDelivery()).body.toString(), '4');
      broker.core.policies.delete('policy', '/', 'short');
      publish(client, 'q', 5);
      assert.equal(await messageCount(client, 'q'), 6);
      assert.equal(queueOf(broker, 'q').policy.policy, null);
    }));

  test('of a higher priority takes over, and gives back', () =>
    withClient(async (client, broker) => {
      policy(broker, 'low', '^q', { 'max-length': 5, 'message-ttl': 60_000 }, 1);
      await declare(client, 'q');
      policy(broker, 'high', '^q', { 'max-length': 1 }, 2);
      assert.deepEqual(queueOf(broker, 'q').policy, { policy: 'high', operatorPolicy: null, definition: { 'max-length': 1 } });
      assert.equal(queueOf(broker, 'q').settings.messageTtlMillis, -1);
      broker.core.policies.delete('policy', '/', 'high');
      assert.equal(queueOf(broker, 'q').policy.policy, 'low');
      assert.deepEqual([queueOf(broker, 'q').settings.lengthMax, queueOf(broker, 'q').settings.messageTtlMillis], [5, 60_000]);
    }));

  test('gives a queue time to live and a dead letter exchange, and messages that are there expire by it', () =>
    withClient(async (client, broker) => {
      await declare(client, 'dead');
      await declare(client, 'q');
      publish(client, 'q', 1);
      assert.equal(await messageCount(client, 'q'), 1);
      client.send(basicConsume(1, { queue: 'dead', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      policy(broker, 'ttl', '^q$', { 'message-ttl': 20, 'dead-letter-exchange': '', 'dead-letter-routing-key': 'dead' });
      const { args, properties } = await client.nextDelivery();
      assert.equal(args.routingKey, 'dead');
      assert.equal(properties.headers?.get('x-first-death-reason')?.value, 'expired');
    }));

  test('makes a full queue refuse, and stops when it goes', () =>
    withClient(async (client, broker) => {
      await declare(client, 'q');
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      policy(broker, 'full', '^q$', { 'max-length': 1, overflow: 'reject-publish' });
      publish(client, 'q', 1);
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 1);
      publish(client, 'q', 1);
      assert.equal((await client.expect(methods.BasicNack)).deliveryTag, 2);
      broker.core.policies.delete('policy', '/', 'full');
      publish(client, 'q', 1);
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 3);
      assert.equal(await messageCount(client, 'q'), 2);
    }));

  test('deletes a queue that is unused for too long', () =>
    withClient(async (client, broker) => {
      await declare(client, 'q');
      policy(broker, 'brief', '^q$', { expires: 20 });
      await waitUntil(() => !broker.core.vhosts.get('/')?.queues.has('q'), { message: 'the queue to expire' });
    }));

  test('gives exchanges an alternate, also while messages flow; an argument goes first', () =>
    withClient(async (client, broker) => {
      await declare(client, 'rest');
      await client.call(exchangeDeclare(1, { exchange: 'ae', type: 'fanout' }), methods.ExchangeDeclareOk);
      await client.call(queueBind(1, { queue: 'rest', exchange: 'ae' }), methods.QueueBindOk);
      await client.call(exchangeDeclare(1, { exchange: 'e', type: 'direct' }), methods.ExchangeDeclareOk);
      const own = new Map([['alternate-exchange', longstr('nowhere')]]);
      await client.call(exchangeDeclare(1, { exchange: 'e2', type: 'direct', arguments: own }), methods.ExchangeDeclareOk);
      client.publish(1, { exchange: 'e', routingKey: 'k', mandatory: true });
      assert.equal((await client.nextDelivery()).kind, 'return');
      policy(broker, 'ae', '^e', { 'alternate-exchange': 'ae' }, 0, 'exchanges');
      client.publish(1, { exchange: 'e', routingKey: 'k', mandatory: true, body: 'now' });
      client.publish(1, { exchange: 'e2', routingKey: 'k', body: 'lost' });
      assert.equal(await messageCount(client, 'rest'), 1);
      broker.core.policies.delete('policy', '/', 'ae');
      client.publish(1, { exchange: 'e', routingKey: 'k', mandatory: true });
      assert.equal((await client.nextDelivery()).kind, 'return');
    }));

  test('takes no part in the equivalence of a redeclaration', () =>
    withClient(async (client, broker) => {
      await declare(client, 'q', { 'x-max-length': 9 });
      policy(broker, 'short', '^q$', { 'max-length': 2 });
      await declare(client, 'q', { 'x-max-length': 9 });
      client.send(queueDeclare(1, { queue: 'q', arguments: new Map([['x-max-length', long(2)]]) }));
      assert.equal((await client.expectChannelClose(1)).replyCode, 406);
    }));

  test('of its own limits is merged with an operator policy', () =>
    withClient(async (client, broker) => {
      policy(broker, 'user', '^q', { 'max-length': 10, 'dead-letter-exchange': 'dlx' });
      operatorPolicy(broker, 'operator', '^q', { 'max-length': 3, expires: 60_000 });
      await declare(client, 'q');
      assert.deepEqual(queueOf(broker, 'q').policy, {
        policy: 'user',
        operatorPolicy: 'operator',
        definition: { 'max-length': 3, 'dead-letter-exchange': 'dlx', expires: 60_000 },
      });
      publish(client, 'q', 5);
      assert.equal(await messageCount(client, 'q'), 3);
      broker.core.policies.delete('operator_policy', '/', 'operator');
      publish(client, 'q', 20);
      assert.equal(await messageCount(client, 'q'), 10);
    }));

  test('counts the predeclared exchanges, but not the default one', () =>
    withClient(async (client, broker) => {
      await declare(client, 'rest');
      await client.call(queueBind(1, { queue: 'rest', exchange: 'amq.fanout' }), methods.QueueBindOk);
      policy(broker, 'ae', '', { 'alternate-exchange': 'amq.fanout' });
      client.publish(1, { exchange: 'amq.direct', routingKey: 'nobody', mandatory: true });
      assert.equal(await messageCount(client, 'rest'), 1);
      client.publish(1, { routingKey: 'nobody', mandatory: true });
      assert.equal((await client.nextDelivery()).kind, 'return');
    }));

  test('with an evil pattern costs linear time', () =>
    withClient(async (client, broker) => {
      policy(broker, 'evil', '^(a+)+$', { 'max-length': 1 });
      const started = performance.now();
      await declare(client, `${'a'.repeat(250)}!`);
      assert.ok(performance.now() - started < 1000);
    }));

  test('of another virtual host, or of one that is gone, does not matter', () =>
    withClient(async (client, broker) => {
      broker.core.addVhost({ name: 'other', description: '', tags: [], defaultQueueType: null });
      broker.core.policies.put('policy', 'other', 'p', { pattern: '', definition: { 'max-length': 1 } });
      await declare(client, 'q');
      assert.equal(queueOf(broker, 'q').policy.policy, null);
      broker.core.deleteVhost('other');
      assert.deepEqual(broker.core.policies.list('policy'), []);
    }));
});

describe('limits of a virtual host', () => {
  test('hold for queues from the moment they are set', () =>
    withClient(async (client, broker) => {
      await declare(client, 'q1');
      broker.core.parameters.putVhostLimit('/', 'max-queues', 1);
      client.send(queueDeclare(1, { queue: 'q2' }));
      assert.match((await client.expectChannelClose(1)).replyText, /queue limit in vhost '\/' \(1\) is reached/);
      broker.core.parameters.deleteVhostLimit('/', 'max-queues');
      await client.openChannel(1);
      await declare(client, 'q2');
    }));

  test('hold for connections', () =>
    withClient(async (_client, broker) => {
      broker.core.parameters.putVhostLimit('/', 'max-connections', 1);
      await assert.rejects(Driver.connect({ port: broker.port }), /connection limit \(1\) is reached/);
      broker.core.parameters.putVhostLimit('/', 'max-connections', -1);
      (await Driver.connect({ port: broker.port })).destroy();
    }));
});

test('the name of the cluster, a global parameter, is told to clients', () =>
  withClient(async (client, { core, port }) => {
    assert.equal(client.serverProperties.get('cluster_name')?.value, core.settings.clusterName);
    core.parameters.putGlobal('cluster_name', 'warren@home');
    using other = await Driver.connect({ port });
    assert.equal(other.serverProperties.get('cluster_name')?.value, 'warren@home');
    core.parameters.deleteGlobal('cluster_name');
    using third = await Driver.connect({ port });
    assert.equal(third.serverProperties.get('cluster_name')?.value, core.settings.clusterName);
  }));
