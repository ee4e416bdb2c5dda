import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int } from '../../base/field-table.ts';
import { DecodeError } from '../decode-error.ts';
import { hardErrors, replyNames } from './constants.gen.ts';
import * as methods from './methods.gen.ts';
import type { MethodArguments, MethodNumber } from './methods.gen.ts';

const q = '0171'; // shortstr 'q'
const x = '0178'; // shortstr 'x'
const k = '016b'; // shortstr 'k'
const fields = new Map([['a', int(1)]]);
const fieldBytes = '00000007 0161 49 00000001';
const tag7 = '0000000000000007';

/** Per method: its class and method id in hexadecimal, an example of its arguments, and their bytes, all put together by hand. */
const examples: { [M in MethodNumber]: [id: string, args: MethodArguments[M], bytes: string] } = {
  [methods.ConnectionStart]: [
    '000a 000a',
    { versionMajor: 0, versionMinor: 9, serverProperties: fields, mechanisms: Buffer.from('PLAIN'), locales: Buffer.from('en') },
    `00 09 ${fieldBytes} 00000005 504c41494e 00000002 656e`,
  ],
  [methods.ConnectionStartOk]: [
    '000a 000b',
    { clientProperties: new Map(), mechanism: 'PLAIN', response: Buffer.from([0, 0xff]), locale: 'en' },
    '00000000 05 504c41494e 00000002 00ff 02 656e',
  ],
  [methods.ConnectionSecure]: ['000a 0014', { challenge: Buffer.from([1, 2]) }, '00000002 0102'],
  [methods.ConnectionSecureOk]: ['000a 0015', { response: Buffer.alloc(0) }, '00000000'],
  [methods.ConnectionTune]: ['000a 001e', { channelMax: 2047, frameMax: 131_072, heartbeat: 60 }, '07ff 00020000 003c'],
  [methods.ConnectionTuneOk]: ['000a 001f', { channelMax: 0xffff, frameMax: 0xffff_ffff, heartbeat: 0 }, 'ffff ffffffff 0000'],
  [methods.ConnectionOpen]: ['000a 0028', { virtualHost: '/é' }, '03 2fc3a9 00 00'],
  [methods.ConnectionOpenOk]: ['000a 0029', {}, '00'],
  [methods.ConnectionClose]: ['000a 0032', { replyCode: 320, replyText: 'x', classId: 60, methodId: 40 }, `0140 ${x} 003c 0028`],
  [methods.ConnectionCloseOk]: ['000a 0033', {}, ''],
  [methods.ConnectionBlocked]: ['000a 003c', { reason: 'x' }, x],
  [methods.ConnectionUnblocked]: ['000a 003d', {}, ''],
  [methods.ConnectionUpdateSecret]: ['000a 0046', { newSecret: Buffer.from('q'), reason: 'x' }, `00000001 71 ${x}`],
  [methods.ConnectionUpdateSecretOk]: ['000a 0047', {}, ''],
  [methods.ChannelOpen]: ['0014 000a', {}, '00'],
  [methods.ChannelOpenOk]: ['0014 000b', {}, '00000000'],
  [methods.ChannelFlow]: ['0014 0014', { active: true }, '01'],
  [methods.ChannelFlowOk]: ['0014 0015', { active: false }, '00'],
  [methods.ChannelClose]: ['0014 0028', { replyCode: 404, replyText: '', classId: 0, methodId: 0 }, '0194 00 0000 0000'],
  [methods.ChannelCloseOk]: ['0014 0029', {}, ''],
  [methods.AccessRequest]: [
    '001e 000a',
    { realm: 'x', exclusive: false, passive: true, active: true, write: false, read: true },
    `${x} 16`,
  ],
  [methods.AccessRequestOk]: ['001e 000b', { ticket: 1 }, '0001'],
  [methods.ExchangeDeclare]: [
    '0028 000a',
    {
      exchange: 'x',
      type: 'k',
      passive: false,
      durable: true,
      autoDelete: false,
      internal: true,
      nowait: false,
      arguments: fields,
    },
    `0000 ${x} ${k} 0a ${fieldBytes}`,
  ],
  [methods.ExchangeDeclareOk]: ['0028 000b', {}, ''],
  [methods.ExchangeDelete]: ['0028 0014', { exchange: 'x', ifUnused: true, nowait: false }, `0000 ${x} 01`],
  [methods.ExchangeDeleteOk]: ['0028 0015', {}, ''],
  [methods.ExchangeBind]: [
    '0028 001e',
    { destination: 'x', source: 'q', routingKey: 'k', nowait: true, arguments: new Map() },
    `0000 ${x} ${q} ${k} 01 00000000`,
  ],
  [methods.ExchangeBindOk]: ['0028 001f', {}, ''],
  [methods.ExchangeUnbind]: [
    '0028 0028',
    { destination: 'x', source: 'q', routingKey: 'k', nowait: false, arguments: new Map() },
    `0000 ${x} ${q} ${k} 00 00000000`,
  ],
  [methods.ExchangeUnbindOk]: ['0028 0033', {}, ''],
  [methods.QueueDeclare]: [
    '0032 000a',
    { queue: 'q', passive: false, durable: true, exclusive: false, autoDelete: true, nowait: true, arguments: fields },
    `0000 ${q} 1a ${fieldBytes}`,
  ],
  [methods.QueueDeclareOk]: ['0032 000b', { queue: 'q', messageCount: 0xffff_ffff, consumerCount: 2 }, `${q} ffffffff 00000002`],
  [methods.QueueBind]: [
    '0032 0014',
    { queue: 'q', exchange: 'x', routingKey: 'k', nowait: true, arguments: new Map() },
    `0000 ${q} ${x} ${k} 01 00000000`,
  ],
  [methods.QueueBindOk]: ['0032 0015', {}, ''],
  [methods.QueuePurge]: ['0032 001e', { queue: 'q', nowait: false }, `0000 ${q} 00`],
  [methods.QueuePurgeOk]: ['0032 001f', { messageCount: 3 }, '00000003'],
  [methods.QueueDelete]: ['0032 0028', { queue: 'q', ifUnused: false, ifEmpty: true, nowait: true }, `0000 ${q} 06`],
  [methods.QueueDeleteOk]: ['0032 0029', { messageCount: 3 }, '00000003'],
  [methods.QueueUnbind]: [
    '0032 0032',
    { queue: 'q', exchange: 'x', routingKey: 'k', arguments: fields },
    `0000 ${q} ${x} ${k} ${fieldBytes}`,
  ],
  [methods.QueueUnbindOk]: ['0032 0033', {}, ''],
  [methods.BasicQos]: ['003c 000a', { prefetchSize: 1, prefetchCount: 250, global: true }, '00000001 00fa 01'],
  [methods.BasicQosOk]: ['003c 000b', {}, ''],
  [methods.BasicConsume]: [
    '003c 0014',
    { queue: 'q', consumerTag: 'x', noLocal: true, noAck: false, exclusive: false, nowait: true, arguments: fields },
    `0000 ${q} ${x} 09 ${fieldBytes}`,
  ],
  [methods.BasicConsumeOk]: ['003c 0015', { consumerTag: 'x' }, x],
  [methods.BasicCancel]: ['003c 001e', { consumerTag: 'x', nowait: true }, `${x} 01`],
  [methods.BasicCancelOk]: ['003c 001f', { consumerTag: 'x' }, x],
  [methods.BasicPublish]: ['003c 0028', { exchange: 'x', routingKey: 'k', mandatory: true, immediate: false }, `0000 ${x} ${k} 01`],
  [methods.BasicReturn]: ['003c 0032', { replyCode: 312, replyText: 'q', exchange: 'x', routingKey: 'k' }, `0138 ${q} ${x} ${k}`],
  [methods.BasicDeliver]: [
    '003c 003c',
    { consumerTag: 'q', deliveryTag: 7, redelivered: true, exchange: 'x', routingKey: 'k' },
    `${q} ${tag7} 01 ${x} ${k}`,
  ],
  [methods.BasicGet]: ['003c 0046', { queue: 'q', noAck: true }, `0000 ${q} 01`],
  [methods.BasicGetOk]: [
    '003c 0047',
    { deliveryTag: 2 ** 53 - 1, redelivered: false, exchange: 'x', routingKey: 'k', messageCount: 9 },
    `001fffffffffffff 00 ${x} ${k} 00000009`,
  ],
  [methods.BasicGetEmpty]: ['003c 0048', {}, '00'],
  [methods.BasicAck]: ['003c 0050', { deliveryTag: 7, multiple: true }, `${tag7} 01`],
  [methods.BasicReject]: ['003c 005a', { deliveryTag: 7, requeue: false }, `${tag7} 00`],
  [methods.BasicRecoverAsync]: ['003c 0064', { requeue: true }, '01'],
  [methods.BasicRecover]: ['003c 006e', { requeue: true }, '01'],
  [methods.BasicRecoverOk]: ['003c 006f', {}, ''],
  [methods.BasicNack]: ['003c 0078', { deliveryTag: 7, multiple: false, requeue: true }, `${tag7} 02`],
  [methods.ConfirmSelect]: ['0055 000a', { nowait: true }, '01'],
  [methods.ConfirmSelectOk]: ['0055 000b', {}, ''],
  [methods.TxSelect]: ['005a 000a', {}, ''],
  [methods.TxSelectOk]: ['005a 000b', {}, ''],
  [methods.TxCommit]: ['005a 0014', {}, ''],
  [methods.TxCommitOk]: ['005a 0015', {}, ''],
  [methods.TxRollback]: ['005a 001e', {}, ''],
  [methods.TxRollbackOk]: ['005a 001f', {}, ''],
};

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const all = Object.entries(examples).map(([number, [id, args, bytes]]) => ({
  method: Number(number) as MethodNumber,
  name: methods.methodNames.get(Number(number)) ?? '',
  id: hex(id),
  args,
  bytes: hex(bytes),
}));

