// Definitions at the start.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { queueDeclare } from '../../support/amqp-requests.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';

const shop = {
  users: [{ name: 'shop', password: 'secret', tags: 'administrator' }],
  vhosts: [{ name: '/' }],
  permissions: [{ user: 'shop', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
  exchanges: [{ name: 'orders', vhost: '/', type: 'direct', durable: true, auto_delete: false, internal: false, arguments: {} }],
  queues: [{ name: 'new', vhost: '/', durable: true, auto_delete: false, arguments: {}, colour: 'red' }],
  bindings: [{ source: 'orders', vhost: '/', destination: 'new', destination_type: 'queue', routing_key: 'new', arguments: {} }],
};

function file(t: { after(remove: () => void): void }, definitions: unknown): string {
  const path = join(temporaryDirectory(t), 'definitions.json');
  writeFileSync(path, typeof definitions === 'string' ? definitions : JSON.stringify(definitions));
  return path;
}

/** Publishes to the exchange of the definitions and gets the message from their queue. */
async function works(port: number): Promise<void> {
  const client = await AmqpDriver.connect({ port, user: 'shop', password: 'secret' });
  await client.openChannel(1);
  client.publish(1, { exchange: 'orders', routingKey: 'new', body: 'one' });
  client.send(methods.encodeBasicGet(1, { queue: 'new', noAck: true }));
  assert.equal((await client.nextDelivery()).body.toString(), 'one');
  await client.end();
}

for (const key of ['load_definitions', 'management.load_definitions']) {
  test(`${key} makes what a file says, and no default user`, async t => {
    const warren = await WarrenProcess.start(t, { conf: `${key} = ${file(t, shop)}\n` });
    await works(warren.port);
    await assert.rejects(AmqpDriver.connect({ port: warren.port }), /ACCESS_REFUSED/);
    assert.match(warren.stdout, /Will not seed default virtual host and user: have definitions to load/);
    assert.match(warren.stdout, /\[warning\] .*queues\[0\]: unknown key "colour" ignored/);
    await warren.stop();
    const again = await WarrenProcess.start(t, { conf: `${key} = ${file(t, shop)}\n`, dataDir: String(warren.dataDir) });
    await works(again.port);
  });
}

test('a default user that was wanted by name, and definitions without any user, are warned of', async t => {
  const conf = `load_definitions = ${file(t, shop)}\n`;
  const why = 'with definitions no default user is made: add one to them, or with add_user';
  const lost = await WarrenProcess.start(t, { conf, dataDir: null, env: { RABBITMQ_DEFAULT_USER: 'team', RABBITMQ_DEFAULT_PASS: 'x' } });
  assert.ok(lost.stdout.includes(`there is no user 'team': ${why}`), lost.stdout);
  const there = await WarrenProcess.start(t, { conf, dataDir: null, env: { RABBITMQ_DEFAULT_USER: 'shop', RABBITMQ_DEFAULT_PASS: 'x' } });
  assert.equal(there.stdout.includes(why), false);
  const nobody = await WarrenProcess.start(t, { conf: `load_definitions = ${file(t, { vhosts: shop.vhosts })}\n`, dataDir: null });
  assert.ok(nobody.stdout.includes(`nobody can log in: the definitions have no users, and ${why}`), nobody.stdout);
});

test('the files of a directory are taken together, in the order of their names', async t => {
  const directory = temporaryDirectory(t);
  const { users, vhosts, permissions, ...topology } = shop;
  writeFileSync(join(directory, '10-topology.json'), JSON.stringify(topology));
  writeFileSync(join(directory, '20-users.json'), JSON.stringify({ users, vhosts, permissions }));
  writeFileSync(join(directory, 'README'), 'no definitions');
  const warren = await WarrenProcess.start(t, { conf: `load_definitions = ${directory}\n`, dataDir: null });
  await works(warren.port);
});

test('definitions that make no sense stop the start with all that is wrong, and nothing is kept of them', async t => {
  const wrong = {
    ...shop,
    queues: [...shop.queues, { ...shop.queues[0], name: 'x', arguments: { 'x-max-length': 'many' } }],
    permissions: [{ ...shop.permissions[0], user: 'nobody' }],
  };
  const warren = WarrenProcess.run(t, { conf: `log.console = false\nload_definitions = ${file(t, wrong)}\n` });
  assert.deepEqual(await warren.exited, { code: 78, signal: null });
  assert.match(warren.stderr, /^warren: the definitions cannot be used:\nUser "nobody" does not exist\n$/);
  const right = await WarrenProcess.start(t, { dataDir: String(warren.dataDir) });
  (await AmqpDriver.connect({ port: right.port })).destroy();
});

test('a file that is no JSON is named, with the place', async t => {
  const path = file(t, '{"users": [}');
  const warren = WarrenProcess.run(t, { conf: `log.console = false\nload_definitions = ${path}\n`, dataDir: null });
  assert.equal((await warren.exited).code, 78);
  assert.equal(warren.stderr, `warren: the definitions cannot be used:\n${path}: not valid JSON at line 1, column 12\n`);
});

test('definitions are imported at every start, unless they are unchanged and that is asked for', async t => {
  const path = file(t, shop);
  const conf = `load_definitions = ${path}\ndefinitions.skip_if_unchanged = true\n`;
  const first = await WarrenProcess.start(t, { conf });
  const client = await AmqpDriver.connect({ port: first.port, user: 'shop', password: 'secret' });
  await client.openChannel(1);
  await client.call(methods.encodeQueueDelete(1, { queue: 'new', ifUnused: false, ifEmpty: false, nowait: false }), methods.QueueDeleteOk);
  await client.end();
  await first.stop();
  const dataDir = String(first.dataDir);
  const second = await WarrenProcess.start(t, { conf, dataDir });
  assert.match(second.stdout, /Submitted definitions have not changed/);
  await assert.rejects(works(second.port));
  await second.stop();
  const third = await WarrenProcess.start(t, { conf: `load_definitions = ${path}\n`, dataDir });
  await works(third.port);
});

test('a program that embeds the broker gives definitions as objects or texts', async () => {
  await using broker = await Broker.start({ definitions: [shop, JSON.stringify({ vhosts: [{ name: 'more' }] })] });
  await works(broker.port);
  assert.ok(broker.core.vhosts.has('more'));
  assert.equal(broker.core.access.user('guest'), undefined);
});

test('definitions without users come beside the first user', async () => {
  await using broker = await Broker.start({ definitions: [{ vhosts: [{ name: 'more' }] }] });
  (await AmqpDriver.connect({ port: broker.port })).destroy();
});

test('a broker that refuses definitions leaves its directory to others', async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  mkdirSync(dataDir);
  await assert.rejects(
    Broker.start({ dataDir, definitions: [{ queues: [{ name: 'q', vhost: 'nowhere' }] }] }),
    /Please create virtual host "nowhere"/,
  );
  await (await Broker.start({ dataDir })).stop();
});

test('--watch-definitions applies a file again when it changes, and one that is wrong not at all', async t => {
  const path = file(t, shop);
  const warren = await WarrenProcess.start(t, { args: ['--watch-definitions', path] });
  await works(warren.port);
  writeFileSync(path, '{"queues": [');
  await warren.logged(/definitions are not applied/);
  writeFileSync(path, JSON.stringify({ ...shop, queues: [...shop.queues, { ...shop.queues[0], name: 'newer' }] }));
  await warren.logged(/Applied the changed definitions/);
  const client = await AmqpDriver.connect({ port: warren.port, user: 'shop', password: 'secret' });
  await client.openChannel(1);
  await client.call(queueDeclare(1, { queue: 'newer', passive: true }), methods.QueueDeclareOk);
  await client.end();
  await works(warren.port);
});

test('--seed begins with definitions and messages, once', async t => {
  const lines = [
    { definitions: shop },
    {
      vhost: '/',
      queue: 'new',
      exchange: 'orders',
      routing_key: 'new',
      properties: { delivery_mode: 2, headers: { n: 1 } },
      payload: 'one',
      payload_encoding: 'string',
    },
    { vhost: '/', queue: 'new', exchange: '', routing_key: 'new', properties: [], payload: 'AAE=', payload_encoding: 'base64' },
  ];
  const path = file(t, lines.map(line => JSON.stringify(line)).join('\n'));
  const dataDir = join(temporaryDirectory(t), 'data');
  const first = await WarrenProcess.start(t, { args: ['--seed', path], dataDir });
  await first.logged(/Loaded 2 messages/);
  const client = await AmqpDriver.connect({ port: first.port, user: 'shop', password: 'secret' });
  await client.openChannel(1);
  client.send(methods.encodeBasicGet(1, { queue: 'new', noAck: false }));
  const one = await client.nextDelivery();
  assert.equal(one.body.toString(), 'one');
  assert.equal(one.properties.headers?.get('n')?.value, 1);
  client.send(methods.encodeBasicGet(1, { queue: 'new', noAck: true }));
  assert.deepEqual([...(await client.nextDelivery()).body], [0, 1]);
  await client.end();
  await first.stop();
  const second = await WarrenProcess.start(t, { args: ['--seed', path], dataDir });
  await second.logged(/There are queues: .* is not loaded/);
  await second.stop();
  const broken = WarrenProcess.run(t, { args: ['--seed', file(t, '{"vhost": 1}')] });
  assert.notEqual((await broken.exited).code, 0);
  assert.match(broken.output, /:1: vhost is no text/);
});
