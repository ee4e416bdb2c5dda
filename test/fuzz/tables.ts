// Field tables that clients may send: right ones of every type, and ones made to hurt.
import type { Wild } from './wild.ts';

const names = [
  'x-message-ttl',
  'x-expires',
  'x-max-length',
  'x-max-length-bytes',
  'x-overflow',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-max-priority',
  'x-queue-type',
  'x-queue-mode',
  'x-single-active-consumer',
  'x-delivery-limit',
  'x-consumer-timeout',
  'x-match',
  'x-priority',
  'x-stream-offset',
  'x-death',
  'alternate-exchange',
  'x-delayed-type',
  'x-recent-history-length',
  'hash-header',
  'CC',
  'BCC',
  'capabilities',
  'consumer_cancel_notify',
  'authentication_failure_close',
  'connection.blocked',
  'a',
  '',
  '__proto__',
  'constructor',
  'LOGIN',
  'PASSWORD',
];

const texts = [
  '',
  'q0',
  'e0',
  'guest',
  'classic',
  'quorum',
  'stream',
  'lazy',
  'drop-head',
  'reject-publish',
  'reject-publish-dlx',
  'all',
  'any',
  'all-with-x',
  'amq.fanout',
];

function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value >>> 0);
  return buffer;
}

function longBytes(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function fixed(random: Wild, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (random.chance(0.6)) buffer[bytes - 1] = random.below(12);
  else if (random.chance(0.5)) buffer.fill(0xff);
  else random.bytes(bytes).copy(buffer);
  return buffer;
}

const sizes: Readonly<Record<string, number>> = { t: 1, b: 1, B: 1, s: 2, u: 2, I: 4, i: 4, l: 8, L: 8, T: 8, f: 4, d: 8, D: 5, V: 0 };
const letters = [...Object.keys(sizes), 'S', 'S', 'S', 'I', 'I', 'l', 'x', 'A', 'F'];

function someField(random: Wild, depth: number): Buffer {
  const letter = random.isWild() && random.chance(0.3) ? String.fromCharCode(random.below(256)) : random.pick(letters);
  const tag = Buffer.from(letter, 'latin1');
  if (letter === 'S' || letter === 'x') {
    const bytes = random.chance(0.8) ? Buffer.from(random.pick(texts)) : random.bytes(random.skewed(300));
    return Buffer.concat([tag, longBytes(bytes)]);
  }
  if (letter === 'A' || letter === 'F') {
    if (depth > 4) return Buffer.concat([tag, uint32(0)]);
    if (letter === 'F') return Buffer.concat([tag, plainTable(random, depth + 1)]);
    const items = Array.from({ length: random.skewed(6) }, () => someField(random, depth + 1));
    return Buffer.concat([tag, longBytes(Buffer.concat(items))]);
  }
  return Buffer.concat([tag, fixed(random, sizes[letter] ?? 0)]);
}

function plainTable(random: Wild, depth: number): Buffer {
  const entries: Buffer[] = [];
  for (let i = random.skewed(6); i > 0; i--) {
    const name = random.chance(0.97) ? Buffer.from(random.pick(names)) : random.bytes(random.below(256));
    entries.push(Buffer.of(name.length), name, someField(random, depth));
  }
  return longBytes(Buffer.concat(entries));
}

/** Tables of hostile shapes, all with lengths that are right. */
export function hostileTable(random: Wild): Buffer {
  const named = (field: Buffer, name = 'a'): Buffer => Buffer.concat([Buffer.of(name.length), Buffer.from(name), field]);
  switch (random.below(8)) {
    case 0: {
      // Nested tables, around the limit and far beyond it.
      let table = longBytes(Buffer.alloc(0));
      for (let depth = random.pick([30, 31, 32, 33, 300, 3000]); depth > 0; depth--) {
        table = longBytes(named(Buffer.concat([Buffer.from('F'), table])));
      }
      return table;
    }
    case 1: {
      let array = longBytes(Buffer.alloc(0));
      for (let depth = random.pick([30, 31, 32, 33, 300, 3000]); depth > 0; depth--)
        array = longBytes(Buffer.concat([Buffer.from('A'), array]));
      return longBytes(named(Buffer.concat([Buffer.from('A'), array])));
    }
    case 2:
      // Very many entries of no size.
      return longBytes(named(Buffer.concat([Buffer.from('A'), longBytes(Buffer.alloc(random.pick([1023, 1024, 1025, 100_000]), 'V'))])));
    case 3:
      return longBytes(Buffer.concat(Array.from({ length: 300 }, (_, i) => named(Buffer.from('V'), i % 2 === 0 ? '__proto__' : `k${i}`))));
    case 4:
      return longBytes(named(Buffer.concat([Buffer.from('S'), longBytes(random.bytes(5000))])));
    case 5:
      return longBytes(named(Buffer.concat([Buffer.from('D'), Buffer.of(255, 255, 255, 255, 255)]), 'x-message-ttl'));
    case 6:
      return longBytes(named(Buffer.concat([Buffer.from('T'), Buffer.alloc(8, 0xff)]), 'x-expires'));
    default:
      return longBytes(named(Buffer.concat([Buffer.from('d'), Buffer.from([0x7f, 0xf8, 0, 0, 0, 0, 0, 1])]), 'x-priority'));
  }
}

/** A table with its length; now and then one that is broken. */
export function someTable(random: Wild): Buffer {
  if (!random.isWild()) return random.chance(0.5) ? uint32(0) : plainTable(random, 1);
  const kind = random.below(4);
  if (kind < 2) return hostileTable(random);
  const table = plainTable(random, 1);
  if (kind === 2) table.writeUInt32BE(random.below(table.length + 5), 0);
  else if (table.length > 4) table[random.between(4, table.length - 1)] = random.below(256);
  return table;
}
