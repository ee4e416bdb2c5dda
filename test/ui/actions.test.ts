import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { waitUntil } from '../support/wait-until.ts';
import { closeBrowser, reasonToSkip } from './support/chromium.ts';
import { openShop } from './support/shop.ts';
import { type Ui, type UiPage, withUi } from './support/with-ui.ts';

const options = reasonToSkip === null ? {} : { skip: reasonToSkip };
after(closeBrowser);

async function statusOf({ broker }: Ui, path: string): Promise<number> {
  return (await broker.http.get(`/api/${path}`)).status;
}

async function jsonOf<T>({ broker }: Ui, path: string): Promise<T> {
  const { status, json, text } = await broker.http.get(`/api/${path}`);
  assert.equal(status, 200, text);
  return json as T;
}

/** Runs a test with the shop open and somebody logged in. */
async function inShop(run: (page: UiPage, ui: Ui) => Promise<void>): Promise<void> {
  await withUi(async ui => {
    const shop = await openShop(ui.broker);
    try {
      await run(await ui.open(), ui);
    } finally {
      shop.close();
    }
  });
}

/** Types the name that a dialog asks for, and does what it is for. A wrong name must not do. */
async function confirm(page: UiPage, action: string, name: string | null): Promise<void> {
  const button = page.dialog.getByRole('button', { name: action, exact: true });
  if (name !== null) {
    const input = page.dialog.getByLabel(/^Type .* to confirm$/s);
    assert.equal(await button.isDisabled(), true);
    await input.fill(`${name}x`);
    assert.equal(await button.isDisabled(), true);
    await input.fill(name);
  }
  await button.click();
  await page.dialog.waitFor({ state: 'detached' });
}

test('queues are added, purged and deleted, with the name typed', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('queues');
    await page.button('Add queue').click();
    await page.dialog.getByLabel('Name', { exact: true }).fill('new');
    await page.dialog.getByRole('button', { name: 'Add' }).first().click();
    await page.dialog.getByLabel('Arguments: name 1').fill('x-max-length');
    await page.dialog.getByLabel('Arguments: value 1').fill('7');
    await page.dialog.getByRole('button', { name: 'Add queue' }).click();
    await page.said('Queue new is there.');
    const queue = await jsonOf<{ arguments: unknown; durable: boolean }>(ui, 'queues/%2F/new');
    assert.deepEqual([queue.arguments, queue.durable], [{ 'x-max-length': 7 }, true]);

    await page.goto('queues/%2F/orders');
    await page.button('Purge').click();
    await confirm(page, 'Purge queue', 'orders');
    await page.said('Queue orders is purged.');
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/orders')).messages, 0);

    await page.button('Delete').click();
    await confirm(page, 'Delete queue', 'orders');
    await page.said('Queue orders is gone.');
    assert.equal(await statusOf(ui, 'queues/%2F/orders'), 404);
    assert.match(page.page.url(), /#\/queues$/);
  });
});

test('queues are paused and resumed, and it shows', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('queues/%2F/orders');
    await page.button('Pause').click();
    await page.dialog.getByRole('button', { name: 'Pause queue' }).click();
    await page.said('Queue orders is paused.');
    const state = async (): Promise<string> => (await jsonOf<{ state: string }>(ui, 'queues/%2F/orders')).state;
    assert.equal(await state(), 'paused');
    await page.page.locator('.badge.warn', { hasText: 'paused' }).waitFor();
    await page.page.getByText(/Queue orders is paused since .* by guest/).waitFor();
    await page.button('Resume').click();
    await page.dialog.getByRole('button', { name: 'Resume queue' }).click();
    await page.said('Queue orders goes on.');
    assert.equal(await state(), 'running');
    await page.button('Pause').waitFor();
  });
});

