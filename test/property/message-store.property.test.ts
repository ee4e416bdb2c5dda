import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LargeBody } from '../../src/core/messages/large-body.ts';
import type { LogRegionListener } from '../../src/core/messages/log-region-listener.ts';
import type { LooseMessage } from '../../src/core/messages/loose-message.ts';
import type { Rename } from '../../src/core/messages/message-ref.ts';
import { compactSlabs, moveRecords } from '../../src/core/messages/compaction.ts';
import { MessageStore } from '../../src/core/messages/message-store.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { type Slab, slabBytes } from '../../src/core/messages/slab.ts';
import { forSeeds, Random } from '../support/random.ts';

interface Stored {
  ref: number;
  owners: number;
  readonly isLogged: boolean;
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly body: Buffer;
  readonly format: number;
  readonly arrivalMillis: number;
}

/** The log's side: remembers what it was told, and keeps the bytes of slabs that are put away. */
class FakeLog implements LogRegionListener {
  readonly firstOffset = 64;
  readonly open = new Set<Slab>();
  readonly loose = new Set<LooseMessage>();
  readonly disk = new Map<Slab, Buffer>();
  readonly looseDisk = new Map<LooseMessage, readonly Buffer[]>();
  slabCount = 0;

  slabOpened(slab: Slab): number {
    this.open.add(slab);
    return this.slabCount++;
  }

  slabDied(slab: Slab): void {
    if (slab.logSequence < 0) return;
    assert.ok(this.open.delete(slab), 'a slab died that was not there');
    this.disk.delete(slab);
  }

  readonly wantsInSlabs = false;

  memorySlabOpened(): void {}

  stage(): null {
    return null;
  }

  looseStored(message: LooseMessage): void {
    if (message.isLogged) this.loose.add(message);
  }

  looseReleased(message: LooseMessage): void {
    if (!message.isLogged) return;
    assert.ok(this.loose.delete(message), 'a loose message went twice');
  }

  fetch(): void {
    assert.fail('the test fetches by itself');
  }

  fetchNow(): void {
    assert.fail('the test fetches by itself');
  }
}

class Bench {
  readonly random: Random;
  readonly store = new MessageStore();
  readonly log = new FakeLog();
  readonly messages: Stored[] = [];
  readonly #p = new Publication();
  now = 0;

  constructor(random: Random) {
    this.random = random;
    this.store.attachLog(this.log);
  }

  append(): void {
    const { random } = this;
    const p = this.#p;
    const margin = random.below(20);
    const bytesIn = (count: number): Buffer => {
      const buffer = Buffer.concat([
        Buffer.alloc(margin),
        random.bytes(Math.min(count, 64)),
        Buffer.alloc(Math.max(0, count - 64), this.now),
      ]);
      return buffer;
    };
    const bodyBytes = random.pick([0, 1, 16, 50, 300, 5000, 30_000, 33_000, 120_000, 300_000]);
    const propertiesBytes = random.pick([2, 2, 20, 200, 3000]);
    const envelopeBytes = random.pick([2, 3, 20, 512]);
    p.envelope = bytesIn(envelopeBytes);
    p.envelopeStart = margin;
    p.envelopeBytes = envelopeBytes;
    p.properties = bytesIn(propertiesBytes);
    p.propertiesStart = margin;
    p.propertiesBytes = propertiesBytes;
    const body = bytesIn(bodyBytes);
    p.bodyBytes = bodyBytes;
    p.body = body;
    p.bodyStart = margin;
    p.large = null;
    if (bodyBytes > 32_768 && random.chance(0.7)) {
      const cut = margin + random.between(1, bodyBytes - 1);
      p.large = LargeBody.of([body.subarray(margin, cut), body.subarray(cut)]);
      p.body = Buffer.alloc(0);
    }
    p.format = random.between(0, 255);
    const owners = random.pick([1, 1, 1, 2, 5]);
    const isLogged = random.chance(0.4);
    this.now += 7;
    const ref = this.store.append(p, owners, this.now, isLogged);
    assert.ok(ref > 0 && ref < 2 ** 31);
    assert.ok(!this.messages.some(message => message.ref === ref), 'two messages have one name');
    this.messages.push({
      ref,
      owners,
      isLogged,
      envelope: p.envelope.subarray(margin),
      properties: p.properties.subarray(margin),
      body: body.subarray(margin),
      format: p.format,
      arrivalMillis: this.now,
    });
  }

