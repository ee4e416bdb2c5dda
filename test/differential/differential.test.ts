// The scripts, played to WarrenMQ and compared with what RabbitMQ answered to them. BROKER_URL (amqp://host:port) names a running broker
// instead; the cases that need definitions.json are then left out unless BROKER_DEFINITIONS=1 says that it is loaded.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Broker } from '../../src/index.ts';
import { Cleaner } from './cleaner.ts';
import { difference } from './compare.ts';
import { loadDefinitions } from './load-definitions.ts';
import { playCase, type Target } from './player.ts';
import { isSlow, readSuite, type SuiteCase } from './suite.ts';

const suite = readSuite();
let available: ReadonlySet<string> = new Set(process.env.BROKER_DEFINITIONS === '1' ? ['users', 'policies'] : []);

describe('WarrenMQ answers like RabbitMQ 3.10, frame by frame', () => {
  let broker: Broker | null = null;
  let target: Target = { host: '127.0.0.1', port: 0 };

  before(async () => {
    const url = process.env.BROKER_URL;
    if (url === undefined) {
      broker = await Broker.start({ port: 0 });
      target = { host: '127.0.0.1', port: broker.port };
      available = loadDefinitions(broker);
    } else {
      const { hostname, port } = new URL(url);
      target = { host: hostname, port: Number(port === '' ? 5672 : port) };
    }
  });

  after(async () => {
    Cleaner.leaveAll();
    await broker?.stop();
  });

  function declare({ script, recorded, differs }: SuiteCase): void {
    test(`${script.file}: ${script.name}`, async t => {
      if (script.needs !== null && !available.has(script.needs))
        return t.skip(`needs the ${script.needs} of definitions.json in the broker`);
      const expected = differs ?? recorded;
      assert.ok(expected !== null, 'there is no recording of this case: run record.ts');
      const played = await playCase(script, target, { quietMillis: 40, settleMillis: 2, expected });
      const changes = difference(expected, played);
      assert.ok(changes === null, `\n${changes}`);
    });
  }

  describe('cases that wait for seconds, side by side', { concurrency: 100 }, () => {
    for (const entry of suite) if (isSlow(entry.script)) declare(entry);
  });
  for (const entry of suite) if (!isSlow(entry.script)) declare(entry);
});
