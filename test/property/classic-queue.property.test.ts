import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicGet, basicNack, queueDeclare } from '../support/amqp-requests.ts';
import { compareWithModel, QueueBench } from '../support/queue-bench.ts';
import type { ModelSettings } from '../support/queue-model.ts';
import type { Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

function settingsFor(random: Random): ModelSettings {
  return {
    order: 'classic',
    priorityMax: random.pick([0, 0, 0, 1, 5, 255]),
    ttlMillis: random.pick([-1, -1, -1, 0, 20, 100]),
    lengthMax: random.pick([-1, -1, 0, 1, 5, 12]),
    bytesMax: random.pick([-1, -1, -1, 0, 300]),
    overflow: random.pick(['drop-head', 'reject-publish', 'reject-publish-dlx']),
    deliveryLimit: random.pick([-1, -1, 0, 2]),
    isSingleActive: random.chance(0.2),
  };
}

function argumentsOf(settings: ModelSettings): FieldTable {
  const args = new Map<string, Field>([
    ['x-overflow', longstr(settings.overflow)],
    // Only a queue that has one keeps its dead letters long enough to be looked at.
    ['x-dead-letter-exchange', longstr('amq.fanout')],
  ]);
  if (settings.priorityMax > 0) args.set('x-max-priority', int(settings.priorityMax));
  if (settings.ttlMillis >= 0) args.set('x-message-ttl', int(settings.ttlMillis));
  if (settings.lengthMax >= 0) args.set('x-max-length', int(settings.lengthMax));
  if (settings.bytesMax >= 0) args.set('x-max-length-bytes', int(settings.bytesMax));
  if (settings.deliveryLimit >= 0) args.set('x-delivery-limit', int(settings.deliveryLimit));
  if (settings.isSingleActive) args.set('x-single-active-consumer', { type: 't', value: true });
  return args;
}

test('a classic queue does what its model does, whatever comes', () => {
  compareWithModel(random => {
    const settings = settingsFor(random);
    return new QueueBench(random, settings, argumentsOf(settings));
  });
});

test('a message behind the one that was got expires when its time has come', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  client.publish(1, { routingKey: 'q', body: 'stays' });
  client.publish(1, { routingKey: 'q', body: 'goes', properties: { expiration: '10' } });
  broker.advance(20);
  client.call(basicGet(1, 'q'), methods.BasicGetOk);
  broker.advance(20);
  assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.readyCount, 0);
});

test('a message that comes back to a full queue pushes the head out', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q', arguments: new Map([['x-max-length', int(1)]]) }), methods.QueueDeclareOk);
  client.publish(1, { routingKey: 'q', body: 'first' });
  client.call(basicGet(1, 'q'), methods.BasicGetOk);
  client.publish(1, { routingKey: 'q', body: 'second' });
  client.send(basicNack(1, 1));
  assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.readyCount, 1);
});