  release(): void {
    if (this.messages.length === 0) return;
    // Old ones first as a rule, as queues do it; now and then one stays for long.
    const index = this.random.chance(0.7)
      ? this.random.below(Math.ceil(this.messages.length / 4))
      : this.random.below(this.messages.length);
    const message = this.messages[index] as Stored;
    const isLast = --message.owners === 0;
    assert.equal(this.store.release(message.ref, message.body.length), isLast);
    if (isLast) this.messages.splice(index, 1);
  }

  check(message: Stored): void {
    const { store } = this;
    if (!store.isResident(message.ref)) this.fetch(message);
    assert.equal(store.isIntact(message.ref), true);
    store.locate(message.ref);
    assert.equal(store.format, message.format);
    assert.equal(store.envelopeBytes, message.envelope.length);
    assert.equal(store.propertiesBytes, message.properties.length);
    assert.equal(store.bodyBytes, message.body.length);
    const { loose } = store;
    const part = (start: number, count: number): Buffer => store.bytes.subarray(start, start + count);
    assert.ok((loose?.envelope ?? part(store.envelopeStart, store.envelopeBytes)).equals(message.envelope), 'another envelope');
    assert.ok((loose?.properties ?? part(store.propertiesStart, store.propertiesBytes)).equals(message.properties), 'other properties');
    assert.ok(
      (loose === null ? part(store.bodyStart, store.bodyBytes) : (loose.body?.toBuffer() ?? Buffer.alloc(0))).equals(message.body),
      'another body',
    );
    assert.equal(store.arrivalMillis(message.ref), message.arrivalMillis);
  }

  /** Each owner of a message is an entry somewhere; `relocate` goes through all of them. */
  *holders(): Iterable<{ relocate(rename: Rename): void }> {
    const halves = [this.messages.filter((_, i) => i % 2 === 0), this.messages.filter((_, i) => i % 2 === 1)];
    for (const half of halves) {
      yield {
        relocate: rename => {
          for (const message of half) {
            const names = Array.from({ length: message.owners }, () => rename(message.ref, null, 0, 0, message.body.length, 0));
            assert.equal(new Set(names).size, 1, 'the owners of a message were told different names');
            message.ref = names[0] as number;
          }
        },
      };
    }
  }

  compact(): void {
    const held = this.store.heldBytes;
    compactSlabs(this.store, this.holders(), this.random.pick([0, slabBytes]));
    assert.ok(this.store.heldBytes <= held + slabBytes * 9);
    for (const message of this.messages) this.check(message);
  }

  /** The log's own clearing up: live records of sparse slabs are written again at its end. */
  moveLogSlabs(): void {
    const victims = new Set<number>();
    for (const slab of this.log.open) {
      if (slab !== this.store.logSlab && this.random.chance(0.5)) {
        if (!slab.isResident) this.load(slab);
        slab.isPinned = false;
        victims.add(slab.id);
      }
    }
    const renamed = new Set<number>();
    moveRecords(this.store, victims, this.holders(), true, ref => {
      renamed.add(ref);
      return ref;
    });
    for (const message of this.messages) assert.ok(!victims.has(message.ref >> 16) || renamed.has(message.ref));
    for (const id of victims)
      assert.ok(this.store.slabs[id] === null || !victims.has((this.store.slabs[id] as Slab).id) || renamed.size > 0);
  }

  /** What the log does with slabs whose bytes are all in its file. */
  writeOut(): void {
    for (const slab of this.log.open) {
      if (slab === this.store.logSlab) continue;
      slab.isPinned = false;
      if (slab.liveCount === 0) {
        this.store.dropIfDead(slab);
      } else if (slab.isResident && this.random.chance(0.5)) {
        this.log.disk.set(slab, Buffer.from(slab.bytes));
        this.store.evict(slab);
      }
    }
  }

