import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { longstr, table } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { CertificateStore } from '../support/certificates.ts';
import { tlsWith } from '../support/edge.ts';
import * as requests from '../support/amqp-requests.ts';
import type { ManagedBroker } from '../integration/management/with-management.ts';
import { closeBrowser, reasonToSkip } from './support/chromium.ts';
import { type UiPage, withUi } from './support/with-ui.ts';

const options = reasonToSkip === null ? {} : { skip: reasonToSkip };
after(closeBrowser);

/** Names that are code, or look like something else, or break what is built of texts. */
const hostile: readonly string[] = [
  '<img src=x onerror="alert(1)">',
  '"><script>alert(2)</script>',
  "'-alert(3)-'",
  'javascript:alert(4)',
  '__proto__',
  'constructor',
  '\u202Ereversed',
  'line\nbreak',
  '%2F%00..%2e',
  'a/b?c#d&e=f',
  '{{7*7}}${7*7}',
  'x'.repeat(240),
  '🐇'.repeat(40),
  ' ',
];

/** Line breaks in names of queues are taken out by AMQP. */
function queueNameOf(name: string): string {
  return name.replaceAll('\n', '');
}

async function fill({ broker, http }: ManagedBroker, name: string): Promise<AmqpDriver> {
  const segment = encodeURIComponent(name);
  const queue = queueNameOf(name);
  // The API takes no such key in JSON.
  const key = name === '__proto__' ? 'constructor' : name;
  const send = async (method: string, path: string, body: unknown): Promise<void> => {
    const { status, text } = await http.request(method, `/api/${path}`, { body });
    assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  };
  await send('PUT', `vhosts/${segment}`, { description: name, tags: [name.replaceAll(',', ' ')] });
  await send('PUT', `permissions/${segment}/guest`, { configure: '.*', write: '.*', read: '.*' });
  await send('PUT', `users/${segment}`, { password: 'x', tags: `management,${name.replaceAll(',', ' ')}` });
  await send('PUT', `permissions/${segment}/${segment}`, { configure: '^<img src=x onerror=alert(5)>$', write: '', read: '' });
  await send('PUT', `topic-permissions/${segment}/${segment}`, { exchange: name, write: '<script>alert(6)</script>', read: '' });
  await send('PUT', `vhost-limits/${segment}/max-queues`, { value: 50 });
  await send('PUT', `user-limits/${segment}/max-connections`, { value: 50 });
  await send('PUT', `policies/${segment}/${segment}`, { pattern: '<b>|.*', definition: { 'max-length': 50 }, 'apply-to': 'queues' });
  await send('PUT', `exchanges/${segment}/${segment}`, { type: 'topic', durable: true, arguments: { [key]: name } });
  await send('PUT', `queues/${segment}/${encodeURIComponent(queue)}`, {
    durable: true,
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'grave' },
  });
  await send('PUT', `queues/${segment}/grave`, { durable: true });
  await send('POST', `bindings/${segment}/e/${segment}/q/${encodeURIComponent(queue)}`, { routing_key: name, arguments: { [key]: name } });
  const client = await AmqpDriver.connect({
    port: broker.port,
    vhost: name,
    clientProperties: new Map([
      ['connection_name', longstr(name)],
      [name.slice(0, 100), longstr(name)],
    ]),
  });
  await client.openChannel(1);
  for (let i = 0; i < 2; i++) {
    client.publish(1, {
      exchange: name,
      routingKey: name,
      body: name,
      properties: { headers: new Map([[name, table(new Map([[name, longstr(name)]]))]]), contentType: name, messageId: name, appId: name },
    });
  }
  client.method(requests.basicGet(1, queue));
  const got = await client.nextDelivery(1);
  assert.equal(got.kind, 'get-ok');
  if (got.kind === 'get-ok') client.method(requests.basicReject(1, got.args.deliveryTag, false));
  client.method(requests.basicQos(1, 1));
  await client.expect(methods.BasicQosOk, 1);
  await client.call(
    requests.basicConsume(1, { queue: 'grave', consumerTag: name, arguments: new Map([[name, longstr(name)]]) }),
    methods.BasicConsumeOk,
  );
  client.method(requests.basicCancel(1, 'none', true));
  return client;
}

