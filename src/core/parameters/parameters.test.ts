import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../base/field-table.ts';
import { BrokerError } from '../broker-error.ts';
import type { MetadataChange } from '../ports/metadata-journal.ts';
import { Policies } from '../policies/policies.ts';
import { isParameterChange } from './parameter-change.ts';
import { Parameters } from './parameters.ts';

/** Enough to be a shovel. */
const shovel = { 'src-uri': 'amqp://', 'dest-uri': 'amqp://', 'src-queue': 'q' };

const refused = (text: string) => (error: unknown) => {
  assert.ok(error instanceof BrokerError);
  assert.equal(error.code, 'PRECONDITION_FAILED');
  assert.equal(error.text, text);
  return true;
};

test('parameters can be set, asked for, listed and deleted', () => {
  const parameters = new Parameters();
  assert.equal(parameters.put('/', 'shovel', 's', shovel), true);
  assert.equal(parameters.put('/', 'shovel', 's', { ...shovel, 'src-queue': 'r' }), false);
  parameters.put('v', 'shovel', 's', shovel);
  parameters.put('/', 'federation-upstream', 's', { uri: 'amqp://' });
  const value = { ...shovel, 'src-queue': 'r' };
  assert.deepEqual(parameters.get('/', 'shovel', 's'), { vhost: '/', component: 'shovel', name: 's', value });
  assert.equal(parameters.list().length, 3);
  assert.deepEqual(
    parameters.list({ component: 'shovel' }).map(({ vhost }) => vhost),
    ['/', 'v'],
  );
  assert.deepEqual(parameters.list({ component: 'shovel', vhost: 'v' }).length, 1);
  assert.equal(parameters.delete('/', 'shovel', 's'), true);
  assert.equal(parameters.delete('/', 'shovel', 's'), false);
  parameters.vhostDeleted('/');
  assert.deepEqual(
    parameters.list().map(({ vhost }) => vhost),
    ['v'],
  );
});

test("unknown components and policies are refused with RabbitMQ's texts", () => {
  const parameters = new Parameters();
  assert.throws(() => parameters.put('/', 'foo', 'x', {}), refused('Validation failed\n\ncomponent foo not found\n'));
  assert.throws(() => parameters.put('/', 'policy', 'x', {}), refused('policies may not be set using this method'));
});

test('operator policies are parameters too', () => {
  const policies = new Policies();
  const parameters = new Parameters(undefined, policies);
  const value = { pattern: '^q', 'apply-to': 'queues', definition: { 'max-length': 3 }, priority: 2 };
  assert.equal(parameters.put('/', 'operator_policy', 'p', value), true);
  assert.equal(parameters.put('/', 'operator_policy', 'p', value), false);
  assert.equal(policies.effective('/', 'classic_queues', 'q').operatorPolicy, 'p');
  const parameter = { vhost: '/', component: 'operator_policy', name: 'p', value };
  assert.deepEqual(parameters.get('/', 'operator_policy', 'p'), parameter);
  assert.deepEqual(parameters.list({ component: 'operator_policy' }), [parameter]);
  assert.deepEqual(parameters.snapshot(), [], 'Policies keeps them');
  assert.throws(
    () => parameters.put('/', 'operator_policy', 'x', { pattern: 'x', definition: { 'max-length': 1 } }),
    refused('Validation failed\n\nKey "priority" not found in x\n'),
  );
  assert.throws(
    () => parameters.put('/', 'operator_policy', 'x', { ...value, definition: { 'dead-letter-exchange': '' } }),
    /not recognised/,
  );
  assert.equal(parameters.delete('/', 'operator_policy', 'p'), true);
  assert.equal(parameters.delete('/', 'operator_policy', 'p'), false);
});

