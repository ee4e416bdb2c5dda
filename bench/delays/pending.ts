import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker } from '../../src/index.ts';
import { findHeld, listHeld } from '../../src/management/messages/held.ts';
import { scheduled } from './scheduled.ts';

/** Most are due in an hour, in no order. */
const laterMillis = 3_600_000;
/** A hundredth is due soon after the restart, spread over so long. */
const soonMillis = 60_000;
const spreadMillis = 10_000;
const tries = 1000;

const megabytes = (): string => `${Math.round(process.memoryUsage().rss / 1e6)} MB resident`;

async function timed(act: () => unknown): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** So many messages held on disk: memory, a page of the list, single ones by id, a restart in between, and how late some of them come. */
export async function pending(count: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-delays-'));
  let broker = await Broker.start({ dataDir: directory });
  console.log(`pending: before ${megabytes()}`);
  const { exchange, publish } = scheduled(broker.core);
  const body = Buffer.alloc(100, 'x');
  const held = await timed(async () => {
    for (let i = 0; i < count; i++) {
      if (i % 1000 === 0) broker.core.turn.begin();
      publish((i % 100 === 0 ? soonMillis : laterMillis) + ((i * 7919) % spreadMillis), body, true);
      if (i % 10_000 === 9999) await broker.core.committed();
    }
    await broker.core.committed();
  });
  const messages = exchange.delay?.held;
  if (messages === undefined) throw new Error('nothing is held');
  console.log(`pending: ${messages.count} held in ${Math.round(held)} ms, ${megabytes()}`);
  const { core } = broker;
  for (const offset of [0, Math.floor(count / 2), count - 100]) {
    let found = 0;
    const millis = await timed(async () => {
      found = (await listHeld(core, messages, offset, 100)).length;
    });
    console.log(`pending: ${found} from place ${offset} of the list in ${millis.toFixed(1)} ms`);
  }
  // Anywhere among them.
  const ids: number[] = [];
  while (ids.length < 2 * tries)
    ids.push(...(await listHeld(core, messages, Math.floor(count / 3) + ids.length, 500)).map(({ id }) => Number(id)));
  const found = await timed(() => findHeld(core, messages, ids[0] as number));
  core.turn.begin();
  const put = await timed(() => {
    for (const id of ids.slice(0, tries)) messages.reschedule(id, core.clock.nowMillis + 1);
  });
  const cancelled = await timed(() => {
    for (const id of ids.slice(tries)) messages.cancel(id);
  });
  await core.committed();
  const each = (millis: number): string => `${((millis * 1000) / tries).toFixed(1)} µs`;
  console.log(`pending: one by id in ${found.toFixed(1)} ms; each put off in ${each(put)}, each cancelled in ${each(cancelled)}`);
  await broker.stop();
  const restarted = await timed(async () => {
    broker = await Broker.start({ dataDir: directory });
  });
  const after = broker.core.vhosts.get('/');
  const again = after?.exchanges.get('later')?.delay?.held;
  console.log(`pending: restarted in ${Math.round(restarted)} ms with ${again?.count} held, ${megabytes()}`);
  let worst = 0;
  const released = (): number => after?.queues.get('q')?.readyCount ?? 0;
  const soon = Math.ceil(count / 100);
  while (released() < soon + tries) {
    broker.core.turn.begin();
    // What was due while there was no broker comes at its start.
    if (released() > tries) worst = Math.max(worst, broker.core.clock.nowMillis - (again?.nextDueMillis ?? Infinity));
    await sleep(5);
  }
  console.log(`pending: released ${soon} over ${spreadMillis / 1000} s, the latest ${Math.round(worst)} ms late; ${megabytes()}`);
  if ((again?.count ?? 0) + released() !== count - tries) throw new Error('some are lost');
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
}
