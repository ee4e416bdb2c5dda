import type { Field, FieldTable } from '../../base/field-table.ts';
import { fieldTypeName } from '../../base/field-table.ts';
import { decodeText } from '../../base/text.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { MessageFormat, PivotFormat } from '../ports/message-format.ts';
import { exchangeOf, packEnvelope, routingKeyOf } from './envelope.ts';
import type { Publication } from './publication.ts';
import { rewriteProperties } from './rewrite-properties.ts';

/**
 * All routing keys of a message with CC or BCC headers, its own first; null when it has neither. [RabbitMQ docs: sender-selected distribution]
 * @throws BrokerError PRECONDITION_FAILED when one is no array.
 */
export function copyKeys(headers: FieldTable, own: string): string[] | null {
  const cc = headers.get('CC');
  const bcc = headers.get('BCC');
  if (cc === undefined && bcc === undefined) return null;
  return [own, ...keysOf('CC', cc), ...keysOf('BCC', bcc)];
}

/** Elements that are no text are ignored, as RabbitMQ does. */
function keysOf(name: string, field: Field | undefined): string[] {
  if (field === undefined) return [];
  if (!Array.isArray(field.value))
    throw preconditionFailed(`invalid message: {unacceptable_type_in_header,"${name}",${fieldTypeName(field)}}`);
  return textsOf(field);
}

/** The long strings of an array; other elements, and other fields, hold none. */
export function textsOf(field: Field | undefined): string[] {
  if (field === undefined || !Array.isArray(field.value)) return [];
  return field.value.filter(item => item.type === 'S').map(textOf);
}

function textOf({ value }: Field): string {
  return value instanceof Uint8Array ? decodeText(Buffer.from(value), 0, value.length) : (value as string);
}

/** Takes the BCC header away, which is nobody's business but the broker's, and keeps its keys in the envelope: a dead letter goes there again. */
export function withoutBcc(p: Publication, headers: FieldTable, format: MessageFormat, pivot: PivotFormat): void {
  const rest: FieldTable = new Map(headers);
  rest.delete('BCC');
  rewriteProperties(p, format, pivot, { headers: rest, removeExpiration: false });
  const { envelope, envelopeStart } = p;
  p.envelope = packEnvelope(exchangeOf(envelope, envelopeStart), routingKeyOf(envelope, envelopeStart), textsOf(headers.get('BCC')));
  p.envelopeStart = 0;
  p.envelopeBytes = p.envelope.length;
}
