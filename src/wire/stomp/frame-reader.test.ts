import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../decode-error.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { commandBytesMax, FrameReader, headBytesMax, headersMax } from './frame-reader.ts';

interface Read {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function readAll(reader: FrameReader, ...chunks: readonly (string | Buffer)[]): Read[] {
  const frames: Read[] = [];
  const visitor = {
    onFrame({ command, headers, body }: Frame): boolean {
      frames.push({ command, headers: Object.fromEntries(headers), body: body.toString('latin1') });
      return true;
    },
  };
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    assert.equal(reader.push(bytes, 0, bytes.length, visitor), bytes.length);
  }
  return frames;
}

const read = (...chunks: readonly (string | Buffer)[]): Read[] => readAll(new FrameReader(100_000), ...chunks);
const refuses = (text: string | Buffer, message: RegExp, reader = new FrameReader(100_000)): void => {
  assert.throws(
    () => readAll(reader, text),
    error => error instanceof DecodeError && message.test(error.message),
  );
};

test('frames are cut out of line feeds, carriage returns and NULs between them', () => {
  assert.deepEqual(read('\n\r\n\0SEND\r\na:b\r\nc:\r\n\r\nbody\0\n\nACK\n\n\0'), [
    { command: 'SEND', headers: { a: 'b', c: '' }, body: 'body' },
    { command: 'ACK', headers: {}, body: '' },
  ]);
});

test('a frame is the same however it comes in pieces', () => {
  const bytes = Buffer.from('\r\nSEND\r\nkey:v\\cal\r\ncontent-length:5\n\na\0b\0c\0\nSEND\n\nto the NUL\0');
  const whole = read(bytes);
  assert.equal(whole.length, 2);
  for (let cut = 0; cut <= bytes.length; cut++) assert.deepEqual(read(bytes.subarray(0, cut), bytes.subarray(cut)), whole);
  assert.deepEqual(read(...Array.from(bytes, byte => Buffer.of(byte))), whole);
});

test('the first of equal headers counts, values may have colons and any bytes', () => {
  assert.deepEqual(read('SEND\na:1\na:2\nb: x:y \n\n\0')[0]?.headers, { a: '1', b: ' x:y ' });
  const [frame] = read(Buffer.concat([Buffer.from('SEND\na:'), Buffer.of(0xff), Buffer.from('\n\n\0')]));
  assert.equal(frame?.headers.a, '\udcff');
});

test('escapes are undone; what is none is refused, but not where there are no escapes', () => {
  assert.deepEqual(read('SEND\nk\\cey:\\n\\r\\\\n\n\n\0')[0]?.headers, { 'k:ey': '\n\r\\n' });
  refuses('SEND\na:\\t\n\n\0', /^bad escape '\\t' in a header$/);
  refuses('SEND\na:b\\\n\n\0', /^bad escape '\\' in a header$/);
  const lenient = new FrameReader(1000);
  lenient.isLenient = true;
  assert.equal(readAll(lenient, 'SEND\na:C\\temp\\\n\n\0')[0]?.headers.a, 'C\\temp\\');
  assert.equal(read('CONNECT\npasscode:pa\\ss\n\n\0')[0]?.headers.passcode, 'pa\\ss');
});

test('what is no frame is refused', () => {
  refuses('SEND\nnocolon\n\n\0', /^header without value: 'nocolon'$/);
  refuses('SEND\na:b\0', /^the frame ends within its headers$/);
  refuses('SEND\na:b\rc\n\n\0', /carriage return/);
  refuses('\rSEND\n\n\0', /carriage return/);
  refuses('SEND\ncontent-length:3\n\nabcd\0', /longer than its content-length/);
  refuses('SEND\ncontent-length:-1\n\nabc\0', /^invalid content-length '-1'$/);
  refuses('SEND\ncontent-length:0x3\n\nabc\0', /^invalid content-length/);
  refuses('SEND\ncontent-length:99999999999999999999\n\n', /^invalid content-length/);
});

test('limits: command, headers, head and frame, at each and one past it', () => {
  assert.equal(read(`${'C'.repeat(commandBytesMax)}\n\n\0`).length, 1);
  refuses(`${'C'.repeat(commandBytesMax + 1)}\n\n\0`, /^command is longer/);
  const headers = (count: number): string => Array.from({ length: count }, (_, index) => `h${index}:x\nh0:again\n`).join('');
  assert.equal(read(`SEND\n${headers(headersMax)}\n\0`).length, 1);
  refuses(`SEND\n${headers(headersMax + 1)}\n\0`, /more than 100 headers/);
  const head = (bytes: number): string => `SEND\na:${'x'.repeat(bytes - 9)}\n\n`;
  assert.equal(read(`${head(headBytesMax)}\0`).length, 1);
  refuses(head(headBytesMax + 1), /headers are longer than 65536 bytes/);
  const small = (): FrameReader => new FrameReader(100);
  assert.equal(readAll(small(), `${head(50)}${'b'.repeat(49)}\0`).length, 1);
  refuses(`${head(50)}${'b'.repeat(50)}\0`, /^frame is larger than 100 bytes$/, small());
  assert.equal(readAll(small(), `SEND\ncontent-length:73\n\n${'b'.repeat(73)}\0`).length, 1);
  // Refused with its head, before there is any body.
  refuses('SEND\ncontent-length:76\n\n', /^frame is larger than 100 bytes$/, small());
});

test('headers without end are refused within the bound, in whatever pieces they come, and so is a body without NUL', () => {
  for (const pieceBytes of [1, 7, 1000]) {
    const endless = new FrameReader(8192);
    let pushed = 0;
    assert.throws(() => {
      for (; pushed < 20_000; pushed += pieceBytes) readAll(endless, 'h:v\n'.repeat(pieceBytes).slice(0, pieceBytes));
    }, DecodeError);
    assert.ok(pushed <= 8192 + pieceBytes, `${pushed}`);
    const body = new FrameReader(8192);
    readAll(body, 'SEND\n\n');
    let sent = 0;
    assert.throws(() => {
      for (; sent < 20_000; sent += pieceBytes) readAll(body, 'x'.repeat(pieceBytes));
    }, /larger than 8192/);
    assert.ok(sent <= 8192 + pieceBytes);
  }
});

test('a visitor that wants no more stops the reader behind its frame', () => {
  const reader = new FrameReader(1000);
  const bytes = Buffer.from('SEND\n\n\0SEND\n\n\0');
  assert.equal(reader.push(bytes, 0, bytes.length, { onFrame: () => false }), 7);
  assert.equal(reader.isWithinFrame, false);
});

test('what is written is read again: every text is escaped, and no header ends the frame', () => {
  const written = encodeFrame(
    'MESSAGE',
    [
      ['a:b', 'line\nbreak\r\\'],
      ['nul', 'a\0b'],
      ['content-length', '9'],
    ],
    'bo\0dy',
  );
  assert.deepEqual(read(written), [
    { command: 'MESSAGE', headers: { 'a:b': 'line\nbreak\r\\', nul: 'ab', 'content-length': '5' }, body: 'bo\0dy' },
  ]);
  assert.equal(String(encodeFrame('RECEIPT', [['receipt-id', '1']])), 'RECEIPT\nreceipt-id:1\n\n\0\n');
});
