import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { addUser } from '../access/grants.ts';
import { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

interface Detail {
  readonly rate: number;
  readonly samples?: readonly { readonly sample: number; readonly timestamp: number }[];
  readonly avg?: number;
  readonly avg_rate?: number;
}

describe('statistics', () => {
  test('rates and samples tell what happened and when', async () => {
    await withManagement({}, async ({ broker, management, http: api }) => {
      await api.put('/api/queues/%2F/q', {});
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      const { statistics } = management;
      await waitUntil(() => statistics.tick > 1);
      for (let i = 0; i < 100; i++) client.publish(1, { routingKey: 'q', body: 'x' });
      const published = await waitUntil(async () => {
        const view = (await api.get('/api/queues/%2F/q')).json as { message_stats?: { publish: number; publish_details: Detail } };
        return view.message_stats?.publish === 100 && view.message_stats.publish_details.rate > 0 ? view.message_stats : null;
      });
      assert.ok(published !== null);
      const { tick } = statistics;
      await waitUntil(() => statistics.tick > tick + 3);
      const later = (await api.get('/api/queues/%2F/q?msg_rates_age=1&msg_rates_incr=1&lengths_age=1&lengths_incr=1')).json as {
        message_stats: { publish: number; publish_details: Detail };
        messages_details: Detail;
        idle_since: string;
      };
      const details = later.message_stats.publish_details;
      assert.equal(details.rate, 0, 'nothing was published since');
      assert.equal(details.samples?.length, 2);
      assert.equal(details.samples[0]?.sample, 100);
      assert.equal(details.samples[1]?.sample, 0, 'a second ago there was nothing');
      assert.equal((details.samples[0]?.timestamp ?? 0) - (details.samples[1]?.timestamp ?? 0), 1000);
      assert.equal(details.avg, 50);
      assert.equal(details.avg_rate, 100);
      assert.equal(later.messages_details.samples?.[0]?.sample, 100);
      assert.ok(Date.parse(later.idle_since) <= Date.now());
      const overview = (await api.get('/api/overview')).json as { message_stats: { publish: number }; queue_totals: { messages: number } };
      assert.equal(overview.message_stats.publish, 100);
      assert.equal(overview.queue_totals.messages, 100);
      await client.end();
    });
  });

  test('a range that makes no sense is refused', async () => {
    await withManagement({}, async ({ http: api }) => {
      for (const query of [
        'lengths_age=60&lengths_incr=0',
        'msg_rates_age=-1&msg_rates_incr=1',
        'data_rates_age=9999999&data_rates_incr=1',
      ]) {
        assert.equal((await api.get(`/api/overview?${query}`)).status, 400, query);
      }
      assert.equal((await api.get('/api/overview?lengths_age=60&lengths_incr=x')).status, 200, 'what is no number is passed over');
    });
  });

  test('a long list is sent in pieces, and the event loop goes on meanwhile', async () => {
    await withManagement({}, async ({ broker, http: api }) => {
      const vhost = broker.core.vhosts.get('/');
      assert.ok(vhost !== undefined);
      for (let i = 0; i < 3000; i++) {
        const declaration = { name: `q${i}`, isDurable: false, isAutoDelete: false, owner: null, arguments: new Map() };
        broker.core.topology.declareQueue(vhost, declaration, { user: '', owner: null, isBroker: true });
      }
      await api.get('/api/queues?page=1');
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      const answer = await api.get('/api/queues');
      clearInterval(timer);
      assert.equal((answer.json as unknown[]).length, 3000);
      assert.equal(answer.headers['transfer-encoding'], 'chunked');
      assert.ok(turns >= 3, `the event loop had its turn ${turns} times`);
      const sorted = (await api.get('/api/queues?sort=memory&sort_reverse=true&columns=name&page=30')).json as {
        items: unknown[];
        page_count: number;
      };
      assert.equal(sorted.items.length, 100);
      assert.equal(sorted.page_count, 30);
    });
  });
});

describe('connections', () => {
  test('are listed to monitors and to their own users, and closed with the reason given', async () => {
    await withManagement({}, async ({ broker, http: api }) => {
      await api.put('/api/users/bob', { password: 'bob', tags: 'management' });
      await api.put('/api/permissions/%2F/bob', { configure: '.*', write: '.*', read: '.*' });
      await api.put('/api/users/mon', { password: 'mon', tags: 'monitoring' });
      const ours = await AmqpDriver.connect({ port: broker.port });
      const his = await AmqpDriver.connect({ port: broker.port, user: 'bob', password: 'bob' });
      await his.openChannel(1);
      const names = async (user: string): Promise<string[]> =>
        ((await api.get('/api/connections', { user })).json as { user: string }[]).map(connection => connection.user).sort();
      assert.deepEqual(await names('guest:guest'), ['bob', 'guest']);
      assert.deepEqual(await names('mon:mon'), ['bob', 'guest']);
      assert.deepEqual(await names('bob:bob'), ['bob']);
      const all = (await api.get('/api/connections')).json as { name: string; user: string }[];
      const nameOf = (user: string): string => encodeURIComponent(all.find(connection => connection.user === user)?.name ?? '');
      assert.equal((await api.get(`/api/connections/${nameOf('guest')}`, { user: 'bob:bob' })).status, 401);
      assert.equal((await api.delete(`/api/connections/${nameOf('guest')}`, { user: 'mon:mon' })).status, 401);
      const channels = (await api.get(`/api/connections/${nameOf('bob')}/channels`)).json as { number: number; name: string }[];
      assert.equal(channels.length, 1);
      assert.equal((await api.get(`/api/channels/${encodeURIComponent(channels[0]?.name ?? '')}`)).status, 200);
      const closed = await api.delete(`/api/connections/${nameOf('bob')}`, { user: 'bob:bob', headers: { 'x-reason': 'because I can' } });
      assert.equal(closed.status, 204);
      const { replyCode, replyText } = await his.expectConnectionClose();
      assert.deepEqual([replyCode, replyText], [320, 'CONNECTION_FORCED - because I can']);
      assert.equal((await api.delete('/api/connections/username/guest')).status, 204);
      assert.equal((await ours.expectConnectionClose()).replyText, 'CONNECTION_FORCED - Closed via management plugin');
      await waitUntil(async () => (await names('guest:guest')).length === 0);
    });
  });

  test('consumers are listed with where they are', async () => {
    await withManagement({}, async ({ broker, http: api }) => {
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(7);
      const args = new Map([['x-single-active-consumer', { type: 't', value: true } as const]]);
      await client.call(queueDeclare(7, { queue: 'sac', arguments: args }), methods.QueueDeclareOk);
      for (const consumerTag of ['one', 'two']) {
        const consume = { queue: 'sac', consumerTag, noLocal: false, noAck: true, exclusive: false, nowait: false, arguments: new Map() };
        await client.call(methods.encodeBasicConsume(7, consume), methods.BasicConsumeOk);
      }
      const consumers = (await api.get('/api/consumers')).json as {
        consumer_tag: string;
        active: boolean;
        activity_status: string;
        channel_details: { number: number; name: string };
      }[];
      assert.deepEqual(
        consumers.map(each => [each.consumer_tag, each.active, each.activity_status, each.channel_details.number]),
        [
          ['one', true, 'single_active', 7],
          ['two', false, 'waiting', 7],
        ],
      );
      assert.match(consumers[0]?.channel_details.name ?? '', / -> 127\.0\.0\.1:\d+ \(7\)$/);
      const queue = (await api.get('/api/queues/%2F/sac')).json as { consumer_details: unknown[]; single_active_consumer_tag: string };
      assert.equal(queue.consumer_details.length, 2);
      assert.equal(queue.single_active_consumer_tag, 'one');
      await client.end();
    });
  });
});

describe('definitions', () => {
  test('what one broker exports makes another one the same', async () => {
    let exported = '';
    await withManagement({}, async ({ http: api }) => {
      await api.put('/api/vhosts/v', { description: 'd', tags: 'a,b' });
      await api.put('/api/users/bob', { password: 'bob', tags: 'monitoring' });
      await api.put('/api/permissions/v/bob', { configure: 'a', write: 'b', read: 'c' });
      await api.put('/api/topic-permissions/v/bob', { exchange: 'amq.topic', write: 'b', read: 'c' });
      await api.put('/api/queues/v/q', { durable: true, arguments: { 'x-max-length': 5 } });
      await api.put('/api/exchanges/v/e', { type: 'topic', durable: true });
      await api.post('/api/bindings/v/e/e/q/q', { routing_key: 'k', arguments: { a: 1 } });
      await api.put('/api/policies/v/p', { pattern: '^q', definition: { 'max-length': 3 }, priority: 2 });
      await api.put('/api/operator-policies/v/o', { pattern: '^q', definition: { 'max-length': 4 } });
      await api.put('/api/vhost-limits/v/max-queues', { value: 10 });
      await api.put('/api/global-parameters/g', { value: { x: 1 } });
      const answer = await api.get('/api/definitions?download=my%20defs.json');
      assert.equal(answer.headers['content-disposition'], 'attachment; filename="my_defs.json"');
      exported = answer.text;
    });
    await withManagement({}, async ({ http: api }) => {
      assert.equal((await api.post('/api/definitions', exported)).status, 204);
      const again = (await api.get('/api/definitions')).json as Record<string, unknown>;
      assert.deepEqual(again, JSON.parse(exported));
      assert.equal((await api.get('/api/whoami', { user: 'bob:bob' })).status, 200, 'passwords are the same too');
    });
  });

  test('those of one virtual host go into any other, as JSON or as the file of a form', async () => {
    await withManagement({}, async ({ http: api, broker }) => {
      await api.put('/api/queues/%2F/q', { durable: true });
      const exported = (await api.get('/api/definitions/%2F')).text;
      assert.ok(!exported.includes('"users"'));
      await api.put('/api/vhosts/other', {});
      const boundary = 'xyz';
      const form = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n${exported}\r\n--${boundary}--\r\n`;
      const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
      assert.equal((await api.request('POST', '/api/definitions/other', { body: form, headers })).status, 204);
      assert.ok(broker.core.vhosts.get('other')?.queues.has('q'));
      assert.equal((await api.post('/api/definitions/nope', exported)).status, 404);
    });
  });

  test('definitions that cannot be applied whole are not applied at all', async () => {
    await withManagement({}, async ({ http: api, broker }) => {
      const answer = await api.post('/api/definitions', {
        vhosts: [{ name: 'v' }],
        queues: [{ name: 'q', vhost: 'v', durable: true, auto_delete: false, arguments: { 'x-message-ttl': -1 } }],
      });
      assert.equal(answer.status, 400);
      assert.match((answer.json as { reason: string }).reason, /value_negative,-1/);
      assert.equal(broker.core.vhosts.has('v'), false);
      assert.equal((await api.post('/api/definitions', '{bad')).status, 400);
      assert.equal((await api.post('/api/definitions', {}, { user: null })).status, 401);
    });
  });
});

describe('users', () => {
  test('a user with the tag protected is changed and deleted by the command line only', async () => {
    await withManagement({}, async ({ http: api, broker }) => {
      await api.put('/api/users/root', { password: 'x', tags: 'administrator,protected' });
      await api.put('/api/users/other', { password: 'x', tags: '' });
      for (const { status, json } of [
        await api.put('/api/users/root', { password: 'y', tags: '' }),
        await api.delete('/api/users/root'),
        await api.post('/api/users/bulk-delete', { users: ['other', 'root'] }),
      ])
        assert.deepEqual([status, (json as { error: unknown }).error], [412, 'precondition_failed']);
      assert.deepEqual(broker.core.access.user('root')?.tags, ['administrator', 'protected']);
      assert.ok(broker.core.access.user('other') !== undefined, 'all or none are deleted');
    });
  });
});

describe('virtual hosts', () => {
  test('one that is protected is not deleted', async () => {
    await withManagement({}, async ({ http: api }) => {
      await api.put('/api/vhosts/v', {});
      assert.equal((await api.post('/api/vhosts/v/deletion/protection', '')).status, 204);
      assert.equal((await api.delete('/api/vhosts/v')).status, 412);
      assert.equal((await api.delete('/api/vhosts/v/deletion/protection')).status, 204);
      assert.equal((await api.delete('/api/vhosts/v')).status, 204);
    });
  });

  test('deleting one closes its connections and takes its permissions along', async () => {
    await withManagement({}, async ({ http: api, broker }) => {
      await api.put('/api/vhosts/v', {});
      const client = await AmqpDriver.connect({ port: broker.port, vhost: 'v' });
      assert.equal((await api.delete('/api/vhosts/v')).status, 204);
      assert.match((await client.expectConnectionClose()).replyText, /^CONNECTION_FORCED - /);
      assert.equal((await api.get('/api/permissions/v/guest')).status, 404);
    });
  });
});

describe('health checks', () => {
  test('answer 503 while an alarm is in effect', async () => {
    await withManagement({}, async ({ http: api, broker }) => {
      assert.equal((await api.get('/api/health/checks/alarms')).status, 200);
      broker.core.alarms.set('memory');
      const answer = await api.get('/api/health/checks/local-alarms');
      assert.equal(answer.status, 503);
      assert.deepEqual(answer.json, {
        status: 'failed',
        reason: 'There are alarms in effect on the node',
        alarms: [{ node: 'rabbit@localhost', resource: 'memory' }],
      });
      const [node] = (await api.get('/api/nodes')).json as { mem_alarm: boolean }[];
      assert.equal(node?.mem_alarm, true);
      broker.core.alarms.clear('memory');
    });
  });

  test('look for listeners by port and by protocol', async () => {
    await withManagement({}, async ({ http: api, broker, management }) => {
      assert.equal((await api.get(`/api/health/checks/port-listener/${broker.port}`)).status, 200);
      assert.equal((await api.get(`/api/health/checks/port-listener/${management.port}`)).status, 200);
      const missing = await api.get('/api/health/checks/port-listener/1');
      assert.equal(missing.status, 503);
      assert.deepEqual(missing.json, {
        status: 'failed',
        reason: 'No active listener',
        missing: 1,
        ports: [broker.port, management.port, management.metricsPort],
      });
      assert.equal((await api.get('/api/health/checks/protocol-listener/amqp,http')).status, 200);
      assert.deepEqual((await api.get('/api/health/checks/protocol-listener/mqtt')).json, {
        status: 'failed',
        reason: 'No active listener',
        missing: 'mqtt',
        protocols: ['amqp', 'http', 'http/prometheus'],
      });
      assert.equal((await api.get('/api/health/checks/ready-to-serve-clients')).status, 200);
      assert.equal((await api.get('/api/health/checks/is-in-service')).status, 200);
      assert.equal((await api.get('/api/health/checks/below-node-connection-limit')).status, 200);
    });
  });
});

test('the control socket needs no password and opens everything', async () => {
  let accept: ((socket: net.Socket) => void) | null = null;
  const controlConnections = { handConnectionsTo: (taker: typeof accept) => void (accept = taker) };
  const directory = mkdtempSync(join(tmpdir(), 'control-'));
  const socketPath = join(directory, 's');
  const server = net.createServer({ allowHalfOpen: true }, socket => accept?.(socket));
  await new Promise<void>(resolve => server.listen(socketPath, () => resolve()));
  const get = (path: string, method = 'GET'): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const request = http.request({ socketPath, path, method, agent: false }, response => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve([response.statusCode ?? 0, text]));
      });
      request.on('error', reject).end();
    });
  try {
    await withManagement({ options: { controlConnections }, management: { pathPrefix: '/prefix' } }, async ({ broker }) => {
      const [status, text] = await get('/api/whoami');
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), { name: 'rmq-cli', tags: ['administrator'] });
      broker.core.access.deleteUser('guest');
      assert.equal((await get('/api/users'))[0], 200);
      assert.equal((await get('/api/queues/%2F/q', 'PUT'))[0], 201);
      assert.equal((await get('/api/queues/%2F/q', 'DELETE'))[0], 204);
      addUser(broker.core, 'root', ['protected']);
      assert.equal((await get('/api/users/root', 'DELETE'))[0], 204);
    });
    assert.equal(accept, null, 'nobody takes connections when the management has stopped');
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});

test('the API is served with TLS', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  const tls = {
    certFile,
    keyFile,
    password: null,
    caFile: null,
    verify: 'none',
    failIfNoPeerCert: false,
    depth: 1,
    versions: ['TLSv1.3', 'TLSv1.2'],
    ciphers: [],
    honorCipherOrder: true,
    sni: [],
  } as const;
  try {
    await withManagement(
      { management: { listeners: [{ kind: 'tls', host: '127.0.0.1', port: 0, backlog: 10, tls }] } },
      async ({ management }) => {
        const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
          const options = {
            port: management.port,
            path: '/api/whoami',
            auth: 'guest:guest',
            ca: readFileSync(certFile),
            servername: 'localhost',
          };
          https.get({ ...options, host: '127.0.0.1', agent: false }, resolve).on('error', reject);
        });
        assert.equal(answer.statusCode, 200);
        assert.match(String(answer.headers['strict-transport-security']), /max-age/);
        answer.resume();
        assert.equal(management.listeners().find(({ protocol }) => protocol === 'https')?.isTls, true);
        const plain = new HttpClient(management.port);
        await assert.rejects(plain.get('/api/whoami'));
        plain.close();
        const expiring = management.listeners().find(({ protocol }) => protocol === 'https')?.certificateValidTo ?? '';
        assert.ok(Date.parse(expiring) - Date.now() < 3 * 86_400_000);
        // The health check sees it, too: it is valid for two days.
        const check = (path: string): Promise<{ status: number; json: unknown }> =>
          new Promise((resolve, reject) => {
            const options = { port: management.port, host: '127.0.0.1', auth: 'guest:guest', ca: readFileSync(certFile) };
            https
              .get(
                { ...options, path: `/api/health/checks/certificate-expiration/${path}`, servername: 'localhost', agent: false },
                answered => {
                  let text = '';
                  answered.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
                  answered.on('end', () => resolve({ status: answered.statusCode ?? 0, json: JSON.parse(text) }));
                },
              )
              .on('error', reject);
          });
        assert.deepEqual(await check('1/days'), { status: 200, json: { status: 'ok' } });
        const { status, json } = await check('1/weeks');
        assert.equal(status, 503);
        const { reason, expired } = json as { reason: string; expired: { protocol: string; certfile_expires_on: string[] }[] };
        assert.equal(reason, 'Certificates expiring');
        assert.deepEqual(
          expired.map(({ protocol, certfile_expires_on: ends }) => [protocol, ends]),
          [['https', [expiring]]],
        );
      },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the API listens on an address of its own, and not on others', async () => {
  const own = { kind: 'tcp', host: '127.0.0.2', port: 0, backlog: 10, tls: null } as const;
  await withManagement({ management: { listeners: [own] } }, async ({ management }) => {
    const asked = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { host, port: management.port, path: '/api/whoami', auth: 'guest:guest', agent: false };
        http.get(options, answer => resolve(answer.resume().statusCode ?? 0)).on('error', reject);
      });
    assert.equal(await asked('127.0.0.2'), 200);
    await assert.rejects(asked('127.0.0.1'), { code: 'ECONNREFUSED' });
    assert.equal(management.listeners().find(({ protocol }) => protocol === 'http')?.host, '127.0.0.2');
  });
});

test('a port that is taken is told, and nothing is left running', async () => {
  const taken = net.createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', () => resolve()));
  const { port } = taken.address() as net.AddressInfo;
  const listener = { kind: 'tcp', host: '127.0.0.1', port, backlog: 10, tls: null } as const;
  const free = { ...listener, port: 0 };
  await assert.rejects(
    withManagement({ management: { listeners: [free, listener] } }, () => Promise.resolve()),
    /cannot listen on 127\.0\.0\.1:\d+: the address is in use/,
  );
  taken.close();
});

test('/api/ leads to a page that lists every route', async () => {
  await withManagement({}, async ({ http }) => {
    for (const path of ['/api', '/api/']) {
      const answer = await http.get(path, { user: null });
      assert.deepEqual([answer.status, answer.headers.location], [301, '/api/index.html'], path);
    }
    const page = await http.get('/api/index.html', { user: null });
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    const { paths } = (await http.get('/api/openapi.json')).json as { paths: Record<string, object> };
    for (const [path, methodsOf] of Object.entries(paths)) {
      for (const method of Object.keys(methodsOf))
        assert.ok(page.text.includes(`<tr><td>${method.toUpperCase()}</td><td><code>${path}</code></td>`), `${method} ${path}`);
    }
    for (const check of ['initialized', 'initialized/with-data'])
      assert.deepEqual((await http.get(`/api/health/checks/metadata-store/${check}`)).json, { status: 'ok' });
  });
});
