import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { closeBrowser, reasonToSkip, type Theme, WatchedPage } from './support/chromium.ts';
import { openShop } from './support/shop.ts';
import { type UiPage, withUi } from './support/with-ui.ts';

const options = reasonToSkip === null ? {} : { skip: reasonToSkip };
after(closeBrowser);

/** Every page: its name behind the #, and what shows that it is there. */
const pages: readonly (readonly [name: string, hash: string, shows: string])[] = [
  ['overview', '', 'Messages per second'],
  ['findings', 'findings', 'finding'],
  ['topology', 'topology', 'Topology'],
  ['nodes', 'nodes', 'Where the memory is'],
  ['connections', 'connections', 'billing-worker'],
  ['channels', 'channels', '(2)'],
  ['exchanges', 'exchanges', 'amq.topic'],
  ['exchange', 'exchanges/%2F/events', 'order.*.created'],
  ['default-exchange', 'exchanges/%2F/amq.default', 'It cannot be bound'],
  ['queues', 'queues', 'graveyard'],
  ['queue', 'queues/%2F/orders', 'What it was declared with'],
  ['queue-messages', 'queues/%2F/orders?tab=messages', 'customer'],
  ['queue-bindings', 'queues/%2F/orders?tab=bindings', 'order.*.created'],
  ['queue-consumers', 'queues/%2F/invoices?tab=consumers', 'billing'],
  ['queue-publish', 'queues/%2F/orders?tab=publish', 'Payload'],
  ['queue-get', 'queues/%2F/orders?tab=get', 'put back'],
  ['streams', 'streams', 'There are no streams'],
  ['dead-letters', 'dead-letters', 'graveyard'],
  ['dead-letter-workbench', 'dead-letters?vhost=%2F&queue=graveyard', 'rejected'],
  ['scheduled', 'scheduled', 'To be tried again'],
  ['unroutable', 'unroutable', 'Every message has found a queue'],
  ['explain', 'explain?vhost=%2F&exchange=events&key=order.1.created', 'Published to exchange'],
  ['users', 'users', 'ada'],
  ['user', 'users/ada', '^order'],
  ['vhosts', 'vhosts', 'for rehearsals'],
  ['vhost', 'vhosts/staging', 'guest'],
  ['policies', 'policies', 'retry-limit'],
  ['limits', 'limits', 'max-queues'],
  ['definitions', 'definitions', 'Download definitions'],
  ['nothing', 'no-such-page', 'There is no such page'],
];

async function look(page: UiPage, name: string, hash: string, shows: string, suffix: string): Promise<string[]> {
  await page.goto(hash);
  await page.page.locator('main').getByText(shows).first().waitFor({ state: 'attached' });
  // What is beside it comes with the same stream.
  await page.page.getByText('Loading …', { exact: true }).first().waitFor({ state: 'hidden' });
  await page.watched.screenshot(`${name}-${suffix}`);
  return (await page.watched.accessibilityViolations()).map(violation => `${name}, ${suffix}: ${violation}`);
}

for (const theme of ['light', 'dark'] satisfies Theme[]) {
  test(`every page shows what it is for, without errors and without accessibility violations, ${theme}`, options, async () => {
    await withUi(async ui => {
      const shop = await openShop(ui.broker);
      try {
        const page = await ui.open({ theme });
        const violations: string[] = [];
        for (const [name, hash, shows] of pages) violations.push(...(await look(page, name, hash, shows, theme)));
        assert.deepEqual(violations, []);
      } finally {
        shop.close();
      }
    });
  });
}

test('every page fits a phone: nothing is wider than the screen', options, async () => {
  await withUi(async ui => {
    const shop = await openShop(ui.broker);
    try {
      const page = await ui.open({ width: 375, height: 740 });
      const wide: string[] = [];
      for (const [name, hash, shows] of pages) {
        await look(page, name, hash, shows, 'phone');
        const width = await page.page.evaluate('document.documentElement.scrollWidth');
        if (Number(width) > 375) wide.push(`${name}: ${String(width)}`);
      }
      assert.deepEqual(wide, []);
    } finally {
      shop.close();
    }
  });
});

test('a path prefix moves pages and API together', options, async () => {
  await withUi(
    async ui => {
      const watched = await WatchedPage.open();
      watched.expectedStatuses.add(401);
      const { page } = watched;
      await page.goto(`http://127.0.0.1:${ui.broker.management.port}/mq#/queues`);
      await page.getByLabel('User').fill('guest');
      await page.getByLabel('Password').fill('guest');
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByText('There are no queues.').waitFor();
      assert.match(page.url(), /\/mq\/#\/queues$/);
      assert.deepEqual(watched.wrongs, []);
      await watched.close();
    },
    { management: { pathPrefix: '/mq' } },
  );
});

test('connections, channels and streams have pages of their own', options, async () => {
  await withUi(async ui => {
    const shop = await openShop(ui.broker);
    try {
      const { status } = await ui.broker.http.put('/api/queues/%2F/log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
      assert.equal(status, 201);
      const page = await ui.open();
      const violations: string[] = [];
      const shown = async (name: string): Promise<void> => {
        await page.watched.screenshot(`${name}-light`);
        violations.push(...(await page.watched.accessibilityViolations()));
      };
      await page.goto('connections');
      await page.page.getByRole('link', { name: 'billing-worker' }).click();
      await page.page.getByText('What the client says of itself').waitFor();
      await page.page.getByRole('link', { name: /\(2\)$/ }).waitFor();
      await shown('connection');
      await page.page.getByRole('link', { name: /\(2\)$/ }).click();
      await page.page.getByRole('link', { name: 'invoices' }).waitFor();
      await shown('channel');
      await page.goto('streams');
      await page.page.getByRole('link', { name: 'log', exact: true }).click();
      await page.page.getByText('What it was declared with').waitFor();
      await shown('stream');
      const tabs = await page.page.getByRole('navigation', { name: 'Of this queue' }).getByRole('link').allTextContents();
      assert.deepEqual(tabs, ['Overview', 'Bindings', 'Consumers', 'Publish']);
      assert.deepEqual(violations, []);
    } finally {
      shop.close();
    }
  });
});
