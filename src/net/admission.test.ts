import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotList } from '../base/slot-list.ts';
import { type Logger, silentLogger } from '../core/ports/logger.ts';
import { type Admission, AdmissionControl, connectionsMaxWithin } from './admission.ts';
import { openFilesMax } from './open-files.ts';
import { RareLog } from './rare-log.ts';

const socket = { destroy() {} };
const none = { connectionsMax: Infinity, connectionsPerAddressMax: Infinity, unauthenticatedConnectionsMax: Infinity };

function control(limits: Partial<typeof none>) {
  const group = new SlotList<Admission>();
  const clock = { now: 0 };
  const admission = new AdmissionControl({ ...none, ...limits }, silentLogger, () => clock.now);
  return { admission, group, clock, admit: (which: { destroy(): void } = socket) => admission.admit(which, group) };
}

test('as many connections as the limit are admitted, and one more when one has gone', () => {
  const { admission, group, admit } = control({ connectionsMax: 2 });
  const first = admit();
  assert.ok(first !== null && admit() !== null);
  assert.equal(admit(), null);
  assert.equal(admission.refused.connections, 1);
  assert.equal(group.size, 2);
  first.close();
  first.close();
  assert.equal(admission.connectionCount, 1);
  assert.ok(admit() !== null);
  assert.equal(admit(), null);
});

test('connections that have logged in leave room for those that have not', () => {
  const { admission, admit } = control({ unauthenticatedConnectionsMax: 2 });
  const [first, second] = [admit(), admit()];
  assert.ok(first !== null && second !== null);
  assert.equal(admit(), null);
  assert.equal(admission.refused.unauthenticated, 1);
  first.authenticated();
  first.authenticated();
  assert.equal(admission.unauthenticatedCount, 1);
  const third = admit();
  assert.ok(third !== null);
  for (const each of [first, second, third]) each.close();
  third.authenticated();
  assert.equal(admission.unauthenticatedCount, 0);
  assert.equal(admission.connectionCount, 0);
});

test('at the limit of those that have not logged in the one that took longest leaves, if it took long', () => {
  const { admission, admit, clock } = control({ unauthenticatedConnectionsMax: 3 });
  const gone: string[] = [];
  const come = (name: string): Admission | null => admit({ destroy: () => gone.push(name) });
  const [a, b] = [come('a'), come('b')];
  clock.now = 500;
  come('c');
  clock.now = 999;
  assert.equal(come('d'), null);
  assert.deepEqual(gone, []);
  a?.authenticated();
  assert.ok(come('e') !== null);
  clock.now = 1000;
  assert.ok(come('f') !== null);
  assert.deepEqual(gone, ['b']);
  assert.equal(come('g'), null);
  clock.now = 1500;
  assert.ok(come('h') !== null);
  assert.deepEqual(gone, ['b', 'c']);
  assert.equal(admission.unauthenticatedCount, 3);
  // The socket of one that was dismissed is closed some time later.
  b?.close();
  assert.equal(admission.unauthenticatedCount, 3);
  assert.equal(admission.connectionCount, 6 - 1);
  assert.equal(admission.refused.unauthenticated, 4);
});

test('the chain of those that have not logged in holds together whoever leaves it', () => {
  const { admission, admit, clock } = control({ unauthenticatedConnectionsMax: 5 });
  let dismissed = 0;
  const places: Admission[] = [];
  let seed = 1;
  for (let step = 0; step < 5000; step++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    clock.now += 100;
    const index = seed % Math.max(1, places.length);
    const place = places[index];
    if ((seed >>> 8) % 3 === 0 && place !== undefined) {
      place.close();
      places.splice(index, 1);
    } else if ((seed >>> 8) % 3 === 1 && place !== undefined) {
      place.authenticated();
    } else {
      const next = admit({ destroy: () => dismissed++ });
      if (next !== null) places.push(next);
    }
    assert.ok(admission.unauthenticatedCount <= 5);
    assert.equal(admission.connectionCount, places.length);
  }
  for (const place of places) place.close();
  assert.equal(admission.unauthenticatedCount, 0);
  assert.ok(dismissed > 10);
});

