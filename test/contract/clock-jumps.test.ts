// The machine's clock is set forward or back under a running broker: nothing that lasts a while takes longer or ends sooner. [reliability: B13]
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, longstr } from '../../src/base/field-table.ts';
import { Statistics } from '../../src/core/statistics/statistics.ts';
import { basicConsume, basicGet, basicNack, basicQos, exchangeDeclare, queueBind, queueDeclare } from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';

const hour = 3_600_000;
const retention = [{ intervalMillis: 5000, count: 20 }];
const jumps = [
  ['an hour forward', hour],
  ['an hour back', -hour],
  ['a day forward', 24 * hour],
  ['a day back', -24 * hour],
] as const;

interface Started {
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
}

function start(broker = new SimDurableBroker()): Started {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  return { broker, client };
}

/** Message bodies that a queue gives now. */
function got({ broker, client }: Started, queue: string): string[] {
  broker.finishDisk();
  const bodies: string[] = [];
  for (;;) {
    client.send(basicGet(1, queue, true));
    broker.finishDisk();
    const delivery = client.takeDelivery(1);
    if (delivery === null) break;
    bodies.push(String(delivery.body));
  }
  client.takeAll();
  return bodies;
}

for (const [what, millis] of jumps) {
  test(`with the clock set ${what}, messages live as long as they were to live`, () => {
    const running = start();
    const { broker, client } = running;
    client.send(queueDeclare(1, { queue: 'own' }));
    client.send(queueDeclare(1, { queue: 'all', arguments: new Map([['x-message-ttl', long(60_000)]]) }));
    client.send(queueDeclare(1, { queue: 'unused', arguments: new Map([['x-expires', long(60_000)]]) }));
    client.takeAll();
    client.publish(1, { routingKey: 'own', properties: { expiration: '60000' }, body: 'a' });
    client.publish(1, { routingKey: 'all', body: 'b' });
    const { queues } = broker.core.vhosts.get('/') ?? assert.fail();
    const counts = (): unknown[] => [queues.get('own')?.readyCount, queues.get('all')?.readyCount, queues.has('unused')];
    broker.advance(30_000);
    broker.clock.jumpWall(millis);
    broker.advance(29_000);
    assert.deepEqual(counts(), [1, 1, true]);
    broker.advance(1200);
    assert.deepEqual(counts(), [0, 0, false]);
    assert.deepEqual(got(running, 'own'), []);
  });

  test(`with the clock set ${what}, delayed and retried messages come after their delay`, () => {
    const running = start();
    const { broker, client } = running;
    client.send(
      exchangeDeclare(1, {
        exchange: 'later',
        type: 'x-delayed-message',
        durable: true,
        arguments: new Map([['x-delayed-type', longstr('fanout')]]),
      }),
    );
    client.send(queueDeclare(1, { queue: 'q', durable: true }));
    client.send(queueBind(1, { queue: 'q', exchange: 'later' }));
    client.send(queueDeclare(1, { queue: 'work', durable: true, arguments: new Map([['x-retry-delays', longstr('60s')]]) }));
    broker.finishDisk();
    client.takeAll();
    client.publish(1, {
      exchange: 'later',
      routingKey: '',
      properties: { deliveryMode: 2, headers: new Map([['x-delay', long(60_000)]]) },
      body: 'delayed',
    });
    client.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: 'again' });
    client.send(basicGet(1, 'work', false));
    broker.finishDisk();
    assert.ok(client.takeDelivery(1) !== null);
    client.send(basicNack(1, 1, { requeue: false }));
    broker.finishDisk();
    broker.clock.jumpWall(millis);
    broker.advance(58_000);
    assert.deepEqual([got(running, 'q'), got(running, 'work')], [[], []]);
    broker.advance(3000);
    assert.deepEqual([got(running, 'q'), got(running, 'work')], [['delayed'], ['again']]);
  });

  test(`with the clock set ${what}, a silent connection is closed after two heartbeats, and no other`, () => {
    const broker = new SimDurableBroker();
    const silent = SimClient.connect(broker, { heartbeat: 10 });
    const lively = SimClient.connect(broker, { heartbeat: 10 });
    const alive = (): number => broker.core.connections.size;
    for (let second = 1; second <= 40; second++) {
      if (second === 5) broker.clock.jumpWall(millis);
      broker.advance(1000);
      lively.send(Buffer.from([8, 0, 0, 0, 0, 0, 0, 206]));
      if (second === 18) assert.equal(alive(), 2);
    }
    assert.equal(alive(), 1);
    assert.ok(silent.socket.isDestroyed && !lively.socket.isDestroyed);
  });

  test(`with the clock set ${what}, figures are taken in the same intervals and of the same length`, () => {
    const { broker, client } = start();
    client.send(queueDeclare(1, { queue: 'q' }));
    client.send(basicQos(1, 10));
    client.send(basicConsume(1, { queue: 'q', noAck: true }));
    const statistics = new Statistics(broker.core, { global: retention, basic: retention });
    statistics.start();
    broker.advance(statistics.sampleMillis * 3 + 100);
    const before = statistics.tick;
    broker.clock.jumpWall(millis);
    broker.advance(statistics.sampleMillis * 4);
    assert.equal(statistics.tick, before + 4);
    statistics.stop();
  });

  test(`after a restart with the clock set ${what}, an expiry comes at most so much too early or late, and nothing is lost of the rest`, () => {
    const first = start();
    first.client.send(queueDeclare(1, { queue: 'q', durable: true }));
    first.client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2, expiration: '60000' }, body: 'expires' });
    first.client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 }, body: 'stays' });
    first.broker.finishDisk();
    const broker = new SimDurableBroker(first.broker.files.kill(), { wallShiftMillis: millis });
    const second = start(broker);
    const depth = (): number | undefined => broker.core.vhosts.get('/')?.queues.get('q')?.readyCount;
    broker.advance(1);
    assert.equal(depth(), millis > 0 ? 1 : 2);
    broker.advance(Math.max(0, -millis) + 61_000);
    assert.equal(depth(), 1);
    assert.deepEqual(got(second, 'q'), ['stays']);
  });
}