test('what the broker refuses is shown where it was asked for, and changes nothing', options, async () => {
  await inShop(async (page, ui) => {
    page.watched.expectedStatuses.add(400);
    await page.goto('queues');
    await page.button('Add queue').click();
    await page.dialog.getByLabel('Name', { exact: true }).fill('orders');
    await page.dialog.getByRole('button', { name: 'Add queue' }).click();
    const alert = page.dialog.getByRole('alert');
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? '', /inequivalent arg/);
    await page.page.keyboard.press('Escape');
    await page.dialog.waitFor({ state: 'detached' });
    assert.equal(
      (await jsonOf<{ arguments: Record<string, unknown> }>(ui, 'queues/%2F/orders')).arguments['x-dead-letter-exchange'],
      'dead',
    );
  });
});

test('exchanges and bindings are added and deleted', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('exchanges');
    await page.button('Add exchange').click();
    await page.dialog.getByLabel('Name', { exact: true }).fill('fresh');
    await page.dialog.getByLabel('Type', { exact: true }).selectOption('topic');
    await page.dialog.getByRole('button', { name: 'Add exchange' }).click();
    await page.said('Exchange fresh is there.');

    await page.goto('exchanges/%2F/fresh');
    await page.button('Add binding').click();
    await page.dialog.getByLabel('Its name').fill('orders');
    await page.dialog.getByLabel('Binding key').fill('a.#');
    await page.button('Bind').click();
    await page.said('The binding is there.');
    await page.page.locator('td').getByText('a.#', { exact: true }).waitFor();
    await page.button('Unbind').click();
    await confirm(page, 'Unbind', null);
    await page.said('The binding is gone.');
    assert.deepEqual(await jsonOf(ui, 'exchanges/%2F/fresh/bindings/source'), []);

    await page.button('Delete').click();
    await confirm(page, 'Delete exchange', 'fresh');
    assert.equal(await statusOf(ui, 'exchanges/%2F/fresh'), 404);
  });
});

test('messages are published, looked at, searched, changed, deleted, moved and taken', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('queues/%2F/orders?tab=publish');
    await page.page.getByLabel('Payload', { exact: true }).fill('{"id":"needle","note":"grün"}');
    await page.button('Publish').click();
    await page.page.getByText('it reached at least one queue').waitFor();

    await page.goto('queues/%2F/orders?tab=messages');
    await page.page.getByLabel('Search payloads and headers').fill('needle');
    await page.button('Search').click();
    const row = page.page.locator('tbody tr').filter({ hasText: 'needle' });
    await row.waitFor();
    await waitUntil(async () => (await page.page.locator('tbody tr').count()) === 1);
    await row.getByRole('button').click();
    const payload = page.dialog.getByRole('region', { name: 'Payload' });
    assert.match((await payload.textContent()) ?? '', /"note": "grün"/);
    await page.button('Hex').click();
    assert.match((await payload.textContent()) ?? '', /^000000 {2}7b 22 69 64 22 3a 22 6e/);
    await page.button('Text').click();
    assert.equal(await payload.textContent(), '{"id":"needle","note":"grün"}');

    await page.button('Edit and republish').click();
    await page.dialog.getByLabel('Delete the original when the copy has reached a queue').check();
    await page.dialog.getByLabel('Payload', { exact: true }).fill('{"id":"needle","note":"blau"}');
    await page.dialog.getByRole('button', { name: 'Publish' }).click();
    await page.dialog.waitFor({ state: 'detached' });
    const found = await jsonOf<{ payload: string }[]>(ui, 'queues/%2F/orders/messages?search=needle');
    assert.deepEqual(
      found.map(message => message.payload),
      ['{"id":"needle","note":"blau"}'],
    );

    await page.page.locator('tbody tr').filter({ hasText: 'blau' }).getByRole('checkbox').check();
    await page.button('Move 1 …').click();
    await page.dialog.getByLabel('Its name').fill('everything');
    await page.dialog.getByRole('button', { name: 'Move' }).click();
    await page.said('Moved.');
    assert.deepEqual(await jsonOf(ui, 'queues/%2F/orders/messages?search=needle'), []);

    await page.goto('queues/%2F/everything?tab=messages');
    await page.page.getByLabel('Search payloads and headers').fill('needle');
    await page.button('Search').click();
    await page.page.locator('tbody tr').filter({ hasText: 'needle' }).getByRole('button').click();
    await page.button('Delete message').click();
    await confirm(page, 'Delete message', null);
    await page.said('The message is gone.');
    assert.deepEqual(await jsonOf(ui, 'queues/%2F/everything/messages?search=needle'), []);

    const before = (await jsonOf<{ messages: number }>(ui, 'queues/%2F/everything')).messages;
    await page.goto('queues/%2F/everything?tab=get');
    await page.page.getByLabel('What becomes of them').selectOption('ack_requeue_false');
    await page.page.getByLabel('How many').fill('2');
    await page.button('Get').click();
    await page.page.getByText('Message 2 of 2').waitFor();
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/everything')).messages, before - 2);
  });
});

