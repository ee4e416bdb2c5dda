import { LooseMessage } from '../../core/messages/loose-message.ts';
import { recordChecksum, recordHeaderBytes, recordSize } from '../../core/messages/record.ts';
import { slabBytes } from '../../core/messages/slab.ts';
import type { SlabReader } from './slab-reader.ts';

/** The parts of one message's record, as bytes in the reader's words. */
interface RecordPlace {
  readonly word: number;
  readonly start: number;
  readonly envelopeBytes: number;
  readonly propertiesBytes: number;
}

/** Finds a record with a body of so many bytes, in it (`isLoose` false) or in a file of its own; null when it is damaged, or not so. */
function readRecord(reader: SlabReader, logSequence: number, offset: number, bodyBytes: number, isLoose: boolean): RecordPlace | null {
  if (offset + recordHeaderBytes > slabBytes) return null;
  const { words } = reader;
  let word = reader.read(logSequence, offset, recordHeaderBytes);
  const size = recordSize(words, word);
  if (((words[word + 2] as number) >>> 24 !== 0) !== isLoose || words[word] !== bodyBytes || offset + size > slabBytes) return null;
  word = reader.read(logSequence, offset, size);
  if (words[word + 4] !== recordChecksum(words, word, size, logSequence, offset)) return null;
  return {
    word,
    start: word * 4 + recordHeaderBytes,
    envelopeBytes: (words[word + 2] as number) & 0xffff,
    propertiesBytes: words[word + 1] as number,
  };
}

/** The body of a message that has it in its record; null when it is damaged. */
export function readBody(reader: SlabReader, logSequence: number, offset: number, bodyBytes: number): Buffer | null {
  const place = readRecord(reader, logSequence, offset, bodyBytes, false);
  if (place === null) return null;
  const start = place.start + place.envelopeBytes + place.propertiesBytes;
  return Buffer.from(Buffer.from(reader.words.buffer).subarray(start, start + bodyBytes));
}

/** A large message's record, without its body; null for a record that has its body, or is damaged: then its queue finds out. */
export function readLoose(reader: SlabReader, logSequence: number, offset: number, bodyBytes: number): LooseMessage | null {
  const place = readRecord(reader, logSequence, offset, bodyBytes, true);
  if (place === null) return null;
  const { word, start, envelopeBytes, propertiesBytes } = place;
  const bytes = Buffer.from(Buffer.from(reader.words.buffer).subarray(start, start + envelopeBytes + propertiesBytes));
  return new LooseMessage(
    looseIdOf(reader.words, word),
    true,
    bytes.subarray(0, envelopeBytes),
    bytes.subarray(envelopeBytes),
    null,
    bodyBytes,
  );
}

/** The number of a large body's file, from the record that has it in place of the body. */
export function looseIdOf(words: Uint32Array, word: number): number {
  const start = word * 4 + recordHeaderBytes + ((words[word + 2] as number) & 0xffff) + (words[word + 1] as number);
  return Buffer.from(words.buffer).readDoubleLE(start);
}
