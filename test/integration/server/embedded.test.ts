// The broker inside another program: nothing of it is left after stop().
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Broker } from '../../../src/index.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { temporaryDirectory } from '../../support/warren-process.ts';

const source = (path: string): string => JSON.stringify(new URL(path, new URL('../../../', import.meta.url)).href);

async function run(script: string): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

test('after stop() the process ends by itself and leaves no file behind but the data', async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  const { code, output } = await run(`
    import { Broker } from ${source('src/index.ts')};
    import { AmqpDriver } from ${source('test/support/amqp-driver.ts')};
    const memory = { watermarkBytes: 1e12, totalBytes: 1e12, checkIntervalMillis: 100 };
    const broker = await Broker.start({ dataDir: ${JSON.stringify(dataDir)}, memory, disk: { freeBytesMin: 0, checkIntervalMillis: 100 } });
    const client = await AmqpDriver.connect({ port: broker.port, heartbeat: 60 });
    await client.openChannel(1);
    await broker.stop();
    const { kind } = await client.closed;
    await new Promise(resolve => setImmediate(resolve));
    // Pipes are the process's own output.
    console.log(kind, process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap').join());`);
  assert.equal(output, 'close \n');
  assert.equal(code, 0);
  assert.deepEqual(readdirSync(dataDir).sort(), ['journal', 'streams']);
});

test('a start that fails leaves nothing behind either', async () => {
  await using other = await Broker.start();
  const { code, output } = await run(`
    import { Broker } from ${source('src/index.ts')};
    await Broker.start({ port: ${other.port}, memory: { watermarkBytes: 1, totalBytes: 1, checkIntervalMillis: 100 } }).catch(error => console.log(error.message));`);
  assert.match(output, /^cannot listen on 127\.0\.0\.1:\d+: the address is in use/);
  assert.equal(code, 0);
});

test('loading the library loads neither HTTP nor TLS, and takes no type stripper for its users', async () => {
  const { output } = await run(`
    await (await import(${source('src/index.ts')})).Broker.start().then(broker => broker.stop());
    const loaded = process.moduleLoadList.filter(name => /NativeModule (_?http|https|tls|_tls_wrap|zlib)$/.test(name));
    console.log(loaded.join());`);
  assert.equal(output.trim(), '');
});

test('stop() may be called by everybody, and twenty brokers live side by side', async () => {
  const brokers = await Promise.all(Array.from({ length: 20 }, () => Broker.start()));
  const clients = await Promise.all(brokers.map(broker => AmqpDriver.connect({ port: broker.port })));
  assert.equal(new Set(brokers.map(broker => broker.port)).size, 20);
  await Promise.all(brokers.flatMap(broker => [broker.stop(), broker.stop()]));
  for (const client of clients) assert.equal((await client.closed).kind, 'close');
});

test('a data directory belongs to one broker at a time, also within one process', async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  const broker = await Broker.start({ dataDir });
  await assert.rejects(Broker.start({ dataDir }), /is in use by another broker/);
  await broker.stop();
  await (await Broker.start({ dataDir })).stop();
});