test('dead letters are grouped, and go back after a dry run', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('dead-letters');
    await page.page.getByRole('link', { name: 'graveyard' }).click();
    const row = page.page.locator('tbody tr').filter({ hasText: 'orders' });
    await row.waitFor();
    assert.match((await row.textContent()) ?? '', /rejected.*4/s);
    await row.getByRole('button', { name: 'Redrive' }).click();
    await page.button('Dry run').click();
    await page.dialog.getByText('Dry run: 4 messages would be moved').waitFor();
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/graveyard')).messages, 6);
    await page.button('Redrive 4 messages').click();
    await page.said('4 of 4 messages are in orders.');
    await page.dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.page.getByText('2 messages, by reason and origin').waitFor();
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/orders')).messages, 40);
  });
});

test('routing is explained without a message', options, async () => {
  await inShop(async page => {
    await page.goto('explain?vhost=%2F&exchange=events&key=order.1.created');
    await page.button('Explain').click();
    await page.page.getByText('Reaches 4 queues').waitFor();
    await page.page.getByLabel('With routing key').fill('nothing');
    await page.button('Explain').click();
    await page.page.getByText('Reaches 1 queue').waitFor();
  });
});

test('connections are closed', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('connections');
    await page.page.getByRole('link', { name: 'billing-worker' }).click();
    await page.button('Close connection').click();
    await confirm(page, 'Close connection', null);
    await page.said('The connection is closed.');
    await waitUntil(async () => (await jsonOf<unknown[]>(ui, 'connections')).length === 0);
  });
});

test('users, permissions and topic permissions are added, changed and deleted', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('users');
    await page.button('Add user').click();
    await page.dialog.getByLabel('Name', { exact: true }).fill('bob');
    await page.dialog.getByLabel('Password', { exact: true }).fill('secret');
    assert.equal(await page.dialog.getByRole('button', { name: 'Add user' }).isDisabled(), true);
    await page.dialog.getByLabel('Password again').fill('secret');
    await page.dialog.getByLabel('management').check();
    await page.dialog.getByRole('button', { name: 'Add user' }).click();
    await page.said('User bob is saved.');
    assert.equal((await ui.broker.http.get('/api/whoami', { user: 'bob:secret' })).status, 200);

    await page.goto('users/bob');
    await page.button('Permit').click();
    await page.dialog.getByLabel(/^Write/).fill('^bob');
    await page.button('Save').click();
    await page.said('The permission is saved.');
    assert.equal((await jsonOf<{ write: string }>(ui, 'permissions/%2F/bob')).write, '^bob');
    await page.button('Restrict topics').click();
    await page.dialog.getByLabel('Topic exchange').fill('events');
    await page.button('Save').click();
    await page.said('The topic permission is saved.');
    const topics = page.page.getByRole('region', { name: 'Topic permissions', exact: true });
    await topics.getByRole('button', { name: 'Remove' }).click();
    await confirm(page, 'Remove topic permission', null);
    await page.said('The topic permission is gone.');
    await page.page.getByRole('region', { name: 'Permissions', exact: true }).getByRole('button', { name: 'Remove' }).click();
    await confirm(page, 'Remove permission', null);
    await page.said('The permission is gone.');
    assert.equal(await statusOf(ui, 'permissions/%2F/bob'), 404);
    await page.button('Delete').click();
    await confirm(page, 'Delete user', 'bob');
    assert.equal(await statusOf(ui, 'users/bob'), 404);
  });
});

