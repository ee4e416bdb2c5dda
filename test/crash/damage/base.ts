import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../../src/server/broker.ts';
import { SlabReader } from '../../../src/store/journal/slab-reader.ts';
import { FrameList } from '../../../src/store/journal/frame-list.ts';
import { fileName } from '../../../src/store/journal/segments.ts';
import { FastClient } from '../../support/fast-client.ts';
import { Random } from '../../support/random.ts';
import { Image } from '../../support/sim-image.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { Inode, Platter } from '../../support/sim-platter.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { confirmSelect, exchangeDeclare, queueBind, queueDeclare, queuePurge } from '../../support/amqp-requests.ts';
import { readBody } from '../campaign/body.ts';
import { Ledger } from '../campaign/ledger.ts';
import { declareTopology } from '../campaign/declare.ts';
import { Load } from '../campaign/load.ts';
import { Memory } from '../campaign/memory.ts';
import { type Ports, portsOf } from '../campaign/ports.ts';
import { Site } from '../campaign/site.ts';
import { Publisher } from '../campaign/publisher.ts';
import { fanoutExchange, kinds, queues, routes } from '../campaign/topology.ts';
import { Recovered, type RecoveredOptions, streamFolder } from '../recovered.ts';
import { type ChunkPlace, chunksOf, expectedOf } from './stream-places.ts';

const listeners = [{ protocol: 'amqp' }, { protocol: 'mqtt' }, { protocol: 'stomp' }] as const;

/** A message as it is expected. */
export interface Expected {
  readonly copy: number;
  /** Where its record is. */
  readonly file: string;
  readonly position: number;
}

/** A frame of the journal in its file. */
export interface FramePlace {
  readonly file: string;
  readonly from: number;
  readonly opsFrom: number;
  readonly to: number;
  readonly opsBytes: number;
}

/** A data directory to be damaged, and what is in it. */
export interface Base {
  readonly files: SimFiles;
  /** Used bytes of every file. */
  readonly used: ReadonlyMap<string, number>;
  readonly usedBytes: number;
  readonly expected: ReadonlyMap<string, readonly Expected[]>;
  readonly frames: readonly FramePlace[];
  /** Of streams. */
  readonly chunks: readonly ChunkPlace[];
  readonly options: RecoveredOptions;
}

/** Used bytes of a directory with a few messages, in two lives, of which the second was not ended. */
export function smallBase(): Promise<Base> {
  const ledger = new Ledger();
  // Short segments are quickly searched.
  return makeBase({ slabsPerSegment: 1 }, async ({ amqp }, life) => {
    const client = await FastClient.connect(amqp, { delivered() {}, confirmed: (_channel, ...confirm) => publisher.confirmed(...confirm) });
    const publisher = new Publisher(client, 1, 0, ledger, 200);
    await client.openChannel(1);
    await client.openChannel(2);
    await client.call(confirmSelect(1));
    await client.call(exchangeDeclare(2, { exchange: fanoutExchange, type: 'fanout', durable: true }));
    for (const number of [...routes.fan.queues, ...routes.acked.queues, ...routes.purged.queues]) {
      const name = queues[number]?.name ?? '';
      await client.call(queueDeclare(2, { queue: name, durable: true }));
      if ((routes.fan.queues as readonly number[]).includes(number))
        await client.call(queueBind(2, { queue: name, exchange: fanoutExchange }));
    }
    for (const route of [routes.fan, routes.acked, routes.purged, routes.acked, routes.fan]) {
      publisher.publish([route, route], new Random(life));
      await waitUntil(() => publisher.outstanding === 0);
    }
    await client.call(queuePurge(2, { queue: queues[routes.purged.queues[0] as number]?.name ?? '' }));
    publisher.publish([routes.acked], new Random(life));
    await waitUntil(() => publisher.outstanding === 0);
    client.destroy();
  });
}