/** Pages that show what is called so. */
function pagesOf(name: string): string[] {
  const n = encodeURIComponent(name);
  const queue = encodeURIComponent(queueNameOf(name));
  return [
    'connections',
    'channels',
    'exchanges',
    `exchanges/${n}/${n}`,
    'queues',
    ...['overview', 'messages', 'bindings', 'publish'].map(tab => `queues/${n}/${queue}?tab=${tab}`),
    `queues/${n}/grave?tab=consumers`,
    `queues/${n}/grave?tab=messages`,
    'users',
    `users/${n}`,
    'vhosts',
    `vhosts/${n}`,
    'policies',
    'limits',
    'dead-letters',
    `dead-letters?vhost=${n}&queue=grave`,
    'topology',
    `scheduled?vhost=${n}&exchange=${n}`,
    `scheduled?vhost=${n}&queue=${n}`,
    'unroutable',
    `explain?vhost=${n}&exchange=${n}&key=${n}`,
  ];
}

async function isUntouched(page: UiPage, where: string): Promise<void> {
  const found = await page.page.evaluate("document.querySelectorAll('#app img, #app script, #app iframe, #app b, #app [onerror]').length");
  assert.equal(found, 0, where);
}

test('names of any kind are shown as text on every page, and no page stumbles over them', options, async () => {
  await withUi(async ui => {
    const clients: AmqpDriver[] = [];
    try {
      for (const name of hostile) clients.push(await fill(ui.broker, name));
      const page = await ui.open();
      for (const [index, name] of hostile.entries()) {
        for (const hash of pagesOf(name)) {
          // Lists show all of them at once.
          if (index > 0 && !hash.includes('/') && !hash.includes('?')) continue;
          await page.goto(hash);
          await page.settled();
          await isUntouched(page, hash);
        }
        await page.goto(`queues/${encodeURIComponent(name)}/${encodeURIComponent(queueNameOf(name))}`);
        await page.page.locator('.tabs').waitFor();
        assert.equal(await page.page.locator('h1').textContent(), queueNameOf(name));
      }
    } finally {
      for (const client of clients) client.destroy();
    }
  });
});

test('a queue is deleted by a name that is code', options, async () => {
  await withUi(async ui => {
    const [name = ''] = hostile;
    const path = `/api/queues/%2F/${encodeURIComponent(name)}`;
    await ui.broker.http.put(path, {});
    const page = await ui.open();
    await page.goto(`queues/%2F/${encodeURIComponent(name)}`);
    await page.button('Delete').click();
    await page.dialog.getByLabel(/to confirm$/s).fill(name);
    await isUntouched(page, 'the dialog');
    await page.dialog.getByRole('button', { name: 'Delete queue' }).click();
    await page.said('is gone.');
    await isUntouched(page, 'the toast');
    assert.equal((await ui.broker.http.get(path)).status, 404);
  });
});

test('a message from a stranger is shown as it is: properties, headers, payload, death', options, async () => {
  await withUi(async ui => {
    const [name = ''] = hostile;
    const client = await fill(ui.broker, name);
    try {
      client.destroy();
      const page = await ui.open();
      await page.goto(`queues/${encodeURIComponent(name)}/grave?tab=messages`);
      await page.page.locator('tbody tr').getByRole('button').first().click();
      await page.dialog.getByText('How it died').waitFor();
      await isUntouched(page, 'the message');
      assert.equal(await page.dialog.getByRole('region', { name: 'Payload' }).textContent(), name);
      assert.deepEqual(await page.watched.accessibilityViolations(), []);
      await page.watched.screenshot('message-hostile-light');
    } finally {
      client.destroy();
    }
  });
});

test("the names in a client's certificate are shown as text", options, async () => {
  const store = new CertificateStore();
  const [name = ''] = hostile;
  const root = store.make({ subject: '/CN=root', isAuthority: true });
  const server = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost' }, root);
  const stranger = store.make({ subject: `/O=<script>alert(7)<\\/script>/CN=${name}` }, root);
  const tls = tlsWith(server, { caFile: store.write('root.pem', root.pem), verify: 'peer' });
  try {
    await withUi(
      async ui => {
        const port = ui.broker.broker.listeners[1]?.port ?? 0;
        const [cert, key] = [stranger.certFile, stranger.keyFile].map(file => readFileSync(file));
        const client = await AmqpDriver.connect({ port, tls: { ca: root.pem, servername: 'localhost', cert, key } });
        const page = await ui.open();
        await page.goto('connections');
        await page.page.locator('tbody tr').getByRole('link').first().click();
        await page.settled();
        // Characters with a meaning in distinguished names are escaped there.
        await page.page.getByText('onerror').first().waitFor();
        await isUntouched(page, 'the connection');
        client.destroy();
      },
      { broker: { listeners: [{}, { protocol: 'amqp', tls }] } },
    );
  } finally {
    store.dispose();
  }
});
