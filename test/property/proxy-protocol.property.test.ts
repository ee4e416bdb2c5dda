import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress, plainAddress } from '../../src/base/address.ts';
import { ProxyHeaderError, proxyHeaderBytesMax, ProxyHeaderReader } from '../../src/net/proxy-protocol.ts';
import { proxyHeader2, proxyLine } from '../support/proxy-header.ts';

type Result = { ends: unknown; next: number } | { error: string };

/** Reads a header that comes in these pieces; `next` counts from its beginning. */
function read(pieces: readonly Uint8Array[]): Result {
  const reader = new ProxyHeaderReader();
  let before = 0;
  for (const piece of pieces) {
    let next: number;
    try {
      next = reader.push(piece);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      return { error: error.message };
    }
    if (next >= 0) return { ends: reader.ends, next: before + next };
    before += piece.length;
  }
  assert.ok(before < proxyHeaderBytesMax, 'a header goes on beyond its limit');
  return { ends: null, next: -1 };
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const port = fc.integer({ min: 0, max: 65_535 });
const address = fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()));
const header = fc.oneof(
  fc.tuple(address, port, port).map(([[a, b], from, to]) => ({ bytes: proxyLine(a, b, from, to), a, b, from, to })),
  fc.tuple(address, port, port, fc.uint8Array({ maxLength: 600 })).map(([[a, b], from, to, tlvs]) => ({
    bytes: proxyHeader2({ source: a, destination: b, sourcePort: from, destinationPort: to, tlvs }),
    a,
    b,
    from,
    to,
  })),
);
const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 });

test('every header gives back the ends that were put in, and ends where it ends', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 40 }), cuts, ({ bytes, a, b, from, to }, rest, places) => {
      const result = read(cut(Buffer.concat([bytes, rest]), places));
      if ('error' in result) assert.fail(result.error);
      assert.equal(result.next, bytes.length);
      const ends = result.ends as { peerHost: string; peerPort: number; host: string; port: number };
      assert.deepEqual([ends.peerPort, ends.port], [from, to]);
      assert.deepEqual(parseAddress(ends.peerHost), parseAddress(a));
      assert.deepEqual(parseAddress(ends.host), parseAddress(b));
      // As a socket would give it: what limits and loopback rules compare.
      assert.equal(ends.peerHost, plainAddress(ends.peerHost).toLowerCase());
    }),
    { numRuns: 2000 },
  );
});

test('how the bytes are cut makes no difference, also to what is wrong with them', () => {
  const mutated = fc
    .tuple(header, fc.array(fc.tuple(fc.nat({ max: 700 }), fc.nat({ max: 255 })), { maxLength: 3 }))
    .map(([{ bytes }, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(mutated, cuts, (bytes, places) => {
      assert.deepEqual(read(cut(bytes, places)), read([bytes]));
    }),
    { numRuns: 5000 },
  );
});

test('no bytes whatever make it throw anything else or go on for ever', () => {
  const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  const noise = fc.uint8Array({ maxLength: 300 });
  const bytes = fc.oneof(
    noise,
    noise.map(tail => Buffer.concat([Buffer.from('PROXY '), tail])),
    noise.map(tail => Buffer.concat([signature, tail])),
    noise.map(tail => Buffer.concat([signature, Buffer.from([0x21]), tail])),
  );
  fc.assert(
    fc.property(bytes, input => {
      const reader = new ProxyHeaderReader();
      const filler = Buffer.alloc(proxyHeaderBytesMax, 0x20);
      try {
        const next = reader.push(input);
        assert.ok(next <= input.length);
        // A header that goes on is either finished or refused within its limit.
        if (next < 0) assert.ok(reader.push(filler) >= 0);
      } catch (error) {
        assert.ok(error instanceof ProxyHeaderError, String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});
