// What is too large to be done at once: others are served in between, and see it as done, or not yet begun, in every respect that matters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerActor } from '../../src/core/actor.ts';
import type { QueueDeclaration } from '../../src/core/queues/queue.ts';
import { applyInSteps } from '../../src/core/definitions/apply.ts';
import { readDefinitions } from '../../src/core/definitions/parse-definitions.ts';
import { allAtOnce, type Steps } from '../../src/core/stepped-work.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { encodeSnapshot } from '../../src/store/journal/snapshot.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, exchangeDeclare, queueBind, queueDeclare, queueDelete } from '../support/amqp-requests.ts';
import { Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

const many = 6000;

function connect(broker: SimBroker, vhost = '/'): SimClient {
  const client = SimClient.connect(broker, { vhost });
  client.openChannel(1);
  return client;
}

function vhostOf(broker: SimBroker, name = '/'): Vhost {
  return broker.core.vhosts.get(name) ?? assert.fail(`no vhost ${name}`);
}

function declareMany(client: SimClient, exclusive: boolean): void {
  client.send(Buffer.concat(Array.from({ length: many }, (_, i) => queueDeclare(1, { queue: `q${i}`, exclusive, durable: !exclusive }))));
  client.takeAll();
}

/** One turn of the broker, and what was to be called before it. */
function turn(broker: SimBroker): void {
  for (let tick = broker.ticks.shift(); tick !== undefined; tick = broker.ticks.shift()) tick();
  assert.ok(broker.scheduler.runTurn());
}

function addVhost(broker: SimBroker, name: string): Vhost {
  const vhost = broker.core.addVhost({ name, description: '', tags: [], defaultQueueType: null });
  broker.core.access.putPermission({ user: 'guest', vhost: name, configure: '.*', write: '.*', read: '.*' });
  return vhost;
}

function methodsOf(client: SimClient): number[] {
  return client.takeAll().flatMap(frame => (frame.type === 1 ? [frame.payload.readUInt32BE(0)] : []));
}

test('the exclusive queues of a client that leaves go in steps, and those that others ask for at once', () => {
  const broker = new SimBroker();
  const leaving = connect(broker);
  declareMany(leaving, true);
  const other = connect(broker);
  leaving.socket.reset();
  turn(broker);
  const { queues } = vhostOf(broker);
  assert.ok(queues.size > 100 && queues.size < many, `${queues.size} queues are left`);
  const last = `q${many - 1}`;
  const declared = queues.get(last);
  other.socket.receive(queueDeclare(1, { queue: last, exclusive: true }));
  assert.equal(declared?.isDeleted, true);
  assert.ok(queues.size > 100, 'the others are still there');
  other.socket.receive(queueDeclare(1, { queue: `q${many - 2}`, passive: true }));
  broker.settle();
  assert.deepEqual([...queues.keys()], [last]);
  assert.equal(queues.get(last)?.isDeleted, false);
  other.expect(methods.QueueDeclareOk);
  assert.equal(other.expectChannelClose(1).replyCode, 404);
});

test('connection.close is answered when all exclusive queues are gone', () => {
  const broker = new SimBroker();
  const leaving = connect(broker);
  declareMany(leaving, true);
  const close = methods.encodeConnectionClose(0, { replyCode: 200, replyText: '', classId: 0, methodId: 0 });
  leaving.socket.receive(close);
  const { queues } = vhostOf(broker);
  let turns = 0;
  while (queues.size > 0) {
    assert.deepEqual(leaving.socket.readableBytes, 0);
    turn(broker);
    turns++;
  }
  assert.ok(turns > 1, `${turns} turns`);
  broker.settle();
  assert.deepEqual(methodsOf(leaving), [methods.ConnectionCloseOk]);
});

test('a virtual host that is being deleted takes nothing new, and another may have its name', () => {
  const broker = new SimBroker();
  const old = addVhost(broker, 'v');
  const client = connect(broker, 'v');
  declareMany(client, false);
  client.send(exchangeDeclare(1, { exchange: 'x', durable: true }));
  client.send(queueBind(1, { queue: 'q1', exchange: 'x', routingKey: 'k' }));
  const others = Array.from({ length: 200 }, () => connect(broker, 'v'));
  client.takeAll();
  let isDone = false;
  assert.ok(broker.core.deleteVhost('v', () => (isDone = true)));
  assert.deepEqual([broker.core.vhosts.has('v'), isDone], [false, false]);
  assert.ok(old.queues.size > 100);
  // The last of them has not heard of it yet.
  const late = others.at(-1) as SimClient;
  late.socket.receive(queueDeclare(1, { queue: 'late', durable: true }));
  assert.equal(old.queues.has('late'), false);
  const refused = new SimClient(broker);
  assert.throws(() => refused.open({ vhost: 'v' }), /vhost v not found/);
  assert.ok(isDone, 'the broker came to rest');
  assert.deepEqual([old.queues.size, old.bindingCount, broker.core.virtualHosts.leaving.size], [0, 0, 0]);
  // Nobody has a permission there any more.
  assert.deepEqual(methodsOf(late), [methods.ChannelClose, methods.ConnectionClose]);
  assert.equal(client.expectConnectionClose().replyText, "CONNECTION_FORCED - vhost 'v' is deleted");
});

test('a virtual host made anew while the old one goes has nothing of it, and loses nothing by it', () => {
  const broker = new SimBroker();
  const old = addVhost(broker, 'v');
  const client = connect(broker, 'v');
  declareMany(client, false);
  broker.core.deleteVhost('v');
  assert.ok(old.queues.size > 100);
  const anew = addVhost(broker, 'v');
  const other = new SimClient(broker);
  other.open({ vhost: 'v' });
  other.openChannel(1);
  for (const queue of ['q1', `q${many - 1}`]) other.call(queueDeclare(1, { queue, durable: true }), methods.QueueDeclareOk);
  broker.settle();
  assert.equal(old.queues.size, 0);
  assert.deepEqual([...anew.queues.keys()], ['q1', `q${many - 1}`]);
  other.publish(1, { routingKey: 'q1', body: 'new' });
  other.send(basicGet(1, 'q1', true));
  assert.equal(String(other.takeDelivery()?.body), 'new');
});

test('a client that consumes from a virtual host that goes hears of its connection and nothing else', () => {
  const broker = new SimBroker();
  addVhost(broker, 'v');
  const client = connect(broker, 'v');
  declareMany(client, false);
  client.send(basicConsume(1, { queue: 'q4000' }));
  client.takeAll();
  broker.core.deleteVhost('v');
  broker.settle();
  assert.deepEqual(methodsOf(client), [methods.ConnectionClose]);
});

/** A broker on a disk that loses what was not synced. */
function onDisk(files?: SimFiles): SimDurableBroker {
  return new SimDurableBroker(files);
}

test('after a power cut while a virtual host goes it is whole, or gone', () => {
  const prepared = onDisk();
  addVhost(prepared, 'v');
  declareMany(connect(prepared, 'v'), false);
  prepared.finishDisk();
  const counts = [0, 1, 2, 4, 100].map(moments => {
    const broker = onDisk(prepared.files.clone(new Random(moments)));
    broker.core.turn.begin();
    broker.core.deleteVhost('v');
    assert.ok(broker.core.virtualHosts.leaving.size > 0);
    // Somebody waits for it to be durable.
    broker.core.log.commit(() => {}, null);
    for (let moment = 0; moment < moments; moment++) {
      broker.step();
      broker.files.step();
    }
    const { core } = onDisk(broker.files.cutPower({ data: 'none', names: 'none' }));
    return core.vhosts.get('v')?.queues.size ?? 0;
  });
  assert.deepEqual([counts[0], counts.at(-1)], [many, 0]);
  assert.deepEqual([...new Set(counts)], [many, 0]);
});

test('a power cut after a virtual host went leaves nothing of it, and all of the one that has its name', () => {
  const broker = onDisk();
  addVhost(broker, 'v');
  const client = connect(broker, 'v');
  declareMany(client, false);
  client.send(exchangeDeclare(1, { exchange: 'x', durable: true }));
  broker.finishDisk();
  const old = vhostOf(broker, 'v');
  broker.core.deleteVhost('v');
  addVhost(broker, 'v');
  const other = new SimClient(broker);
  other.socket.receive(Buffer.alloc(0));
  const anew = vhostOf(broker, 'v');
  anew.addQueue(broker.core.topology.restoreQueue(anew, broker.core.lastQueueId + 1, 'classic', declaration('q1')));
  broker.core.restoreQueueIds(broker.core.lastQueueId + 1);
  assert.ok(old.queues.size > 100);
  broker.finishDisk();
  assert.equal(old.queues.size, 0);
  const found = vhostOf(onDisk(broker.files.cutPower({ data: 'none', names: 'none' })), 'v');
  assert.deepEqual([...found.queues.keys()], ['q1']);
  assert.equal(found.exchanges.has('x'), false);
});

function declaration(name: string): QueueDeclaration {
  return { name, isDurable: true, owner: null, isAutoDelete: false, arguments: new Map() };
}

test('queues that were deleted by hand before are no hindrance', () => {
  const broker = new SimBroker();
  const leaving = connect(broker);
  declareMany(leaving, true);
  const other = connect(broker);
  leaving.socket.reset();
  turn(broker);
  other.socket.receive(queueDelete(1, { queue: `q${many - 1}` }));
  broker.settle();
  assert.equal(other.expect(methods.QueueDeleteOk).messageCount, 0);
  assert.equal(vhostOf(broker).queues.size, 0);
});

test('of a thousand publishers each is blocked by an alarm and let go after it, also when it ends before all have heard of it', () => {
  const broker = new SimBroker();
  const publishers = Array.from({ length: 1000 }, () => connect(broker));
  for (const publisher of publishers) publisher.publish(1, { routingKey: 'nobody' });
  const { alarms } = broker.core;
  const blocked = (): number => [...broker.core.connections].filter(connection => connection.describe().state === 'blocked').length;
  alarms.set('disk');
  const first = blocked();
  assert.ok(first > 0 && first < 500, `${first} are blocked at once`);
  const late = connect(broker);
  late.publish(1, { routingKey: 'nobody' });
  assert.equal(late.expect(methods.ConnectionBlocked).reason, 'low on disk');
  assert.equal(blocked(), 1001);
  alarms.clear('disk');
  alarms.set('disk');
  turn(broker);
  alarms.clear('disk');
  broker.settle();
  assert.equal(blocked(), 0);
  for (const publisher of publishers) {
    const told = methodsOf(publisher);
    assert.equal(told.length % 2, 0);
    told.forEach((method, index) => assert.equal(method, index % 2 === 0 ? methods.ConnectionBlocked : methods.ConnectionUnblocked));
  }
});

test('a policy for thousands of queues is theirs in the end, and of changes that overlap the last one counts', async () => {
  const broker = new SimBroker();
  declareMany(connect(broker), false);
  const { policies } = broker.core;
  const { queues } = vhostOf(broker);
  const lengths = (): number[] => [...new Set([...queues.values()].map(queue => queue.settings.lengthMax))].sort((a, b) => a - b);
  const put = (name: string, lengthMax: number, priority: number): void =>
    void policies.put('policy', '/', name, { pattern: '^q', applyTo: 'queues', definition: { 'max-length': lengthMax }, priority });
  put('a', 5, 0);
  assert.deepEqual(lengths(), [-1, 5], 'it is under way');
  let isApplied = false;
  const applied = broker.core.policiesApplied().then(() => (isApplied = true));
  put('b', 7, 1);
  turn(broker);
  policies.delete('policy', '/', 'b');
  put('a', 6, 0);
  const client = connect(broker);
  client.send(queueDeclare(1, { queue: 'q-new' }));
  assert.equal(queues.get('q-new')?.settings.lengthMax, 6);
  await applied;
  assert.ok(isApplied);
  assert.deepEqual(lengths(), [6]);
  policies.delete('policy', '/', 'a');
  broker.settle();
  assert.deepEqual(lengths(), [-1]);
});

test('a snapshot of the definitions says what there was at its moment, whatever happens while it is written', () => {
  const broker = onDisk();
  const client = connect(broker);
  declareMany(client, false);
  client.send(queueBind(1, { queue: 'q1', exchange: 'amq.topic', routingKey: 'before' }));
  broker.finishDisk();
  const cleaner = broker.store.cleaner ?? assert.fail();
  const before = cleaner.snapshotCount;
  let isWritten = false;
  cleaner.snapshotNow(error => {
    assert.equal(error, null);
    isWritten = true;
  });
  assert.ok(broker.core.works.count > 0, 'it is made in steps');
  client.socket.receive(
    Buffer.concat([
      queueDelete(1, { queue: `q${many - 1}` }),
      queueDeclare(1, { queue: 'later', durable: true }),
      queueDelete(1, { queue: 'q1' }),
      queueDeclare(1, { queue: 'q1', durable: true }),
      queueBind(1, { queue: 'q1', exchange: 'amq.topic', routingKey: 'after' }),
    ]),
  );
  assert.equal(isWritten, false);
  broker.finishDisk();
  assert.ok(isWritten);
  assert.equal(cleaner.snapshotCount, before + 1);
  const written = allAtOnce(encodeSnapshot({ sequence: 1, lastQueueId: 0, runs: [], changes: broker.core.metadataSnapshot() }));
  assert.ok(String(broker.files.bytesOf('metadata.json')).includes('"before"'), 'that was its moment');
  assert.ok(String(Buffer.concat(written)).includes('"after"'));
  const { queues, exchanges } = vhostOf(onDisk(broker.files.cutPower({ data: 'none', names: 'none' })));
  assert.deepEqual([queues.size, queues.has('later'), queues.has(`q${many - 1}`)], [many, true, false]);
  const keys = [...(exchanges.get('amq.topic')?.bindings.values() ?? [])].map(({ key }) => key);
  assert.deepEqual(keys, ['after']);
});

test('a snapshot holds 200,000 bindings', () => {
  const broker = onDisk();
  const vhost = vhostOf(broker);
  const queue = broker.core.topology.declareQueue(vhost, declaration('q'), brokerActor);
  const topic = vhost.exchange('amq.topic') ?? assert.fail();
  for (let i = 0; i < 200_000; i++) vhost.bind(topic, queue, `key.${i}`, new Map());
  let count = 0;
  for (const { kind } of broker.core.metadataSnapshot()) if (kind === 'binding.put') count++;
  assert.equal(count, 200_000);
});

function largeDefinitions(vhost: string): unknown {
  return {
    vhosts: [{ name: vhost }],
    queues: Array.from({ length: many }, (_, i) => ({ name: `q${i}`, vhost, durable: true, arguments: {} })),
    bindings: Array.from({ length: many }, (_, i) => ({
      source: 'amq.direct',
      vhost,
      destination: `q${i}`,
      destination_type: 'queue',
      routing_key: 'k',
    })),
  };
}

function* importing(broker: SimBroker, vhost: string): Steps<readonly string[]> {
  return yield* applyInSteps(broker.core, yield* readDefinitions(JSON.stringify(largeDefinitions(vhost)), { hash: String }));
}

test('an import goes on while others declare, and leaves what they made as it is', async () => {
  const broker = new SimBroker();
  addVhost(broker, 'v');
  const client = connect(broker, 'v');
  const imported = broker.core.works.run(importing(broker, 'v'));
  const { queues } = vhostOf(broker, 'v');
  while (queues.size === 0) turn(broker);
  assert.ok(queues.size < many);
  const last = `q${many - 1}`;
  client.socket.receive(queueDeclare(1, { queue: last, autoDelete: true }));
  assert.ok(queues.has(last));
  assert.ok(queues.size < many, 'the client did not have to wait');
  broker.settle();
  await imported;
  assert.equal(queues.size, many);
  assert.equal(queues.get(last)?.isAutoDelete, true);
  assert.equal(vhostOf(broker, 'v').bindingCount, many);
});

test('an import that is refused has changed nothing; one whose virtual host is deleted meanwhile ends with the reason', async () => {
  const broker = new SimBroker();
  function* refused(): Steps<readonly string[]> {
    const definitions = largeDefinitions('v') as { queues: object[] };
    definitions.queues.push({ name: 'bad', vhost: 'v', durable: true, arguments: { 'x-max-length': -1 } });
    return yield* applyInSteps(broker.core, yield* readDefinitions(JSON.stringify(definitions), { hash: String }));
  }
  const refusal = broker.core.works.run(refused());
  broker.settle();
  await assert.rejects(refusal, /x-max-length/);
  assert.equal(broker.core.vhosts.has('v'), false);
  const stopped = broker.core.works.run(importing(broker, 'v'));
  while ((broker.core.vhosts.get('v')?.queues.size ?? 0) === 0) turn(broker);
  broker.core.deleteVhost('v');
  broker.settle();
  await assert.rejects(stopped, /Please create virtual host "v" prior to importing definitions/);
  assert.deepEqual([broker.core.vhosts.has('v'), broker.core.virtualHosts.leaving.size], [false, 0]);
});