/** A directory as a busy broker leaves it, large bodies included. */
export function realBase(seed: number): Promise<Base> {
  const ledger = new Ledger();
  const memory = new Memory(ledger);
  return makeBase({}, async ports => {
    const random = new Random(seed);
    const size = { publishers: 2, batch: 20, window: 50, kinds } as const;
    const site = new Site(ports, ledger, random, memory, size);
    await declareTopology(site);
    const load = new Load(site);
    load.start();
    const enough = ledger.confirmedMessages + 1000;
    await waitUntil(() => ledger.confirmedMessages > enough, { timeoutMillis: 20_000 });
    await load.end();
  });
}

async function makeBase(options: RecoveredOptions, use: (ports: Ports, life: number) => Promise<void>): Promise<Base> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-damage-'));
  try {
    const dataDir = join(directory, 'data');
    const first = await Broker.start({ dataDir, store: options, listeners });
    await use(portsOf(first), 1);
    await first.stop();
    const second = await Broker.start({ dataDir, store: options, listeners });
    await use(portsOf(second), 2);
    await second.core.committed();
    const base = look(load(dataDir), options);
    await second.stop();
    return base;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The files of a data directory, all of it durable: the journal's, and those of streams in their folder. */
function load(dataDir: string): Platter {
  const platter = new Platter();
  for (const [directory, folder] of [
    ['journal', ''],
    ['streams', streamFolder],
  ] as const) {
    for (const name of readdirSync(join(dataDir, directory))) {
      const bytes = readFileSync(join(dataDir, directory, name));
      let used = bytes.length;
      while (used > 0 && bytes[used - 1] === 0) used--;
      const image = Image.of(bytes.subarray(0, used));
      image.size = bytes.length;
      platter.place(folder + name, new Inode(image, image.clone()));
    }
  }
  return platter;
}

function look(platter: Platter, options: RecoveredOptions): Base {
  const files = new SimFiles(new Random(1), platter);
  const recovered = new Recovered(files.clone(new Random(1)), options);
  if (recovered.report.damaged.length > 0) throw new Error(`the base is damaged: ${recovered.report.damaged.join('; ')}`);
  const { segments } = recovered.store.journal;
  const expected = new Map<string, Expected[]>();
  const chunks = chunksOf(recovered);
  for (const queue of recovered.queues.values()) {
    if (queue.hasOwnLog) {
      expected.set(queue.name, expectedOf(recovered, queue.name, queue.id, chunks));
      continue;
    }
    const list: Expected[] = [];
    expected.set(queue.name, list);
    queue.forEachReady(entry => {
      const slab = recovered.core.store.slabs[entry.ref >> 16];
      const copy = readBody(recovered.bodyOf(entry) ?? Buffer.alloc(0));
      const logSequence = slab?.logSequence ?? 0;
      const position = segments.positionOf(logSequence) + ((entry.ref & 0xffff) << 4);
      list.push({ copy, file: fileName(segments.numberOf(logSequence)), position });
      return true;
    });
  }
  const used = new Map<string, number>();
  for (const name of platter.names.keys()) {
    const bytes = files.bytesOf(name);
    let count = bytes.length;
    while (count > 0 && bytes[count - 1] === 0) count--;
    if (count > 0) used.set(name, count);
  }
  return {
    files,
    used,
    usedBytes: [...used.values()].reduce((sum, count) => sum + count, 0),
    expected,
    frames: framesOf(recovered),
    chunks,
    options,
  };
}

function framesOf({ store }: Recovered): FramePlace[] {
  const { segments } = store.journal;
  const list = new FrameList(segments, new SlabReader(segments), []);
  list.load(Array.from({ length: segments.count }, (_, index) => segments.first + index));
  return Array.from({ length: list.count }, (_, index) => {
    const logSequence = list.logSequence(index);
    const from = segments.positionOf(logSequence) + list.offset(index);
    const to = from + list.bytes(index);
    const opsBytes = list.opsBytes(index);
    return { file: fileName(segments.numberOf(logSequence)), from, opsFrom: from + 64 + list.bodyBytes(index), to, opsBytes };
  });
}
