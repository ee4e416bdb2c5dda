// hot path: see docs/STYLE.md
import { decodeText, textBytes, writeText } from '../../base/text.ts';
import { limits } from '../limits.ts';

// A message's envelope: exchange name and routing key as AMQP's methods have them, and behind them the keys of its BCC header, which nobody
// but the broker gets to see. Each is one length byte and that many bytes.
//
//     exchange | routing key | blind key*

/** Envelopes are counted in 16 bits; blind keys beyond are used for routing but not kept. */
const envelopeBytesMax = 0xffff;

/** Exchange, routing key and blind keys, packed. @throws RangeError for a name longer than 255 bytes. */
export function packEnvelope(exchange: string, key: string, blindKeys: readonly string[] = []): Buffer {
  const names = [exchange, key];
  let bytes = nameBytes(exchange) + nameBytes(key);
  for (const blind of blindKeys) {
    const count = 1 + textBytes(blind);
    // No binding key is longer: what such a key could match is found by the others.
    if (count > 1 + limits.nameBytesMax || bytes + count > envelopeBytesMax) continue;
    names.push(blind);
    bytes += count;
  }
  const envelope = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const name of names) {
    const end = writeText(name, envelope, at + 1);
    envelope[at] = end - at - 1;
    at = end;
  }
  return envelope;
}

function nameBytes(name: string): number {
  const bytes = textBytes(name);
  if (bytes > limits.nameBytesMax) throw new RangeError(`name of ${bytes} bytes`);
  return 1 + bytes;
}

/** How many bytes of an envelope are for receivers: exchange and routing key. */
export function shownBytes(envelope: Buffer, start: number): number {
  const exchangeBytes = envelope[start] as number;
  return 2 + exchangeBytes + (envelope[start + 1 + exchangeBytes] as number);
}

/** The exchange's name in an envelope. */
export function exchangeOf(envelope: Buffer, start: number): string {
  return decodeText(envelope, start + 1, start + 1 + (envelope[start] as number));
}

/** The routing key in an envelope. */
export function routingKeyOf(envelope: Buffer, start: number): string {
  const keyStart = start + 1 + (envelope[start] as number);
  return decodeText(envelope, keyStart + 1, keyStart + 1 + (envelope[keyStart] as number));
}

/** The keys behind the routing key, in an envelope of so many bytes. */
export function blindKeysOf(envelope: Buffer, start: number, bytes: number): string[] {
  const keys: string[] = [];
  let at = start + shownBytes(envelope, start);
  while (at < start + bytes) {
    const end = at + 1 + (envelope[at] as number);
    keys.push(decodeText(envelope, at + 1, end));
    at = end;
  }
  return keys;
}
