// Two web services, each with a database of its own, and a consumer between them. Everything is started together, so the services are up
// before the broker is; events are not lost while the consumer is away.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { brokerFor } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../../support/install.ts';
import { freePorts } from '../../support/ports.ts';
import { outputOf, Program } from '../../support/program.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { waitUntil } from '../../support/wait-until.ts';

const cwd = join(conformanceRoot, 'scenarios', 'web-services');
const interpreters = { py: debianPython, js: process.execPath };

async function call(port: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/api/products${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

const reason = ensureDebianPackages('python3-pika');

for (const [producing, consuming] of [
  ['py', 'js'],
  ['js', 'py'],
] as const) {
  test(`web services: products in ${producing}, shop in ${consuming}`, { skip: reason ?? false }, async t => {
    await ensureNpmClients();
    const directory = mkdtempSync(join(tmpdir(), 'web-services-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const broker = await brokerFor(t, { isStarted: false });
    const queue = uniqueName('products');
    const options = { cwd, env: { ...broker.env, QUEUE: queue } };
    const start = (program: string, language: 'py' | 'js', ...args: string[]) =>
      new Program(interpreters[language], [`${program}.${language}`, ...args], options);
    const [productsPort = 0, shopPort = 0] = await freePorts(2);
    const shopDatabase = join(directory, 'shop.db');
    const startConsumer = () => start('shop_consumer', consuming, shopDatabase);

    await using products = start('products', producing, String(productsPort), join(directory, 'products.db'));
    await using shop = start('shop', consuming, String(shopPort), shopDatabase);
    await using consumer = startConsumer();
    await Promise.all([products.prints('serving'), shop.prints('serving')]);

    // A product is created before there is a broker; its event goes out when the broker is up.
    const first = call(productsPort, 'POST', '', { title: 'Täpestry', price: 30 });
    if (broker.process) {
      await consumer.prints('no broker');
      await broker.process.start();
    }
    assert.deepEqual(await first, { id: 1, title: 'Täpestry', price: 30 });
    await consumer.prints('product_created');
    const shows = async (expected: unknown) =>
      waitUntil(`the shop to show ${JSON.stringify(expected)}`, async () => isDeepStrictEqual(await call(shopPort, 'GET', ''), expected));
    await shows([{ id: 1, title: 'Täpestry', price: 30 }]);

    await call(productsPort, 'POST', '', { title: 'Lamp', price: 20 });
    await call(productsPort, 'PUT', '/1', { title: 'Tapestry', price: 25 });
    await consumer.prints('product_updated');

    // While the consumer is away its events wait.
    await consumer.kill();
    await call(productsPort, 'POST', '', { title: 'Chair', price: 50 });
    await call(productsPort, 'DELETE', '/2');
    await using successor = startConsumer();
    await successor.prints('product_deleted');
    const everything = [
      { id: 1, title: 'Tapestry', price: 25 },
      { id: 3, title: 'Chair', price: 50 },
    ];
    await shows(everything);
    assert.deepEqual(await call(productsPort, 'GET', ''), everything);

    // The broker is restarted: services and consumer connect again, and events flow on.
    if (broker.process) {
      await broker.process.stop();
      // It is away for a while: what is made meanwhile is told when it is back.
      const later = call(productsPort, 'POST', '', { title: 'Made meanwhile', price: 1 });
      await broker.process.start();
      await later;
      await shows([...everything, { id: 4, title: 'Made meanwhile', price: 1 }]);
    }
    await outputOf(
      debianPython,
      ['-c', `import os, pika; pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL'])).channel().queue_delete('${queue}')`],
      options,
    );
  });
}
