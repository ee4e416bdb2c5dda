import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable } from '../../../src/base/field-table.ts';
import { longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import * as requests from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { HttpClient } from './http-client.ts';
import { type ManagedBroker, withManagement } from './with-management.ts';

interface Finding {
  readonly severity: string;
  readonly text: string;
  readonly kind: string;
}

async function findings(http: HttpClient, query = '', user = 'guest:guest'): Promise<readonly Finding[]> {
  const { status, json } = await http.get(`/api/findings${query}`, { user });
  assert.equal(status, 200);
  return json as readonly Finding[];
}

async function fill({ broker }: ManagedBroker, queue: string, count: number, args: FieldTable = new Map()): Promise<AmqpDriver> {
  const client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  await client.call(requests.queueDeclare(1, { queue, arguments: args }), methods.QueueDeclareOk);
  for (let i = 0; i < count; i++) client.publish(1, { routingKey: queue });
  await client.call(requests.confirmSelect(1), methods.ConfirmSelectOk);
  return client;
}

test('a queue with 1000 messages and no consumer is a finding, one with 999 is none', async () => {
  await withManagement({}, async managed => {
    using client = await fill(managed, 'forgotten', 999);
    const query = '?vhost=%2F&queue=forgotten';
    assert.deepEqual(await findings(managed.http, query), []);
    client.publish(1, { routingKey: 'forgotten' });
    await waitUntil(async () => (await findings(managed.http, query)).length === 1);
    const [finding] = await findings(managed.http, query);
    assert.equal(finding?.text, 'Queue forgotten holds 1,000 messages and has no consumer');
    await client.call(requests.basicConsume(1, { queue: 'forgotten', consumerTag: 'c' }), methods.BasicConsumeOk);
    assert.deepEqual(await findings(managed.http, query), []);
  });
});

test('a consumer whose prefetch leaves nothing to the others is a finding', async () => {
  await withManagement({}, async managed => {
    using client = await fill(managed, 'greedy', 20);
    client.method(requests.basicQos(1, 1000));
    await client.expect(methods.BasicQosOk, 1);
    for (const consumerTag of ['a', 'b', 'c', 'd'])
      await client.call(requests.basicConsume(1, { queue: 'greedy', consumerTag }), methods.BasicConsumeOk);
    await waitUntil(async () => (await findings(managed.http, '?queue=greedy')).length === 1);
    const [finding] = await findings(managed.http, '?queue=greedy');
    assert.equal(finding?.text, 'Prefetch 1,000 starves 3 of 4 consumers of queue greedy');
  });
});

test('a dead letter exchange that does not exist is a finding', async () => {
  await withManagement({}, async managed => {
    using client = await fill(managed, 'q', 0, new Map([['x-dead-letter-exchange', longstr('nowhere')]]));
    const [finding] = await findings(managed.http);
    assert.equal(finding?.text, 'Dead letters of queue q are lost: exchange nowhere does not exist');
    await client.call(requests.exchangeDeclare(1, { exchange: 'nowhere' }), methods.ExchangeDeclareOk);
    assert.deepEqual(await findings(managed.http, '?queue=q'), []);
  });
});

test('messages that reached no queue are a finding', async () => {
  await withManagement({}, async managed => {
    using client = await fill(managed, 'q', 0);
    client.publish(1, { exchange: 'amq.direct', routingKey: 'nobody' });
    const found = await waitUntil(async () => (await findings(managed.http)).find(({ kind }) => kind === 'vhost'), {
      timeoutMillis: 10_000,
    });
    assert.match(found?.text ?? '', /^1 message published in virtual host \/ in the last \d+ s reached no queue$/);
  });
});

test('an alarm is the first of the findings', async () => {
  await withManagement({}, async managed => {
    managed.broker.core.alarms.set('disk');
    const [finding] = await findings(managed.http);
    assert.deepEqual([finding?.severity, finding?.text], ['bad', 'Publishers are held: free disk space is below the limit']);
  });
});

test('a user sees findings of what the user may see only', async () => {
  await withManagement({}, async managed => {
    using client = await fill(managed, 'q', 0, new Map([['x-dead-letter-exchange', longstr('nowhere')]]));
    assert.equal(client.socket.destroyed, false);
    await managed.http.put('/api/users/eve', { password: 'eve', tags: 'management' });
    assert.equal((await findings(managed.http)).length, 1);
    assert.deepEqual(await findings(managed.http, '', 'eve:eve'), []);
    assert.equal((await managed.http.get('/api/findings?queue=q', { user: 'eve:eve' })).status, 404);
    for (const limit of ['0', '-1', 'x', '1e3']) assert.equal((await managed.http.get(`/api/findings?limit=${limit}`)).status, 400, limit);
  });
});

test('shovels and upstreams, which move nothing here, are a finding for those who see their virtual host', async () => {
  await withManagement({}, async ({ http }) => {
    const uri = 'amqp://elsewhere';
    for (const name of ['one', 'two'])
      await http.put(`/api/parameters/shovel/%2F/${name}`, { value: { 'src-uri': uri, 'dest-uri': uri, 'src-queue': 'q' } });
    await http.put('/api/parameters/federation-upstream/%2F/up', { value: { uri } });
    await http.put('/api/users/other', { password: 'other', tags: 'management' });
    const what = 'nothing: there are no shovels and no federation here';
    assert.deepEqual(
      (await findings(http)).map(({ text }) => text),
      [`2 shovels of virtual host / are kept and move ${what}`, `1 federation upstream of virtual host / is kept and moves ${what}`],
    );
    assert.deepEqual(await findings(http, '', 'other:other'), []);
  });
});
