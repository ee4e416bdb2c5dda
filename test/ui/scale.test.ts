import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { waitUntil } from '../support/wait-until.ts';
import { closeBrowser, reasonToSkip } from './support/chromium.ts';
import { withUi } from './support/with-ui.ts';

const options = reasonToSkip === null ? {} : { skip: reasonToSkip };
after(closeBrowser);

const queueCount = 10_000;

test('ten thousand queues: few rows are drawn, the end is reached by scrolling, a search finds one', options, async () => {
  await withUi(async ui => {
    const { vhosts, topology } = ui.broker.broker.core;
    const vhost = vhosts.get('/');
    assert.ok(vhost !== undefined);
    const actor = { user: 'guest', owner: null, isBroker: true } as const;
    for (let i = 0; i < queueCount; i++) {
      const name = `queue-${String(i).padStart(5, '0')}`;
      topology.declareQueue(vhost, { name, isDurable: false, isAutoDelete: false, owner: null, arguments: new Map() }, actor);
    }
    const page = await ui.open();
    await page.goto('queues');
    await page.page.getByText('10,000 in all').waitFor();
    await page.page.getByRole('link', { name: 'queue-00000' }).waitFor();
    const rows = page.page.locator('tbody tr:not(.spacer)');
    assert.ok((await rows.count()) <= 200);
    const list = page.page.getByRole('region', { name: 'Queues, list' });
    await list.focus();
    await page.page.keyboard.press('End');
    await page.page.getByRole('link', { name: 'queue-09999' }).waitFor();
    assert.ok((await rows.count()) <= 200);
    await page.page.getByLabel('Search queues by name').fill('queue-0777');
    await page.page.getByText('10 of 10,000').waitFor();
    await waitUntil(async () => (await rows.count()) === 10);
    await page.page.getByRole('link', { name: 'queue-07779' }).click();
    await page.page.getByRole('heading', { level: 1, name: 'queue-07779' }).waitFor();
    await page.goto('topology');
    await page.page.getByText('200 of 10,000 shown').waitFor();
    await page.watched.screenshot('topology-200-light');
    assert.ok((await page.page.locator('.topology a.node').count()) <= 200);
  });
});

test('two hundred nodes make a picture that can be read: what hangs on one exchange is put into rows and columns', options, async () => {
  await withUi(async ui => {
    const { http } = ui.broker;
    await http.put('/api/exchanges/%2F/many', { type: 'topic', durable: true });
    await http.put('/api/exchanges/%2F/few', { type: 'direct', durable: true });
    for (let i = 0; i < 190; i++) {
      await http.put(`/api/queues/%2F/q-${i}`, { durable: true });
      await http.post(`/api/bindings/%2F/e/${i < 184 ? 'many' : 'few'}/q/q-${i}`, { routing_key: `key.${i}` });
    }
    const page = await ui.open();
    await page.goto('topology');
    await page.page.getByText('192 shown').waitFor();
    await page.watched.screenshot('topology-many-light');
    assert.equal(await page.page.locator('.topology .block').count(), 1);
    assert.equal(await page.page.locator('.topology a.node').count(), 192);
    const heights = await page.page.locator('.topology a.node rect').first().boundingBox();
    assert.ok((heights?.height ?? 0) >= 30, String(heights?.height));
    await page.page.getByLabel('Filter by name').fill('q-18');
    await page.page.getByText(/^1\d of 192 shown$/).waitFor();
  });
});

test('what the first page loads is under 150 kB, compressed', options, async () => {
  await withUi(async ui => {
    const page = await ui.open();
    await page.page.reload();
    await page.page.locator('main.content').waitFor();
    const bytes = await page.page.evaluate(
      "performance.getEntriesByType('resource').filter(entry => !entry.name.includes('/api/')).reduce((sum, entry) => sum + entry.encodedBodySize, 0) + performance.getEntriesByType('navigation')[0].encodedBodySize",
    );
    assert.ok(Number(bytes) > 10_000 && Number(bytes) < 150_000, String(bytes));
  });
});

test('one stream of events serves a page, also after going about', options, async () => {
  await withUi(async ui => {
    const page = await ui.open();
    const open = new Set<unknown>();
    page.page.on('request', request => {
      if (request.url().includes('/api/events')) open.add(request);
    });
    page.page.on('requestfinished', request => open.delete(request));
    page.page.on('requestfailed', request => open.delete(request));
    for (const hash of ['queues', 'exchanges', 'topology', 'connections', 'channels', 'vhosts', '']) {
      await page.goto(hash);
      await page.settled();
    }
    await waitUntil(() => open.size <= 1);
  });
});
