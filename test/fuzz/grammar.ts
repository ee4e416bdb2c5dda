// Random frames that are right in form: any method with any arguments, on any channel, at any time. Written byte by byte and not with our
// own encoders, which would refuse half of it.
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { hostileTable, someTable } from './tables.ts';
import type { Wild } from './wild.ts';

/**
 * Arguments by letter: o octet, s short, l long, L longlong, t shortstr, S longstr, F table, 1 to 5 so many bits; and shortstrs with a
 * meaning: q queue, e exchange, k routing key, c consumer tag, y exchange type, v virtual host, a mechanism.
 */
const signatures: ReadonlyMap<number, string> = new Map([
  [m.ConnectionStart, 'ooFSS'],
  [m.ConnectionStartOk, 'FaSt'],
  [m.ConnectionSecure, 'S'],
  [m.ConnectionSecureOk, 'S'],
  [m.ConnectionTune, 'sls'],
  [m.ConnectionTuneOk, 'sls'],
  [m.ConnectionOpen, 'vt1'],
  [m.ConnectionOpenOk, 't'],
  [m.ConnectionClose, 'stss'],
  [m.ConnectionCloseOk, ''],
  [m.ConnectionBlocked, 't'],
  [m.ConnectionUnblocked, ''],
  [m.ConnectionUpdateSecret, 'St'],
  [m.ConnectionUpdateSecretOk, ''],
  [m.ChannelOpen, 't'],
  [m.ChannelOpenOk, 'S'],
  [m.ChannelFlow, '1'],
  [m.ChannelFlowOk, '1'],
  [m.ChannelClose, 'stss'],
  [m.ChannelCloseOk, ''],
  [m.AccessRequest, 't5'],
  [m.AccessRequestOk, 's'],
  [m.ExchangeDeclare, 'sey5F'],
  [m.ExchangeDeclareOk, ''],
  [m.ExchangeDelete, 'se2'],
  [m.ExchangeDeleteOk, ''],
  [m.ExchangeBind, 'seek1F'],
  [m.ExchangeBindOk, ''],
  [m.ExchangeUnbind, 'seek1F'],
  [m.ExchangeUnbindOk, ''],
  [m.QueueDeclare, 'sq5F'],
  [m.QueueDeclareOk, 'tll'],
  [m.QueueBind, 'sqek1F'],
  [m.QueueBindOk, ''],
  [m.QueuePurge, 'sq1'],
  [m.QueuePurgeOk, 'l'],
  [m.QueueDelete, 'sq3'],
  [m.QueueDeleteOk, 'l'],
  [m.QueueUnbind, 'sqekF'],
  [m.QueueUnbindOk, ''],
  [m.BasicQos, 'ls1'],
  [m.BasicQosOk, ''],
  [m.BasicConsume, 'sqc4F'],
  [m.BasicConsumeOk, 'c'],
  [m.BasicCancel, 'c1'],
  [m.BasicCancelOk, 'c'],
  [m.BasicPublish, 'sek2'],
  [m.BasicReturn, 'stek'],
  [m.BasicDeliver, 'cL1ek'],
  [m.BasicGet, 'sq1'],
  [m.BasicGetOk, 'L1ekl'],
  [m.BasicGetEmpty, 't'],
  [m.BasicAck, 'L1'],
  [m.BasicReject, 'L1'],
  [m.BasicRecoverAsync, '1'],
  [m.BasicRecover, '1'],
  [m.BasicRecoverOk, ''],
  [m.BasicNack, 'L2'],
  [m.ConfirmSelect, '1'],
  [m.ConfirmSelectOk, ''],
  [m.TxSelect, ''],
  [m.TxSelectOk, ''],
  [m.TxCommit, ''],
  [m.TxCommitOk, ''],
  [m.TxRollback, ''],
  [m.TxRollbackOk, ''],
]);

const methods = [...signatures.keys()];
/** What clients do most, so that sessions come somewhere. */
const usual = [
  m.ExchangeDeclare,
  m.ExchangeBind,
  m.QueueDeclare,
  m.QueueDeclare,
  m.QueueBind,
  m.QueuePurge,
  m.QueueDelete,
  m.BasicQos,
  m.BasicConsume,
  m.BasicConsume,
  m.BasicCancel,
  m.BasicPublish,
  m.BasicPublish,
  m.BasicPublish,
  m.BasicPublish,
  m.BasicGet,
  m.BasicAck,
  m.BasicAck,
  m.BasicNack,
  m.BasicReject,
  m.BasicRecover,
  m.ConfirmSelect,
  m.TxSelect,
  m.TxSelect,
  m.TxCommit,
  m.TxRollback,
  m.ChannelClose,
];

