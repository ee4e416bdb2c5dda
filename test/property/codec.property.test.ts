// The AMQP 0-9-1 codec against values and bytes of all kinds: what is encoded is decoded, and no bytes make a decoder throw anything but
// its DecodeError.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Field, FieldTable } from '../../src/base/field-table.ts';
import { sameTable, tableFromJson, tableToJson } from '../../src/base/field-table.ts';
import { decodeContentHeader } from '../../src/wire/amqp091/content-header.ts';
import type { MethodNumber } from '../../src/wire/amqp091/methods.gen.ts';
import { decodeMethod, encodeMethod, methodNames } from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import { decodeProperties, encodeProperties, Facets, peekFacets } from '../../src/wire/amqp091/properties.ts';
import { decodeTable, encodeTable } from '../../src/wire/amqp091/table.ts';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { decodeText, isText, textBytes, writeText } from '../../src/base/text.ts';

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map(array => Buffer.from(array));

/** Text as a decoder gives it, escaped bytes included. */
const wireText = (maxBytes: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: maxBytes / 4 }),
    bytes(maxBytes).map(buffer => decodeText(buffer, 0, buffer.length)),
  );

const shortstr = wireText(255);

/** A number where it is safe, else a bigint, as the decoder has 64-bit integers. */
const wide = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

const field = (type: Field['type'], value: fc.Arbitrary<Field['value']>): fc.Arbitrary<Field> => value.map(each => ({ type, value: each }));

const { table } = fc.letrec<{ field: Field; table: FieldTable }>(tie => ({
  field: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      field('t', fc.boolean()),
      field('b', fc.integer({ min: -128, max: 127 })),
      field('B', fc.integer({ min: 0, max: 255 })),
      field('s', fc.integer({ min: -32_768, max: 32_767 })),
      field('u', fc.integer({ min: 0, max: 65_535 })),
      field('I', fc.integer()),
      field('i', fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      field('l', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(wide)),
      field('T', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(wide)),
      field('f', fc.float()),
      field('d', fc.double()),
      field(
        'D',
        fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })).map(([scale, value]) => ({ scale, value })),
      ),
      field(
        'S',
        fc.oneof(
          fc.string({ unit: 'binary' }),
          bytes(40).map(buffer => (isText(buffer, 0, buffer.length) ? buffer.toString() : new Uint8Array(buffer))),
        ),
      ),
      field('x', fc.uint8Array()),
      field('V', fc.constant(null)),
    ),
    field('A', fc.array(tie('field'), { maxLength: 5 })),
    field('F', tie('table')),
  ),
  table: fc.array(fc.tuple(shortstr, tie('field')), { maxLength: 5 }).map(entries => new Map(entries)),
}));

const optionalText = fc.option(shortstr, { nil: undefined });
const octet = fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined });

const properties: fc.Arbitrary<Properties> = fc
  .record({
    contentType: optionalText,
    contentEncoding: optionalText,
    headers: fc.option(table, { nil: undefined }),
    deliveryMode: octet,
    priority: octet,
    correlationId: optionalText,
    replyTo: optionalText,
    expiration: optionalText,
    messageId: optionalText,
    timestamp: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(wide), { nil: undefined }),
    type: optionalText,
    userId: optionalText,
    appId: optionalText,
    clusterId: optionalText,
  })
  .map(record => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Properties);

/** Bytes that are nearly right: an encoding with a few octets changed, or cut. */
const damaged = (valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat())
    .map(([whole, changes, cut]) => {
      const buffer = Buffer.from(whole);
      for (const [at, value] of changes) if (buffer.length > 0) buffer[at % buffer.length] = value;
      return cut % 3 === 0 ? buffer.subarray(0, cut % (buffer.length + 1)) : buffer;
    });

/** What the decoder gives, or null for a DecodeError; anything else it throws fails the test. */
function decodedOrNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

test('any bytes survive being text', () => {
  fc.assert(
    fc.property(bytes(60), buffer => {
      const text = decodeText(buffer, 0, buffer.length);
      const back = Buffer.alloc(textBytes(text));
      assert.equal(writeText(text, back, 0), buffer.length);
      assert.deepEqual(back, buffer);
      if (isText(buffer, 0, buffer.length)) assert.equal(text, buffer.toString());
    }),
  );
});

