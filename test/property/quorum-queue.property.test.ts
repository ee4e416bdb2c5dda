import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import { compareWithModel, QueueBench } from '../support/queue-bench.ts';
import type { ModelSettings } from '../support/queue-model.ts';
import type { Random } from '../support/random.ts';

function settingsFor(random: Random): ModelSettings {
  return {
    order: 'quorum',
    priorityMax: 0,
    ttlMillis: random.pick([-1, -1, -1, 0, 20, 100]),
    lengthMax: random.pick([-1, -1, 0, 1, 5, 12]),
    bytesMax: random.pick([-1, -1, -1, 0, 300]),
    overflow: random.pick(['drop-head', 'reject-publish']),
    deliveryLimit: random.pick([-1, 0, 2, 20]),
    isSingleActive: random.chance(0.2),
  };
}

function argumentsOf(settings: ModelSettings): FieldTable {
  const args = new Map<string, Field>([
    ['x-queue-type', longstr('quorum')],
    ['x-overflow', longstr(settings.overflow)],
    // Only a queue that has one keeps its dead letters long enough to be looked at.
    ['x-dead-letter-exchange', longstr('amq.fanout')],
  ]);
  if (settings.ttlMillis >= 0) args.set('x-message-ttl', int(settings.ttlMillis));
  if (settings.lengthMax >= 0) args.set('x-max-length', int(settings.lengthMax));
  if (settings.bytesMax >= 0) args.set('x-max-length-bytes', int(settings.bytesMax));
  if (settings.deliveryLimit !== 20) args.set('x-delivery-limit', int(settings.deliveryLimit));
  if (settings.isSingleActive) args.set('x-single-active-consumer', { type: 't', value: true });
  return args;
}

test('a quorum queue does what its model does, whatever comes', () => {
  compareWithModel(random => {
    const settings = settingsFor(random);
    return new QueueBench(random, settings, argumentsOf(settings));
  });
});