const queueNames = [
  'q0',
  'q1',
  'q2',
  'q3',
  '',
  'amq.rabbitmq.reply-to',
  'amq.gen-x',
  'missing',
  'a\0b',
  'q\r\n1',
  '\u{1f430}',
  'x'.repeat(255),
  '__proto__',
];
const exchangeNames = [
  '',
  'e0',
  'e1',
  'e2',
  'amq.direct',
  'amq.fanout',
  'amq.topic',
  'amq.headers',
  'amq.match',
  'amq.rabbitmq.trace',
  'missing',
  'constructor',
];
const keys = ['', 'q0', 'q1', 'a', 'a.b', '#', '*.#', 'a.*.b.#', '.'.repeat(255), 'amq.rabbitmq.reply-to', '1', '\0'];
const types = ['direct', 'fanout', 'topic', 'headers', 'x-consistent-hash', 'x-random', 'x-recent-history', 'bogus', '', 'toString'];
const tags = ['t0', 't1', 't2', '', 'x'.repeat(255), '__proto__'];

function shortstr(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

function pickText(random: Wild, texts: readonly string[]): Buffer {
  if (random.isWild()) return shortstr(random.bytes(random.below(256)));
  return shortstr(Buffer.from(random.pick(texts)).subarray(0, 255));
}

function uint(random: Wild, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  // Small numbers mean something; the others are at the ends.
  const kind = random.isWild() ? random.below(10) : 0;
  if (kind < 7) buffer[bytes - 1] = random.below(8);
  else if (kind === 7) buffer.fill(0xff);
  else if (kind === 8) buffer[0] = 0x80;
  else random.bytes(bytes).copy(buffer);
  return buffer;
}

function argument(random: Wild, letter: string): Buffer {
  switch (letter) {
    case 'o':
      return uint(random, 1);
    case 's':
      return uint(random, 2);
    case 'l':
      return random.isWild() ? uint(random, 4) : Buffer.alloc(4);
    case 'L':
      return uint(random, 8);
    case 't':
      return pickText(random, ['', 'text', '/data']);
    case 'q':
      return pickText(random, random.isWild() ? queueNames : queueNames.slice(0, 5));
    case 'e':
      return pickText(random, random.isWild() ? exchangeNames : exchangeNames.slice(0, 9));
    case 'k':
      return pickText(random, keys);
    case 'c':
      return pickText(random, tags);
    case 'y':
      return pickText(random, random.isWild() ? types : types.slice(0, 7));
    case 'v':
      return pickText(random, ['/', 'missing', '']);
    case 'a':
      return pickText(random, ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'ANONYMOUS', 'bogus']);
    case 'S': {
      const bytes = random.chance(0.5) ? Buffer.from('\0guest\0guest') : random.bytes(random.skewed(200));
      return Buffer.concat([uint32(bytes.length), bytes]);
    }
    case 'F':
      return someTable(random);
    default: {
      const count = Number(letter);
      // Mostly none or one of the bits; now and then the reserved ones too.
      if (random.isWild()) return Buffer.of(random.below(256));
      return Buffer.of(random.chance(0.6) ? 0 : 1 << random.below(count));
    }
  }
}

function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const buffer = Buffer.allocUnsafe(8 + payload.length);
  buffer[0] = type;
  buffer.writeUInt16BE(channel, 1);
  buffer.writeUInt32BE(payload.length, 3);
  payload.copy(buffer, 7);
  buffer[buffer.length - 1] = 0xce;
  return buffer;
}

export function someChannel(random: Wild): number {
  return random.isWild() ? random.pick([0, 0, 7, 2047, 2048, 65_535]) : random.between(1, 3);
}

export function methodFrame(random: Wild, method: number, channel: number): Buffer {
  const signature = signatures.get(method) ?? '';
  const parts = [uint32(method)];
  for (const letter of signature) parts.push(argument(random, letter));
  const bytes = frame(1, channel, Buffer.concat(parts));
  if (!random.isWild()) makeMeaningful(random, method, channel, bytes);
  return bytes;
}

/** A queue.declare whose arguments are a table of a hostile shape. */
export function hostileDeclaration(random: Wild, channel: number): Buffer {
  const before = Buffer.from('\0\0\x01q\0', 'latin1');
  return frame(1, channel, Buffer.concat([uint32(m.QueueDeclare), before, hostileTable(random)]));
}

