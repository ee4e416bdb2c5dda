import type { BrokerCore } from '../../core/broker.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { decodeProperties, type Properties } from '../../wire/amqp091/properties.ts';

/** A message with its bytes copied out of the store. */
export interface ReadMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

/** Reads a message, which must be resident, or with 0 the one that the store was shown; null when it was read back from disk and is not what was stored. */
export function readMessage(core: BrokerCore, ref: MessageRef): ReadMessage | null {
  const { store } = core;
  if (ref !== 0 && !store.isIntact(ref)) return null;
  store.locate(ref);
  const { loose, envelopeBytes, propertiesBytes } = store;
  const envelope = loose === null ? store.bytes.subarray(store.envelopeStart, store.envelopeStart + envelopeBytes) : loose.envelope;
  const properties =
    loose === null ? store.bytes.subarray(store.propertiesStart, store.propertiesStart + propertiesBytes) : loose.properties;
  const body = loose === null ? [store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes)] : (loose.body?.pieces ?? []);
  const exchangeBytes = envelope[0] ?? 0;
  return {
    exchange: envelope.toString('utf8', 1, 1 + exchangeBytes),
    routingKey: envelope.toString('utf8', 2 + exchangeBytes, 2 + exchangeBytes + (envelope[1 + exchangeBytes] ?? 0)),
    properties: propertiesOf(core, store.format, properties),
    body: Buffer.concat(body),
  };
}

/** A message's properties, of whatever protocol. */
export function propertiesOf(core: BrokerCore, format: number, bytes: Buffer): Properties {
  if (format === amqp091FormatTag) return decodeProperties(bytes, 0, bytes.length);
  const pivoted = core.pivot.encode(core.format(format).describe(bytes, 0, bytes.length));
  return decodeProperties(pivoted, 0, pivoted.length);
}