test('a table is decoded from its encoding', () => {
  fc.assert(
    fc.property(table, value => {
      const buffer = encodeTable(value);
      const { table: decoded, next } = decodeTable(buffer, 0, buffer.length);
      assert.deepEqual(decoded, value);
      assert.equal(next, buffer.length);
      assert.ok(sameTable(decoded, value));
    }),
  );
});

test('any table has a JSON form, and JSON a table that gives it back', () => {
  fc.assert(fc.property(table, value => void JSON.stringify(tableToJson(value))));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), object => {
      const json = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
      assert.deepEqual(tableToJson(tableFromJson(json)), json);
    }),
  );
});

test('bytes that are nearly a table are a table or a DecodeError', () => {
  fc.assert(
    fc.property(damaged(table.map(encodeTable)), buffer => {
      const decoded = decodedOrNull(() => decodeTable(buffer, 0, buffer.length));
      if (decoded === null) return;
      // Whatever was accepted can be handed on.
      const again = encodeTable(decoded.table);
      assert.ok(sameTable(decodeTable(again, 0, again.length).table, decoded.table));
    }),
  );
});

test('properties are decoded from their encoding', () => {
  fc.assert(
    fc.property(properties, value => {
      const buffer = encodeProperties(value);
      assert.deepEqual(decodeProperties(buffer, 0, buffer.length), value);
    }),
  );
});

test('the peek finds what the decoder finds, whatever the bytes', () => {
  const facets = new Facets();
  const somewhere = fc.tuple(fc.oneof(properties.map(encodeProperties), damaged(properties.map(encodeProperties)), bytes(60)), bytes(5));
  fc.assert(
    fc.property(somewhere, ([list, before]) => {
      const buffer = Buffer.concat([before, list, before]);
      const start = before.length;
      const end = start + list.length;
      const decoded = decodedOrNull(() => decodeProperties(buffer, start, end));
      const isWellFormed = peekFacets(buffer, start, end, facets);
      if (decoded === null) return; // The peek does not look into the header table, so it may accept more.
      assert.equal(isWellFormed, true);
      assert.equal(facets.deliveryMode, decoded.deliveryMode ?? 0);
      assert.equal(facets.priority, decoded.priority ?? -1);
      const text = (at: number, length: number): string | undefined => (at === 0 ? undefined : decodeText(buffer, at, at + length));
      assert.equal(text(facets.expirationStart, facets.expirationLength), decoded.expiration);
      assert.equal(text(facets.userIdStart, facets.userIdLength), decoded.userId);
      assert.equal(text(facets.replyToStart, facets.replyToLength), decoded.replyTo);
      assert.equal(text(facets.messageIdStart, facets.messageIdLength), decoded.messageId);
      assert.equal(text(facets.correlationIdStart, facets.correlationIdLength), decoded.correlationId);
      if (decoded.headers === undefined) assert.equal(facets.headersStart, 0);
      else {
        const { table: headers, next } = decodeTable(buffer, facets.headersStart, end);
        assert.deepEqual(headers, decoded.headers);
        assert.equal(next, facets.headersStart + facets.headersLength);
      }
    }),
    { numRuns: 300 },
  );
});

test('a list that only the peek accepts is at fault in its header table', () => {
  fc.assert(
    fc.property(damaged(properties.map(encodeProperties)), buffer => {
      const facets = new Facets();
      if (!peekFacets(buffer, 0, buffer.length, facets)) return;
      if (decodedOrNull(() => decodeProperties(buffer, 0, buffer.length)) !== null) return;
      assert.equal(
        decodedOrNull(() => decodeTable(buffer, facets.headersStart, facets.headersStart + facets.headersLength)),
        null,
      );
    }),
  );
});

test('any bytes are a content header or a DecodeError', () => {
  fc.assert(fc.property(bytes(60), buffer => void decodedOrNull(() => decodeContentHeader(buffer, 0, buffer.length))));
});

test('any bytes behind any method id are its arguments or a DecodeError, and arguments are encoded back', () => {
  const numbers = [...methodNames.keys()] as MethodNumber[];
  fc.assert(
    fc.property(bytes(40), buffer => {
      for (const method of numbers) {
        const decoded = decodedOrNull(() => decodeMethod(method, buffer, 0, buffer.length));
        if (decoded === null) continue;
        if ('deliveryTag' in decoded.args && decoded.args.deliveryTag === Number.POSITIVE_INFINITY) continue;
        const frame = encodeMethod(1, method, decoded.args);
        assert.deepEqual(decodeMethod(method, frame, 11, frame.length - 1), decoded);
      }
    }),
    { numRuns: 300 },
  );
});