test('each IPv4 address and each IPv6 network of /64 has its own limit', () => {
  const { admission, admit } = control({ connectionsPerAddressMax: 1 });
  const from = (peerHost: string): boolean => (admit() as Admission).comesFrom(peerHost);
  assert.equal(from('192.0.2.1'), true);
  assert.equal(from('192.0.2.1'), false);
  assert.equal(from('::ffff:192.0.2.1'), false);
  assert.equal(from('192.0.2.2'), true);
  assert.equal(from('2001:db8:1:2::1'), true);
  assert.equal(from('2001:db8:1:2:ffff::9'), false);
  assert.equal(from('2001:db8:1:3::1'), true);
  assert.equal(admission.refused.address, 3);
  assert.equal(admission.countOf('2001:db8:1:2::77'), 1);
});

test('one address has at most half of the places before login', () => {
  const { admission, admit } = control({ unauthenticatedConnectionsMax: 4 });
  const places = Array.from({ length: 3 }, () => admit() as Admission);
  assert.deepEqual(
    places.map(place => place.comesFrom('192.0.2.1')),
    [true, true, false],
  );
  places[2]?.close();
  const other = admit() as Admission;
  assert.equal(other.comesFrom('192.0.2.2'), true);
  // One that logs in makes room for the next.
  places[0]?.authenticated();
  const next = admit() as Admission;
  assert.equal(next.comesFrom('192.0.2.1'), true);
  assert.equal(admission.countOf('192.0.2.1'), 3);
  assert.equal(admission.refused.unauthenticated, 1);
  for (const place of [...places, other, next]) place.close();
  assert.equal(admission.countOf('192.0.2.1') + admission.countOf('192.0.2.2'), 0);
});

test('this machine is not limited by its address', () => {
  const { admit } = control({ connectionsPerAddressMax: 1 });
  for (const host of ['unix', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    for (let i = 0; i < 3; i++) assert.equal((admit() as Admission).comesFrom(host), true);
  }
});

test('addresses are forgotten with their last connection', () => {
  const { admission, admit } = control({ connectionsPerAddressMax: 2 });
  const places = Array.from({ length: 2 }, () => admit() as Admission);
  for (const place of places) place.comesFrom('192.0.2.1');
  const refused = admit() as Admission;
  assert.equal(refused.comesFrom('192.0.2.1'), false);
  refused.close();
  assert.equal(admission.countOf('192.0.2.1'), 2);
  for (const place of places) place.close();
  assert.equal(admission.countOf('192.0.2.1'), 0);
});

test('connections leave files for the rest of the broker', () => {
  assert.equal(connectionsMaxWithin(10_000, 1024), 819);
  assert.equal(connectionsMaxWithin(500, 1024), 500);
  assert.equal(connectionsMaxWithin(10_000, null), 10_000);
  assert.equal(connectionsMaxWithin(Infinity, 100), 80);
  assert.equal(openFilesMax('/nowhere'), null);
  assert.ok(process.platform !== 'linux' || (openFilesMax() ?? 0) >= 20);
});

test('a kind of warning is logged once in ten seconds, with how often it happened in between', () => {
  const texts: string[] = [];
  const logger: Logger = { ...silentLogger, warning: (_category, text) => texts.push(text) };
  let now = 5;
  const log = new RareLog(logger, () => now);
  for (let i = 0; i < 1000; i++) log.warn('connection', 'a', () => `a ${i}`);
  log.warn('connection', 'b', () => 'b');
  now += 9999;
  log.warn('connection', 'a', () => 'a later');
  now += 1;
  log.warn('connection', 'a', () => 'a at last');
  now += 10_000;
  log.warn('connection', 'a', () => 'a again');
  assert.deepEqual(texts, ['a 0', 'b', 'a at last (and 1000 more like it since the last such message)', 'a again']);
});
