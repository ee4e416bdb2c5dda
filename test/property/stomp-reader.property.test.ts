import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../../src/wire/decode-error.ts';
import { encodeFrame, type Frame } from '../../src/wire/stomp/frame.ts';
import { FrameReader } from '../../src/wire/stomp/frame-reader.ts';

function framesOf(
  chunks: readonly Buffer[],
  frameBytesMax = 1_000_000,
): { frames: [string, [string, string][], string][]; error: string | null } {
  const frames: [string, [string, string][], string][] = [];
  const reader = new FrameReader(frameBytesMax);
  const visitor = {
    onFrame({ command, headers, body }: Frame): boolean {
      frames.push([command, [...headers], body.toString('latin1')]);
      return true;
    },
  };
  try {
    for (const chunk of chunks) {
      const read = Buffer.from(chunk);
      reader.push(read, 0, read.length, visitor);
      // The next read goes to the same buffer.
      read.fill(0xee);
    }
    return { frames, error: null };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { frames, error: error.message };
  }
}

/** The bytes cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const text = fc.string({ unit: fc.constantFrom('a', 'ü', ':', '\\', '\n', '\r', ' ', '0') });
const header = fc.tuple(
  fc.string({ minLength: 1, maxLength: 8 }).filter(name => name !== 'content-length' && !name.includes('\0')),
  text,
);

test('frames that are written are read again, cut wherever', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('SEND', 'ACK', 'X'), fc.uniqueArray(header, { selector: ([name]) => name, maxLength: 8 }), fc.string()),
      ),
      fc.array(fc.nat(), { maxLength: 10 }),
      (wanted, places) => {
        const bytes = Buffer.concat(wanted.map(([command, headers, body]) => encodeFrame(command, headers, body)));
        const { frames, error } = framesOf(cut(bytes, places));
        assert.equal(error, null);
        const expected = wanted.map(([command, headers, body]) => {
          const count = Buffer.byteLength(body);
          return [command, count > 0 ? [...headers, ['content-length', String(count)]] : headers, Buffer.from(body).toString('latin1')];
        });
        assert.deepEqual(frames, expected);
      },
    ),
  );
});

test('any bytes give the same frames, or the same refusal, cut wherever', () => {
  const piece = fc.constantFrom(
    'SEND',
    '\n',
    '\r\n',
    '\0',
    ':',
    '\\c',
    '\\',
    'a',
    'content-length:3',
    'content-length:99',
    '\r',
    'xyz',
    '\n\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, places) => {
      const bytes = Buffer.from(pieces.join(''));
      assert.deepEqual(framesOf(cut(bytes, places), 60), framesOf([bytes], 60));
    }),
    { numRuns: 2000 },
  );
});