/** Keeps arguments out that end the session for nothing: publishes at once, recovery without requeueing, tags that nobody knows. */
function makeMeaningful(random: Wild, method: number, channel: number, bytes: Buffer): void {
  const last = bytes.length - 2;
  if (method === m.BasicPublish) bytes[last] = (bytes[last] as number) & 1;
  else if (method === m.BasicRecover || method === m.BasicRecoverAsync || method === m.ChannelFlow) bytes[last] = 1;
  else if (method === m.BasicAck || method === m.BasicNack || method === m.BasicReject) {
    const tag = random.takeTag(channel);
    bytes.writeUInt32BE(0, 11);
    bytes.writeUInt32BE(tag, 15);
    // Of no delivery known: all there are.
    if (tag === 0) {
      bytes.writeUInt32BE(m.BasicAck, 7);
      bytes[last] = 1;
    }
  }
}

/** A method of any kind; connection methods on channel 0, as a rule. */
export function someMethod(random: Wild, channel: number): Buffer {
  const method = random.isWild() ? random.pick(methods) : random.pick(usual);
  const isConnection = method >>> 16 === 10;
  return methodFrame(random, method, isConnection && random.chance(0.7) ? 0 : channel);
}

/** Properties with flags that are right for what follows them. */
export function someProperties(random: Wild): Buffer {
  let flags = 0;
  const parts: Buffer[] = [];
  const add = (flag: number, part: () => Buffer, probability = 0.1): void => {
    if (!random.chance(probability)) return;
    flags |= flag;
    parts.push(part());
  };
  const text = (): Buffer => pickText(random, ['', 'x', '1000', 'guest']);
  add(0x8000, text);
  add(0x4000, text);
  add(0x2000, () => someTable(random), 0.2);
  add(0x1000, () => Buffer.of(random.pick(random.isWild() ? [0, 3, 255] : [1, 2])), 0.3);
  add(0x0800, () => Buffer.of(random.below(256)));
  add(0x0400, text);
  add(0x0200, () => pickText(random, random.isWild() ? ['amq.rabbitmq.reply-to'] : ['q0', '']));
  add(0x0100, () => pickText(random, random.isWild() ? ['-1', 'abc', '4294967296', '+5', '1e3', ''] : ['0', '10', '60000']));
  add(0x0080, text);
  add(0x0040, () => uint(random, 8));
  add(0x0020, text);
  add(0x0010, () => pickText(random, random.isWild() ? ['nobody', ''] : ['guest']), 0.05);
  add(0x0008, text);
  add(0x0004, text);
  const word = Buffer.allocUnsafe(2);
  word.writeUInt16BE(flags);
  return Buffer.concat([word, ...parts]);
}

/** Header and body frames, mostly of a length that fits. */
export function someContent(random: Wild, channel: number): Buffer[] {
  const bodyBytes = random.chance(0.05) ? random.below(40_000) : random.skewed(200);
  const prefix = Buffer.alloc(12);
  prefix.writeUInt16BE(random.isWild() ? random.below(100) : 60, 0);
  if (random.isWild()) prefix.writeUInt16BE(random.below(3), 2);
  if (random.isWild()) uint(random, 8).copy(prefix, 4);
  else prefix.writeUInt32BE(bodyBytes, 8);
  const frames = [frame(2, channel, Buffer.concat([prefix, someProperties(random)]))];
  for (let left = bodyBytes; left > 0; ) {
    const count = random.isWild()
      ? random.between(0, Math.min(left + 2, 4088))
      : Math.min(left, random.chance(0.8) ? 4088 : random.between(1, 4088));
    frames.push(frame(3, channel, random.bytes(count)));
    left -= count;
    if (random.isWild()) break;
  }
  return frames;
}

/** A step of a session: a method, with its content if it has any, or something out of place. */
export function someStep(random: Wild): Buffer[] {
  const channel = someChannel(random);
  if (random.isWild()) {
    const kind = random.below(3);
    if (kind === 0) return someContent(random, channel);
    if (kind === 1) return [frame(8, random.chance(0.5) ? 0 : channel, Buffer.alloc(random.chance(0.5) ? 0 : 3))];
    return [frame(random.below(256), channel, random.bytes(random.below(30)))];
  }
  if (random.chance(0.01)) return [frame(8, 0, Buffer.alloc(0))];
  const method = someMethod(random, channel);
  // Who closes a channel opens it again, or all that follows is in vain.
  if (method.readUInt32BE(7) === m.ChannelClose && !random.isWild()) return [method, m.encodeChannelOpen(method.readUInt16BE(1))];
  const isPublish = method.readUInt32BE(7) === m.BasicPublish;
  return isPublish && !random.isWild() ? [method, ...someContent(random, channel)] : [method];
}