describe('vhost limits', () => {
  test('are one parameter of which one limit is set at a time', () => {
    const parameters = new Parameters();
    assert.deepEqual(parameters.vhostLimits('/'), { connectionsMax: -1, queuesMax: -1 });
    parameters.putVhostLimit('/', 'max-queues', 5);
    parameters.putVhostLimit('/', 'max-connections', 0);
    assert.deepEqual(parameters.vhostLimits('/'), { connectionsMax: 0, queuesMax: 5 });
    assert.deepEqual(parameters.get('/', 'vhost-limits', 'limits')?.value, { 'max-queues': 5, 'max-connections': 0 });
    assert.equal(parameters.deleteVhostLimit('/', 'max-queues'), true);
    assert.equal(parameters.deleteVhostLimit('/', 'max-queues'), false);
    assert.deepEqual(parameters.vhostLimits('/'), { connectionsMax: 0, queuesMax: -1 });
    assert.equal(parameters.deleteVhostLimit('/', 'max-connections'), true);
    assert.equal(parameters.get('/', 'vhost-limits', 'limits'), undefined);
  });

  test('a negative one means none', () => {
    const parameters = new Parameters();
    parameters.putVhostLimit('/', 'max-queues', -1);
    assert.deepEqual(parameters.vhostLimits('/'), { connectionsMax: -1, queuesMax: -1 });
  });

  test("what is no limit is refused with RabbitMQ's text", () => {
    const parameters = new Parameters();
    const put = (value: Json) => () => parameters.put('/', 'vhost-limits', 'limits', value);
    assert.throws(put({ 'max-queues': 'a' }), refused('Validation failed\n\nmax-queues should be a number, actually was <<"a">>\n'));
    assert.throws(put({ 'max-foo': 1 }), refused('Validation failed\n\nUnrecognised terms [{<<"max-foo">>,1}] in limits\n'));
    assert.throws(put(3), refused('Validation failed\n\nlimits not a list 3\n'));
    assert.throws(() => parameters.putVhostLimit('/', '__proto__', 1), /Unrecognised terms \[\{<<"__proto__">>,1\}\] in limits/);
    assert.doesNotThrow(put([]));
    assert.deepEqual(parameters.vhostLimits('/'), { connectionsMax: -1, queuesMax: -1 });
  });
});

test('global parameters are kept by name', () => {
  const parameters = new Parameters();
  assert.equal(parameters.putGlobal('cluster_name', 'a@b'), true);
  assert.equal(parameters.putGlobal('cluster_name', 'c@d'), false);
  parameters.putGlobal('mqtt_port_to_vhost_mapping', { 1883: '/' });
  assert.equal(parameters.global('cluster_name'), 'c@d');
  assert.equal(parameters.global('toString'), undefined);
  assert.deepEqual(
    parameters.globals().map(({ name }) => name),
    ['cluster_name', 'mqtt_port_to_vhost_mapping'],
  );
  assert.equal(parameters.deleteGlobal('cluster_name'), true);
  assert.equal(parameters.deleteGlobal('cluster_name'), false);
});

test('replaying the journal or a snapshot gives the same state', () => {
  const journal: MetadataChange[] = [];
  const parameters = new Parameters({ record: change => void journal.push(structuredClone(change)) });
  parameters.put('/', 'shovel', 's', { ...shovel, 'src-queue-args': { a: [1, null, 'x'] } });
  parameters.put('v', 'shovel', 's', shovel);
  parameters.putVhostLimit('/', 'max-queues', 5);
  parameters.putGlobal('a', 1);
  parameters.putGlobal('b', 2);
  parameters.deleteGlobal('a');
  parameters.delete('/', 'shovel', 's');
  parameters.vhostDeleted('v');
  const replica = new Parameters();
  for (const change of [...journal, ...journal]) if (isParameterChange(change)) replica.apply(change);
  assert.equal(parameters.snapshot().length, 2);
  assert.deepEqual(replica.snapshot(), parameters.snapshot());
  const copy = new Parameters();
  for (const change of parameters.snapshot()) copy.apply(change);
  assert.deepEqual(copy.snapshot(), parameters.snapshot());
});