  load(slab: Slab): void {
    const bytes = this.store.slabBuffer();
    (this.log.disk.get(slab) as Buffer).copy(bytes);
    this.store.load(slab, bytes, false);
    slab.wasFetched = true;
  }

  fetch(message: Stored): void {
    const slab = this.store.slabs[message.ref >> 16] as Slab;
    if (!slab.isResident) this.load(slab);
  }

  checkCounts(): void {
    const { store, messages } = this;
    assert.equal(store.liveCount, messages.length);
    assert.equal(
      store.liveBytes,
      messages.reduce((sum, message) => sum + message.body.length, 0),
    );
    const slabs = store.slabs.filter(slab => slab !== null);
    assert.equal(store.residentSlabs, slabs.filter(slab => slab.isResident).length);
    assert.equal(store.evictedSlabs, slabs.filter(slab => !slab.isResident).length);
    assert.equal(
      slabs.reduce((sum, slab) => sum + slab.liveCount, 0),
      messages.length,
    );
  }
}

test('the store gives back what was put in, through sharing, compaction, moves in the log and fetches from disk', () => {
  forSeeds(40, random => {
    const bench = new Bench(random);
    const weights = {
      append: random.between(4, 7),
      release: random.between(3, 7),
      compact: random.chance(0.5) ? 0.1 : 0,
      moveLogSlabs: random.chance(0.5) ? 0.1 : 0,
      writeOut: 0.2,
    };
    const scaled = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight * 10])) as typeof weights;
    for (let step = 0; step < 400; step++) {
      bench[random.weighted(scaled)]();
      bench.checkCounts();
      if (bench.messages.length > 0) bench.check(random.pick(bench.messages));
    }
    for (const message of bench.messages) bench.check(message);
    while (bench.messages.length > 0) bench.release();
    bench.writeOut();
    bench.checkCounts();
    assert.equal(bench.store.looseMessages.bytes, 0);
    assert.equal(bench.store.looseMessages.evictedCount, 0);
    assert.equal(bench.log.loose.size, 0);
    // What is left: the slab that is being filled of each series, and a few spare ones.
    assert.ok(bench.log.open.size <= 1);
    assert.ok(bench.store.heldBytes <= 10 * slabBytes, `${bench.store.heldBytes} bytes are held for nothing`);
  });
});

test('a record of the log that was changed on disk is found out', () => {
  forSeeds(60, random => {
    const bench = new Bench(random);
    while (!bench.messages.some(message => message.isLogged)) bench.append();
    const message = bench.messages.find(each => each.isLogged) as Stored;
    const slab = bench.store.slabs[message.ref >> 16] as Slab;
    slab.isPinned = false;
    bench.store.openLogSlab();
    bench.log.disk.set(slab, Buffer.from(slab.bytes));
    bench.store.evict(slab);
    const image = bench.log.disk.get(slab) as Buffer;
    const offset = (message.ref & 0xffff) << 4;
    const isLoose = message.body.length > 250_000;
    const at = offset + random.below(20 + message.envelope.length + message.properties.length + (isLoose ? 8 : message.body.length));
    image[at] = (image[at] as number) ^ (1 << random.below(8));
    bench.load(slab);
    assert.equal(bench.store.isIntact(message.ref), false, `a changed byte ${at - offset} of the record`);
  });
});

test('memory comes back when a sparse store is compacted', () => {
  const bench = new Bench(new Random(1));
  for (let i = 0; i < 3000; i++) bench.append();
  const kept = bench.messages.filter((message, i) => i % 40 === 0 && !message.isLogged && message.body.length <= 5000);
  for (const message of bench.messages) {
    if (kept.includes(message)) continue;
    while (message.owners > 0) {
      message.owners--;
      bench.store.release(message.ref, message.body.length);
    }
  }
  bench.messages.splice(0, bench.messages.length, ...kept);
  bench.writeOut();
  const before = bench.store.residentSlabs;
  const emptied = compactSlabs(bench.store, bench.holders(), 0);
  assert.ok(emptied > 3 && bench.store.residentSlabs < before / 2, `${before} slabs before, ${bench.store.residentSlabs} after`);
  for (const message of bench.messages) bench.check(message);
});
