import type { BrokerCore } from '../../core/broker.ts';
import { textBytes, writeText } from '../../base/text.ts';
import { exchangeOf, routingKeyOf } from '../../core/messages/envelope.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import type { Outbox } from '../../net/outbox.ts';
import { outboxSlabBytes } from '../../net/slab-pool.ts';
import { frameHead, frameTail, type Header } from '../../wire/stomp/frame.ts';
import { formatDestination } from './destination.ts';
import { addHeaders } from './message-properties.ts';

/** Writes MESSAGE with these headers, those of the message's properties, and its body. Whatever protocol the message came by. */
export function writeMessage(outbox: Outbox, broker: BrokerCore, ref: MessageRef, headers: Header[]): void {
  const { store } = broker;
  store.locate(ref);
  const { loose } = store;
  const envelope = loose === null ? store.bytes : loose.envelope;
  const envelopeStart = loose === null ? store.envelopeStart : 0;
  headers.push(['destination', formatDestination(exchangeOf(envelope, envelopeStart), routingKeyOf(envelope, envelopeStart))]);
  const properties = loose === null ? store.bytes : loose.properties;
  const propertiesStart = loose === null ? store.propertiesStart : 0;
  addHeaders(broker.format(store.format).describe(properties, propertiesStart, store.propertiesBytes), headers);
  const { bytes, bodyStart } = store;
  const bodyBytes = loose === null ? store.bodyBytes : loose.bodyBytes;
  writeHead(outbox, frameHead('MESSAGE', headers, bodyBytes));
  if (loose === null) writeSlabBytes(outbox, bytes.subarray(bodyStart, bodyStart + bodyBytes));
  else if (loose.body !== null) outbox.appendLent(loose.body);
  outbox.append(frameTail);
}

function writeHead(outbox: Outbox, head: string): void {
  const count = textBytes(head);
  if (count > outboxSlabBytes) {
    const bytes = Buffer.allocUnsafe(count);
    writeText(head, bytes, 0);
    outbox.append(bytes);
    return;
  }
  outbox.reserve(count);
  outbox.position = writeText(head, outbox.buffer, outbox.position);
}

/** The slab may be used for others before the bytes are sent. */
function writeSlabBytes(outbox: Outbox, bytes: Buffer): void {
  outbox.append(bytes.length > outboxSlabBytes ? Buffer.from(bytes) : bytes);
}
