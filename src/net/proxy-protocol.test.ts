import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyHeader2, proxyLine, proxyTlv } from '../../test/support/proxy-header.ts';
import { ProxyHeaderError, proxyHeaderBytesMax, ProxyHeaderReader, type ProxiedEnds } from './proxy-protocol.ts';

function read(bytes: Uint8Array): { ends: ProxiedEnds | null; next: number } {
  const reader = new ProxyHeaderReader();
  const next = reader.push(bytes);
  return { ends: reader.ends, next };
}

function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => read(bytes),
    (error: unknown) => error instanceof ProxyHeaderError && message.test(error.message),
  );
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

test('a line of version 1 gives the client and where it dialled', () => {
  assert.deepEqual(read(ascii('PROXY TCP4 192.0.2.1 198.51.100.7 51234 5672\r\nAMQP')), {
    ends: { peerHost: '192.0.2.1', peerPort: 51_234, host: '198.51.100.7', port: 5672 },
    next: 46,
  });
  assert.deepEqual(read(ascii('PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 0 65535\r\n')).ends, {
    peerHost: '2001:db8::1',
    peerPort: 0,
    host: '::1',
    port: 65_535,
  });
});

test('UNKNOWN says nothing about the client, with or without more on the line', () => {
  assert.deepEqual(read(ascii('PROXY UNKNOWN\r\n')), { ends: null, next: 15 });
  assert.deepEqual(read(ascii('PROXY UNKNOWN ffff:f:f anything 1 2\r\nx')), { ends: null, next: 37 });
});

test('a line takes 107 octets and not one more', () => {
  const longest = ascii(`PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`);
  assert.equal(longest.length, 107);
  assert.deepEqual(read(longest), { ends: null, next: 107 });
  refuses(ascii(`PROXY UNKNOWN ${'x'.repeat(108 - 16)}\r\n`), /does not end/);
});

test('malformed lines are refused', () => {
  for (const line of [
    'PROXY TCP4 192.0.2.1 198.51.100.7 51234 65536',
    'PROXY TCP4 192.0.2.1 198.51.100.7 051234 5672',
    'PROXY TCP4 192.0.2.1 198.51.100.7 -1 5672',
    'PROXY TCP4 192.0.2.1 198.51.100.7 51234',
    'PROXY TCP4 192.0.2.1  198.51.100.7 51234 5672',
    'PROXY TCP4 192.0.2.1 198.51.100.7 51234 5672 ',
    'PROXY TCP4 ::1 ::1 51234 5672',
    'PROXY TCP6 192.0.2.1 198.51.100.7 51234 5672',
    'PROXY TCP6 fe80::1%eth0 ::1 51234 5672',
    'PROXY TCP4 192.0.2.256 198.51.100.7 51234 5672',
    'PROXY TCP4 192.0.2.01 198.51.100.7 51234 5672',
    'PROXY TCP5 192.0.2.1 198.51.100.7 51234 5672',
    'PROXY UDP4 192.0.2.1 198.51.100.7 51234 5672',
    'PROXY UNKNOWNX',
    'PROXY ',
  ]) {
    refuses(ascii(`${line}\r\n`), /malformed/);
  }
  refuses(ascii('PROXY UNKNOWN\n'), /CR LF/);
});

test('what is no PROXY header is refused at its first wrong octet', () => {
  refuses(ascii('A'), /no PROXY header/);
  refuses(ascii('PROXX'), /no PROXY header/);
  refuses(ascii('proxy'), /no PROXY header/);
  refuses(ascii('\r\n\r\n\0\r\nQUIT '), /no PROXY header/);
  refuses(Buffer.from([0x16, 3, 1]), /no PROXY header/);
});

test('a header of version 2 gives the client, IPv4 and IPv6, and skips TLVs', () => {
  const tlvs = Buffer.concat([proxyTlv(2, ascii('example.net')), proxyTlv(0x20, Buffer.alloc(300))]);
  const header = proxyHeader2({ tlvs });
  assert.deepEqual(read(Buffer.concat([header, ascii('AMQP')])), {
    ends: { peerHost: '192.0.2.1', peerPort: 51_234, host: '198.51.100.7', port: 5672 },
    next: header.length,
  });
  assert.deepEqual(read(proxyHeader2({ source: '2001:db8::1', destination: '::', sourcePort: 1, destinationPort: 2, tlvs })).ends, {
    peerHost: '2001:db8::1',
    peerPort: 1,
    host: '::',
    port: 2,
  });
});

test('an IPv4 client in IPv6 form is an IPv4 client', () => {
  assert.equal(read(proxyHeader2({ source: '::ffff:127.0.0.1', destination: '::1' })).ends?.peerHost, '127.0.0.1');
  assert.equal(read(proxyLine('::ffff:7f00:1', '::1', 1, 2)).ends?.peerHost, '127.0.0.1');
});

test('LOCAL, an unspecified family and Unix sockets say nothing that counts', () => {
  assert.deepEqual(read(proxyHeader2({ isLocal: true })), { ends: null, next: 16 });
  assert.deepEqual(read(proxyHeader2({ isLocal: true, tlvs: Buffer.alloc(50) })), { ends: null, next: 66 });
  // LOCAL with addresses, even of a family that does not exist: all of it is skipped.
  assert.deepEqual(read(proxyHeader2({ command: 0, family: 0xff })), { ends: null, next: 28 });
  assert.deepEqual(read(proxyHeader2({ family: 0 })), { ends: null, next: 28 });
  assert.deepEqual(read(proxyHeader2({ family: 0x31, payload: Buffer.alloc(216) })), { ends: null, next: 232 });
});

test('headers of version 2 that are wrong are refused', () => {
  refuses(proxyHeader2({ version: 1 }), /version 1/);
  refuses(proxyHeader2({ version: 3 }), /version 3/);
  refuses(proxyHeader2({ command: 2 }), /command 2/);
  refuses(proxyHeader2({ family: 0x12 }), /0x12/);
  refuses(proxyHeader2({ family: 0x41 }), /0x41/);
  refuses(proxyHeader2({ family: 0x03 }), /0x03/);
  refuses(proxyHeader2({ length: 11 }), /too short/);
  refuses(proxyHeader2({ source: '::1', destination: '::1', length: 35 }), /too short/);
  refuses(proxyHeader2({ family: 0x31, payload: Buffer.alloc(215) }), /too short/);
});

test('a header of version 2 has an end, and nothing of it is kept but the addresses', () => {
  const longest = proxyHeader2({ tlvs: Buffer.alloc(proxyHeaderBytesMax - 28) });
  assert.equal(longest.length, proxyHeaderBytesMax);
  assert.equal(read(longest).next, proxyHeaderBytesMax);
  refuses(proxyHeader2({ tlvs: Buffer.alloc(proxyHeaderBytesMax - 27) }), /16385 bytes/);
  refuses(proxyHeader2({ length: 0xffff }), /65551 bytes/);
});

test('a header may come octet by octet', () => {
  for (const header of [
    proxyLine('192.0.2.1', '198.51.100.7', 1, 2),
    proxyHeader2({ tlvs: Buffer.alloc(400) }),
    proxyHeader2({ isLocal: true }),
  ]) {
    const reader = new ProxyHeaderReader();
    for (const [index, octet] of header.entries()) {
      assert.equal(reader.push(Buffer.from([octet])), index === header.length - 1 ? 1 : -1);
    }
    assert.deepEqual(reader.ends, read(header).ends);
  }
});