/** The error that decoding throws, which must be a DecodeError. */
function decodeErrorOf(decode: () => unknown): DecodeError {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    return error;
  }
  assert.fail('decoding did not fail');
}

for (const { method, name, id, args, bytes } of all) {
  test(`${name} is encoded into one exact frame and decoded back`, () => {
    assert.equal(method, id.readUInt32BE(0));
    const frame = methods.encodeMethod(0x0102, method, args);
    const payload = Buffer.concat([id, bytes]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(payload.length);
    assert.equal(frame.toString('hex'), Buffer.concat([hex('01 0102'), size, payload, hex('ce')]).toString('hex'));
    assert.deepEqual(methods.decodeMethod(method, frame, 11, frame.length - 1), { method, name, args });
  });
}

test('arguments cut short anywhere are refused as truncated', () => {
  for (const { method, name, bytes } of all) {
    for (let length = 0; length < bytes.length; length++) {
      const error = decodeErrorOf(() => methods.decodeMethod(method, bytes.subarray(0, length), 0, length));
      assert.equal(error.kind, 'truncated', `${name} of ${length} bytes`);
    }
  }
});

test('an end before the end of the buffer is respected', () => {
  const bytes = hex(`${x} 01`);
  assert.equal(decodeErrorOf(() => methods.decodeBasicCancel(bytes, 0, 2)).kind, 'truncated');
});

test('bytes behind the arguments are refused', () => {
  for (const { method, name, bytes } of all) {
    const longer = Buffer.concat([bytes, hex('00')]);
    const error = decodeErrorOf(() => methods.decodeMethod(method, longer, 0, longer.length));
    assert.equal(error.kind, 'trailing', name);
  }
});

test('reserved arguments may hold anything', () => {
  const open = hex('012f 02 6162 01');
  assert.deepEqual(methods.decodeConnectionOpen(open, 0, open.length), { virtualHost: '/' });
  const get = hex(`abcd ${q} 00`);
  assert.deepEqual(methods.decodeBasicGet(get, 0, get.length), { queue: 'q', noAck: false });
});

test('unused bits of a packed octet are ignored', () => {
  const bytes = hex(`${tag7} fe`);
  assert.deepEqual(methods.decodeBasicReject(bytes, 0, bytes.length), { deliveryTag: 7, requeue: false });
});

test('malformed UTF-8 in a method without content is refused', () => {
  const bytes = hex('0000 02 c328 00 00000000');
  const error = decodeErrorOf(() => methods.decodeQueueDeclare(bytes, 0, bytes.length));
  assert.equal(error.kind, 'malformed-utf8');
  assert.equal(error.message, 'Malformed UTF-8 in shortstr');
});

test('a routing key of a message may be any bytes and comes out as it came in', () => {
  const bytes = hex(`0000 ${x} 03 61ff80 00`);
  const args = methods.decodeBasicPublish(bytes, 0, bytes.length);
  const frame = methods.encodeBasicPublish(1, args);
  assert.equal(frame.subarray(11, -1).toString('hex'), bytes.toString('hex'));
});

test('a delivery tag beyond the safe integers equals no tag', () => {
  for (const tag of ['0020000000000000', 'ffffffffffffffff']) {
    const bytes = hex(`${tag} 00`);
    assert.equal(methods.decodeBasicAck(bytes, 0, bytes.length).deliveryTag, Number.POSITIVE_INFINITY);
  }
});

test('a short string of 255 bytes is encoded, one of 256 is not', () => {
  assert.equal(methods.encodeBasicConsumeOk(1, { consumerTag: 'x'.repeat(255) }).length, 8 + 4 + 256);
  assert.throws(() => methods.encodeBasicConsumeOk(1, { consumerTag: 'x'.repeat(256) }), RangeError);
  assert.throws(() => methods.encodeBasicConsumeOk(1, { consumerTag: 'é'.repeat(128) }), RangeError);
});

test('a number outside its width is not encoded', () => {
  assert.throws(() => methods.encodeConnectionTune(0, { channelMax: 0x1_0000, frameMax: 0, heartbeat: 0 }), RangeError);
  assert.throws(() => methods.encodeBasicAck(1, { deliveryTag: -1, multiple: false }), RangeError);
  assert.throws(() => methods.encodeTxSelect(0x1_0000), RangeError);
});

test('an unknown method is refused', () => {
  assert.equal(decodeErrorOf(() => methods.decodeMethod(0x003c_00ff, Buffer.alloc(0), 0, 0)).kind, 'unknown-method');
});

test('table limits are handed on to the tables of a method', () => {
  const bytes = hex(`0000 ${q} 00 ${fieldBytes}`);
  const limits = { depthMax: 32, entryCountMax: 0 };
  assert.equal(decodeErrorOf(() => methods.decodeQueueDeclare(bytes, 0, bytes.length, limits)).kind, 'too-many');
  assert.equal(decodeErrorOf(() => methods.decodeMethod(methods.QueueDeclare, bytes, 0, bytes.length, limits)).kind, 'too-many');
});

test('four methods carry content', () => {
  assert.deepEqual(
    all.filter(({ method }) => methods.hasContent(method)).map(({ name }) => name),
    ['basic.publish', 'basic.return', 'basic.deliver', 'basic.get-ok'],
  );
});

test('bytes of a security field are a view and need not be text', () => {
  const bytes = hex('00000003 ff00fe');
  const { challenge } = methods.decodeConnectionSecure(bytes, 0, bytes.length);
  assert.equal(challenge.buffer, bytes.buffer);
  assert.deepEqual([...challenge], [0xff, 0, 0xfe]);
});

test('reply codes have the names of reply texts, and hard errors are those of connections', () => {
  assert.equal(replyNames.get(404), 'NOT_FOUND');
  assert.equal(replyNames.get(312), 'NO_ROUTE');
  assert.equal(replyNames.get(502), 'SYNTAX_ERROR');
  assert.deepEqual(
    [...hardErrors].sort((a, b) => a - b),
    [320, 402, 501, 502, 503, 504, 505, 506, 530, 540, 541],
  );
});
