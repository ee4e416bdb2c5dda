// The damage campaign: data directories with one piece damaged are started on and read.
//   npm run damage                                       every bit of a small directory; 5,000 flips, 500 cuts and 500 tails of a large one
//   npm run damage -- --bits N --random N --seed S       N bits of the small one, evenly; N flips, and a tenth of that of cuts and of tails
import { parseArgs } from 'node:util';
import { Random } from '../../support/random.ts';
import { type Base, realBase, smallBase } from './base.ts';
import { type Injury, injure, injuryName } from './injure.ts';

const { values } = parseArgs({
  options: {
    bits: { type: 'string', default: 'all' },
    random: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    'until-violation': { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const totals = { states: 0, lossless: 0, withLoss: 0, lost: 0, refused: 0, violations: 0 };
const began = performance.now();

function run(base: Base, what: string, injuries: Iterable<Injury>): void {
  const before = { ...totals };
  for (const injury of injuries) {
    const { lost, isRefused, violations } = injure(base, injury);
    totals.states++;
    totals.lost += lost;
    if (isRefused) totals.refused++;
    else if (lost > 0) totals.withLoss++;
    else totals.lossless++;
    for (const violation of violations) console.error(`${what}: ${injuryName(injury)}: ${violation}`);
    if (violations.length === 0) continue;
    totals.violations++;
    if (values['until-violation'] || totals.violations > 50) end();
  }
  const count = (key: keyof typeof totals): number => totals[key] - before[key];
  console.log(
    `${what}: ${count('states')} states, ${count('withLoss')} of them with ${count('lost')} messages lost and reported, ` +
      `${count('refused')} refused, ${count('violations')} violations`,
  );
}

function* everyBit(base: Base, most: number): Iterable<Injury> {
  const all = base.usedBytes * 8;
  let due = 0;
  for (const [file, count] of base.used) {
    for (let position = 0; position < count; position++) {
      for (let bit = 0; bit < 8; bit++) {
        due += Math.min(1, most / all);
        if (due < 1) continue;
        due -= 1;
        yield { kind: 'flip', file, position, bit };
      }
    }
  }
}

function* flips(base: Base, random: Random, most: number): Iterable<Injury> {
  const names = [...base.used.keys()];
  for (let i = 0; i < most; i++) {
    const file = random.pick(names);
    yield { kind: 'flip', file, position: random.below(base.used.get(file) as number), bit: random.below(8) };
  }
}

function* cuts(base: Base, random: Random, most: number): Iterable<Injury> {
  const names = [...base.used.keys()];
  for (let i = 0; i < most; i++) {
    const file = random.pick(names);
    yield { kind: 'truncate', file, size: random.below(base.used.get(file) as number) };
  }
}

/** Behind the last frame: random bytes, what stands somewhere before, and zeros over what is zero already. */
function* tails(base: Base, random: Random, most: number): Iterable<Injury> {
  const last = base.frames.at(-1);
  if (last === undefined) return;
  const whole = base.files.bytesOf(last.file);
  for (let i = 0; i < most; i++) {
    const count = 1 + random.below(8000);
    const kind = random.pick(['random', 'old', 'zeros', 'frame'] as const);
    let bytes: Buffer = Buffer.alloc(count);
    if (kind === 'random') bytes = random.bytes(count);
    else if (kind === 'old') bytes = Buffer.from(whole.subarray(random.below(last.to), last.to).subarray(0, count));
    else if (kind === 'frame') {
      const frame = random.pick(base.frames.filter(({ file }) => file === last.file));
      bytes = Buffer.from(whole.subarray(frame.from, frame.to));
    }
    yield { kind: 'tail', file: last.file, position: last.to, bytes };
  }
}

/** The same behind the last chunk of a stream, which is the end of a file that has its length. */
function* streamTails(base: Base, random: Random, most: number): Iterable<Injury> {
  const last = base.chunks.at(-1);
  if (last === undefined) return;
  const whole = base.files.bytesOf(last.file);
  for (let i = 0; i < most; i++) {
    const count = 1 + random.below(8000);
    const kind = random.pick(['random', 'old', 'zeros', 'chunk'] as const);
    let bytes: Buffer = Buffer.alloc(count);
    if (kind === 'random') bytes = random.bytes(count);
    else if (kind === 'old') bytes = Buffer.from(whole.subarray(random.below(last.to), last.to).subarray(0, count));
    else if (kind === 'chunk') {
      const chunk = random.pick(base.chunks.filter(({ file }) => file === last.file));
      bytes = Buffer.from(whole.subarray(chunk.from, chunk.to));
    }
    yield { kind: 'tail', file: last.file, position: last.to, bytes };
  }
}

function end(): never {
  console.log(JSON.stringify({ seed, ...totals, seconds: (performance.now() - began) / 1000 }));
  process.exit(totals.violations === 0 ? 0 : 1);
}

const small = await smallBase();
console.log(`the small directory: ${small.usedBytes} bytes in ${small.used.size} files, ${small.frames.length} frames`);
run(small, 'every bit of a small directory', everyBit(small, values.bits === 'all' ? Infinity : Number(values.bits)));
const real = await realBase(seed);
console.log(
  `the large directory: ${real.usedBytes} bytes in ${real.used.size} files, ${real.frames.length} frames, ${real.chunks.length} chunks`,
);
const random = new Random(seed);
const count = Number(values.random);
run(real, 'flips', flips(real, random, count));
run(real, 'cuts', cuts(real, random, Math.ceil(count / 10)));
run(real, 'tails', tails(real, random, Math.ceil(count / 10)));
run(real, 'tails of a stream', streamTails(real, random, Math.ceil(count / 10)));
end();
