import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { isLoopback, parseAddress, sourceOf } from './address.ts';

test('this machine is told by address, in every way of writing it', () => {
  for (const address of [
    '127.0.0.1',
    '127.255.0.9',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::FFFF:7f00:1',
    '0:0:0:0:0:ffff:127.8.8.8',
    '::1%lo',
    'unix',
    null,
  ]) {
    assert.ok(isLoopback(address), String(address));
  }
  for (const address of [
    '10.0.0.1',
    '128.0.0.1',
    '::2',
    '::',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    'fe80::1',
    '1::1',
    'localhost',
    '',
    '127.0.0.1.evil',
    '127.1',
    '127.0.0.256',
    '1127.0.0.1',
    'undefined',
  ]) {
    assert.equal(isLoopback(address), false, address);
  }
});

test('addresses are parsed where Node takes them for addresses, and nowhere else', () => {
  const texts = [
    '1.2.3.4',
    '256.1.1.1',
    '1.2.3',
    '::',
    '::1',
    '1::',
    '1::8',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    ':1',
    '1:',
    '12345::',
    'g::',
    '::1.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '2001:db8::ff00:42:8329',
    ':::',
    '',
  ];
  for (const text of texts) assert.equal(parseAddress(text) !== null, isIP(text) !== 0, text);
  assert.deepEqual([...(parseAddress('2001:db8::a:1') ?? [])], [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa, 0, 1]);
});

test('a source is an IPv4 address or an IPv6 network', () => {
  assert.equal(sourceOf('1.2.3.4'), sourceOf('::ffff:1.2.3.4'));
  assert.notEqual(sourceOf('1.2.3.4'), sourceOf('1.2.3.5'));
  assert.equal(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:2:ffff::9'));
  assert.notEqual(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:3::1'));
  assert.equal(sourceOf('x'.repeat(1000)).length, 64);
});
