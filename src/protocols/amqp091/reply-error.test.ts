import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError } from '../../core/broker-error.ts';
import { decodeText } from '../../base/text.ts';
import { DecodeError } from '../../wire/decode-error.ts';
import { frameFaultText, misplacedFrame, replyError, replyFor, replyText, unknownFrame } from './reply-error.ts';

test('a reply text names the code, and is cut to 255 bytes with three dots', () => {
  assert.equal(replyText('NOT_FOUND', "no queue 'q' in vhost '/'"), "NOT_FOUND - no queue 'q' in vhost '/'");
  for (const character of ['x', '\u00e9', '\u20ac', '\u{1f430}']) {
    for (let count = 230; count < 260; count++) {
      const text = replyText('NOT_FOUND', character.repeat(count));
      const bytes = Buffer.byteLength(text);
      assert.ok(bytes <= 255 && text.isWellFormed());
      const whole = `NOT_FOUND - ${character.repeat(count)}`;
      if (Buffer.byteLength(whole) <= 255) assert.equal(text, whole);
      else assert.ok(text.endsWith('...') && bytes > 248 && whole.startsWith(text.slice(0, -3)));
    }
  }
});

test('a reply text is UTF-8 though the name in it is not', () => {
  const name = decodeText(Buffer.from([0x61, 0xff, 0x62]), 0, 3);
  assert.equal(replyText('NOT_FOUND', `no exchange '${name}'`), "NOT_FOUND - no exchange 'a\ufffdb'");
});

test('soft errors end a channel, hard ones the connection', () => {
  assert.deepEqual(replyError('NOT_FOUND', 'x'), { code: 404, text: 'NOT_FOUND - x', isHard: false, namesMethod: true });
  assert.equal(replyError('PRECONDITION_FAILED', 'x').isHard, false);
  assert.equal(replyError('ACCESS_REFUSED', 'x').isHard, false);
  assert.equal(replyError('RESOURCE_LOCKED', 'x').isHard, false);
  for (const code of [
    'FRAME_ERROR',
    'SYNTAX_ERROR',
    'COMMAND_INVALID',
    'CHANNEL_ERROR',
    'NOT_ALLOWED',
    'NOT_IMPLEMENTED',
    'INTERNAL_ERROR',
  ] as const) {
    assert.equal(replyError(code, 'x').isHard, true, code);
  }
});

test('what decoders throw is a frame error, or a syntax error for tables that are too much', () => {
  const bytes = Buffer.from([0, 1, 255]);
  assert.equal(replyFor(new DecodeError('truncated', ''), bytes)?.text, 'FRAME_ERROR - cannot decode <<0,1,255>>');
  assert.equal(replyFor(new DecodeError('malformed-utf8', ''), bytes)?.text, 'FRAME_ERROR - Malformed UTF-8 in shortstr');
  assert.equal(replyFor(new DecodeError('too-deep', 'table nested deeper than 32'), bytes)?.code, 502);
  assert.equal(replyFor(new DecodeError('too-many', 'many'), bytes)?.code, 502);
  assert.equal(replyFor(new BrokerError('NOT_FOUND', 'x'), bytes)?.code, 404);
  assert.equal(replyFor(new TypeError('a bug'), bytes), null);
});

test('broken frames are told as RabbitMQ tells them', () => {
  assert.equal(
    frameFaultText('bad-end', 1, 0, Buffer.from('abc'), 131_072),
    'type 1, all octets = <<"abc">>: {invalid_frame_end_marker,0}',
  );
  assert.equal(
    frameFaultText('bad-end', 1, 7, Buffer.alloc(20, 1), 131_072),
    'type 1, first 16 octets = <<1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1>>: {invalid_frame_end_marker,7}',
  );
  assert.equal(
    frameFaultText('too-large', 3, 200_000, Buffer.alloc(0), 131_072),
    'type 3, all octets = <<>>: {frame_too_large,200000,131064}',
  );
  assert.equal(unknownFrame(7, Buffer.from('abc')).text, 'type 7, all octets = <<"abc">>: unknown_frame');
  assert.equal(misplacedFrame(8, Buffer.alloc(0)).text, 'type 8, all octets = <<>>');
});
