import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { Consumer, SharedPrefetch } from '../../core/consumer.ts';
import type { ConnectionInfo } from '../../core/connection-registry.ts';
import { Entry } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { retentions } from '../../core/statistics/retention.ts';
import { Statistics } from '../../core/statistics/statistics.ts';
import type { Finding } from './finding.ts';
import { connectionFindings } from './node-findings.ts';
import { queueFindings } from './queue-findings.ts';

const sampleMillis = 5000;
const minute = 60_000;

function texts(findings: Iterable<Finding>): string[] {
  return Array.from(findings, ({ text }) => text);
}

/** A broker whose queue was sampled for as long as is looked back, with something done before each sample. */
function sampled(queue: Queue, broker: CoreBroker, act: () => void): string[] {
  const keeps = retentions(sampleMillis, [[sampleMillis, 20 * sampleMillis]]);
  const statistics = new Statistics(broker.core, { global: keeps, basic: keeps });
  for (let tick = 0; tick < 14; tick++) {
    act();
    broker.clock.advance(sampleMillis);
    statistics.sample();
  }
  return texts(queueFindings(broker.vhost, queue, statistics.of(queue), sampleMillis));
}

function consumer(queue: Queue): Consumer {
  const given = { tag: 'c', noAck: false, isExclusive: false, priority: 0, prefetchCount: 1, arguments: new Map() };
  // Its client takes nothing for the moment.
  return new Consumer(queue, { canTake: false, deliver() {}, cancelled() {} }, new SharedPrefetch(), given);
}

/** A connection whose oldest unacknowledged delivery was made at a time of the clock. */
function connectionWith(oldestDeliveredMillis: number, unackedCount: number): ConnectionInfo {
  const channel = {
    number: 3,
    describe: () => ({ oldestDeliveredMillis, unackedCount }),
  };
  return { name: '10.0.0.1:5 -> 10.0.0.2:5672', vhostName: '/', channelInfos: () => [channel] } as unknown as ConnectionInfo;
}

test('a delivery that waits five minutes for its acknowledgement is a finding, and says for how long', () => {
  const deliveredMillis = 1000;
  const at = (millis: number): Finding[] => [...connectionFindings(connectionWith(deliveredMillis, 2), deliveredMillis + millis)];
  assert.deepEqual(at(5 * minute - 1), []);
  assert.deepEqual(texts(at(5 * minute)), ['Unacknowledged for 5 min on connection 10.0.0.1:5 -> 10.0.0.2:5672, channel 3']);
  const [later] = at(25 * minute + 59_999);
  assert.equal(later?.text, 'Unacknowledged for 25 min on connection 10.0.0.1:5 -> 10.0.0.2:5672, channel 3');
  assert.match(later?.advice ?? '', /^2 deliveries wait there/);
});

test('a channel that has nothing unacknowledged is none, however long it is there', () => {
  assert.deepEqual([...connectionFindings(connectionWith(Infinity, 0), 1e12)], []);
});

test('a queue that grows although it has consumers is a finding, with the rate', () => {
  const broker = new CoreBroker();
  const queue = broker.queue('slow');
  queue.attach(consumer(queue));
  const found = sampled(queue, broker, () => {
    for (let count = 0; count < 1000; count++) broker.publish({ key: 'slow' });
  });
  assert.deepEqual(found, ['Queue slow grows by 200 messages a second: its 1 consumer cannot keep up']);
});

test('a queue that is long and does not grow is none', () => {
  const broker = new CoreBroker();
  const queue = broker.queue('long');
  queue.attach(consumer(queue));
  for (let count = 0; count < 12_000; count++) broker.publish({ key: 'long' });
  assert.deepEqual(
    sampled(queue, broker, () => {}),
    [],
  );
});

test('messages that are delivered again and again are a finding; ten a second are the least', () => {
  const redelivering = (perSample: number): string[] => {
    const broker = new CoreBroker();
    const queue = broker.queue('poison');
    broker.publish({ key: 'poison' });
    const entry = new Entry();
    return sampled(queue, broker, () => {
      for (let count = 0; count < perSample; count++) {
        assert.ok(queue.take(entry, false));
        queue.settle(entry, 'returned');
      }
    });
  };
  assert.deepEqual(redelivering(49), []);
  assert.deepEqual(redelivering(50), ['Queue poison delivers the same messages again and again: 10 redeliveries a second']);
});