test('virtual hosts are added, protected and deleted', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('vhosts');
    await page.button('Add virtual host').click();
    await page.dialog.getByLabel('Name', { exact: true }).fill('third');
    await page.dialog.getByRole('button', { name: 'Add virtual host' }).click();
    await page.said('Virtual host third is saved.');
    await page.goto('vhosts/third');
    await page.button('Protect from deletion').click();
    await page.said('It cannot be deleted now.');
    await waitUntil(async () => await page.button('Delete').isDisabled());
    await page.button('Take protection away').click();
    await waitUntil(async () => !(await page.button('Delete').isDisabled()));
    await page.button('Delete').click();
    await confirm(page, 'Delete virtual host', 'third');
    assert.equal(await statusOf(ui, 'vhosts/third'), 404);
  });
});

test('policies, operator policies and limits are added and deleted', options, async () => {
  await inShop(async (page, ui) => {
    for (const [one, path] of [
      ['policy', 'policies'],
      ['operator policy', 'operator-policies'],
    ] as const) {
      await page.goto('policies');
      await page.button(`Add ${one}`).click();
      await page.dialog.getByLabel('Name', { exact: true }).fill('p1');
      await page.dialog.getByLabel('Pattern').fill('^q');
      await page.dialog.getByRole('button', { name: 'Add' }).click();
      await page.dialog.getByLabel('Definition: name 1').fill('max-length');
      await page.dialog.getByLabel('Definition: value 1').fill('3');
      await page.button('Save').click();
      await page.said('p1 is in effect.');
      assert.deepEqual((await jsonOf<{ definition: unknown }>(ui, `${path}/%2F/p1`)).definition, { 'max-length': 3 });
      await page.page.locator('tbody tr').filter({ hasText: 'p1' }).getByRole('button', { name: 'Delete' }).click();
      await confirm(page, `Delete ${one}`, 'p1');
      assert.equal(await statusOf(ui, `${path}/%2F/p1`), 404);
    }
    await page.goto('limits');
    await page.button('Limit a user').click();
    await page.dialog.getByLabel('User').fill('guest');
    await page.dialog.getByLabel('Value').fill('9');
    await page.button('Save').click();
    await page.said('The limit is in effect.');
    await page.page.locator('tbody tr').filter({ hasText: 'guest' }).getByRole('button', { name: 'Remove' }).click();
    await confirm(page, 'Remove limit', null);
    await page.said('The limit is gone.');
    assert.deepEqual(await jsonOf(ui, 'user-limits/guest'), []);
  });
});

test('definitions show what an import would change before it does', options, async () => {
  await inShop(async (page, ui) => {
    const definitions = {
      vhosts: [{ name: '/' }, { name: 'imported' }],
      policies: [
        { vhost: '/', name: 'retry-limit', pattern: '^orders', 'apply-to': 'queues', priority: 5, definition: { 'max-length': 5000 } },
      ],
      queues: [
        { vhost: '/', name: 'graveyard', durable: true, auto_delete: false, arguments: {} },
        { vhost: 'imported', name: 'fresh', durable: true, auto_delete: false, arguments: {} },
      ],
    };
    await page.goto('definitions');
    const upload = page.page.getByLabel('File of definitions');
    await upload.setInputFiles({ name: 'bad.json', mimeType: 'application/json', buffer: Buffer.from('[1') });
    await page.page.getByText('The file is no JSON.').waitFor();
    await upload.setInputFiles({ name: 'd.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(definitions)) });
    await page.page.getByText('3 changes').waitFor();
    const lines = await page.page.locator('.diff li').allTextContents();
    assert.deepEqual(lines, ['addedvhosts imported', 'changedpolicies / · retry-limitpriority: 1 → 5', 'addedqueues imported · fresh']);
    assert.equal(await statusOf(ui, 'vhosts/imported'), 404);
    await page.button('Import').click();
    await page.said('The definitions are in effect.');
    assert.equal(await statusOf(ui, 'queues/imported/fresh'), 200);
    assert.equal((await jsonOf<{ priority: number }>(ui, 'policies/%2F/retry-limit')).priority, 5);
  });
});

test('a login that fails says so, and one that ends leads back to the login', options, async () => {
  await withUi(async ui => {
    const page = await ui.open();
    page.watched.expectedStatuses.add(401);
    await page.button('Log out').click();
    await page.page.getByLabel('User').fill('guest');
    await page.page.getByLabel('Password').fill('wrong');
    await page.button('Log in').click();
    await page.page.getByRole('alert').waitFor();
    assert.deepEqual(await page.watched.accessibilityViolations(), []);
    await page.watched.screenshot('login-light');
    await ui.broker.http.put('/api/users/eve', { password: 'eve', tags: 'management' });
    await page.page.getByLabel('User').fill('eve');
    await page.page.getByLabel('Password').fill('eve');
    await page.button('Log in').click();
    await page.page.locator('main.content').waitFor();
    assert.equal(await page.page.getByRole('link', { name: 'Users' }).count(), 0);
    await ui.broker.http.delete('/api/users/eve');
    await page.button('Log in').waitFor();
  });
});

test('pages and actions are reached by keyboard', options, async () => {
  await inShop(async (page, ui) => {
    await page.goto('queues/%2F/graveyard');
    await page.button('Purge').focus();
    await page.page.keyboard.press('Enter');
    await page.dialog.waitFor();
    // The field is where one types at once.
    await page.page.keyboard.type('graveyard');
    await page.page.keyboard.press('Enter');
    await page.said('Queue graveyard is purged.');
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/graveyard')).messages, 0);
    await waitUntil(async () => (await page.page.evaluate('document.activeElement.textContent')) === 'Purge');

    await page.goto('topology');
    const picture = page.page.getByRole('group', { name: /^Picture of exchanges/ });
    await picture.focus();
    const before = await page.page.locator('.topology > svg > g').getAttribute('transform');
    await page.page.keyboard.press('ArrowRight');
    await page.page.keyboard.press('+');
    assert.notEqual(await page.page.locator('.topology > svg > g').getAttribute('transform'), before);
    await page.page.locator('.topology a.node.queue').first().focus();
    await page.page.keyboard.press('Enter');
    await page.page.getByRole('heading', { level: 1, name: 'emails' }).waitFor();
  });
});

test('scheduled messages are put off, delivered now and cancelled', options, async () => {
  await inShop(async (page, ui) => {
    const { http } = ui.broker;
    await http.put('/api/exchanges/%2F/later', { type: 'x-delayed-message', durable: true, arguments: { 'x-delayed-type': 'fanout' } });
    await http.post('/api/bindings/%2F/e/later/q/graveyard', {});
    for (const payload of ['one', 'two', 'three']) {
      const { status } = await http.post('/api/exchanges/%2F/later/publish', {
        properties: { headers: { 'x-delay': 3_600_000 } },
        routing_key: 'k',
        payload,
        payload_encoding: 'string',
      });
      assert.equal(status, 200);
    }
    await page.goto('scheduled');
    await page.page.getByRole('link', { name: 'later' }).click();
    const row = (payload: string): Locator => page.page.locator('tbody tr').filter({ hasText: payload });
    await row('one').getByRole('button', { name: 'Now' }).click();
    await page.said('It is delivered now.');
    await row('one').waitFor({ state: 'detached' });
    assert.equal((await jsonOf<{ messages: number }>(ui, 'queues/%2F/graveyard')).messages, 7);
    await row('two').getByRole('button', { name: 'Cancel' }).click();
    await confirm(page, 'Cancel message', null);
    await row('two').waitFor({ state: 'detached' });
    await row('three').getByRole('button', { name: 'Another time' }).click();
    await page.dialog.getByLabel('Seconds from now').fill('7200');
    await page.button('Save').click();
    await page.said('It is delivered later.');
    const held = await jsonOf<{ payload: string; remaining: number }[]>(ui, 'exchanges/%2F/later/delayed');
    assert.deepEqual(
      held.map(({ payload, remaining }) => [payload, remaining > 7_100_000]),
      [['three', true]],
    );
    assert.deepEqual(await page.watched.accessibilityViolations(), []);
    await page.watched.screenshot('scheduled-messages-light');
  });
});

test('messages to be tried again are tried now, put off and cancelled', options, async () => {
  await inShop(async (page, ui) => {
    const { http } = ui.broker;
    await http.put('/api/queues/%2F/retrying', { durable: true, arguments: { 'x-retry-delays': '1h' } });
    for (const payload of ['one', 'two', 'three']) {
      await http.post('/api/exchanges/%2F/amq.default/publish', {
        properties: {},
        routing_key: 'retrying',
        payload,
        payload_encoding: 'string',
      });
    }
    await http.post('/api/queues/%2F/retrying/get', { count: 3, ackmode: 'reject_requeue_false', encoding: 'auto' });
    await page.goto('scheduled');
    await page.page.getByRole('link', { name: 'retrying' }).click();
    await page.page.getByRole('heading', { level: 1, name: 'To be tried again in retrying' }).waitFor();
    const row = (payload: string): Locator => page.page.locator('tbody tr').filter({ hasText: payload });
    await row('one').getByRole('button', { name: 'Now' }).click();
    await page.said('It is tried again now.');
    await row('one').waitFor({ state: 'detached' });
    await row('two').getByRole('button', { name: 'Cancel' }).click();
    await confirm(page, 'Cancel message', null);
    await row('two').waitFor({ state: 'detached' });
    await row('three').getByRole('button', { name: 'Another time' }).click();
    await page.dialog.getByLabel('Seconds from now').fill('7200');
    await page.button('Save').click();
    await page.said('It is delivered later.');
    const held = await jsonOf<{ payload: string; remaining: number }[]>(ui, 'queues/%2F/retrying/delayed');
    assert.deepEqual(
      held.map(({ payload, remaining }) => [payload, remaining > 7_100_000]),
      [['three', true]],
    );
    assert.equal((await jsonOf<{ messages_ready: number }>(ui, 'queues/%2F/retrying')).messages_ready, 1);
    assert.deepEqual(await page.watched.accessibilityViolations(), []);
    await page.watched.screenshot('retrying-messages-light');
  });
});

test('messages that reached no queue are shown, explained, published again and forgotten', options, async () => {
  await inShop(async (page, ui) => {
    await ui.broker.http.post('/api/exchanges/%2F/amq.direct/publish', {
      properties: {},
      routing_key: 'orders',
      payload: 'lost',
      payload_encoding: 'string',
    });
    await page.goto('unroutable');
    const row = page.page.locator('tbody tr').filter({ hasText: 'lost' });
    await row.getByRole('button', { name: 'Republish' }).click();
    await page.dialog.getByLabel('Exchange', { exact: true }).fill('');
    await page.dialog.getByRole('button', { name: 'Publish' }).click();
    await page.dialog.getByText('it reached at least one queue').waitFor();
    assert.equal((await jsonOf<unknown[]>(ui, 'queues/%2F/orders/messages?search=lost')).length, 1);
    await page.page.keyboard.press('Escape');
    await page.dialog.waitFor({ state: 'detached' });
    assert.deepEqual(await page.watched.accessibilityViolations(), []);
    await page.watched.screenshot('unroutable-light');
    await page.button('Forget all').click();
    await confirm(page, 'Forget all', null);
    await page.page.getByText('Every message has found a queue.').waitFor();
    assert.deepEqual(await jsonOf(ui, 'vhosts/%2F/unroutable'), []);
  });
});
