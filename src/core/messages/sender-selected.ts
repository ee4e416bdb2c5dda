import type { Field, FieldTable } from '../../base/field-table.ts';
import { fieldTypeName } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { Publication } from './publication.ts';
import type { MessageFormat } from '../ports/message-format.ts';

/**
 * All routing keys of a message with CC or BCC headers, its own first; null when it has neither. [RabbitMQ docs: sender-selected distribution]
 * @throws BrokerError PRECONDITION_FAILED when one is no array of strings.
 */
export function copyKeys(headers: FieldTable, own: string): string[] | null {
  const cc = headers.get('CC');
  const bcc = headers.get('BCC');
  if (cc === undefined && bcc === undefined) return null;
  return [own, ...keysOf('CC', cc), ...keysOf('BCC', bcc)];
}

function keysOf(name: string, field: Field | undefined): string[] {
  if (field === undefined) return [];
  if (!Array.isArray(field.value))
    throw preconditionFailed(`invalid message: {unacceptable_type_in_header,"${name}",${fieldTypeName(field)}}`);
  return field.value.map(item => {
    if (typeof item.value !== 'string')
      throw preconditionFailed(`invalid message: {unacceptable_type_in_header,"${name}",${fieldTypeName(item)}}`);
    return item.value;
  });
}

/** Takes the BCC header away: its keys are nobody's business but the broker's. */
export function withoutBcc(p: Publication, headers: FieldTable, format: MessageFormat): void {
  const rest: FieldTable = new Map(headers);
  rest.delete('BCC');
  p.properties = format.rewrite(p.properties, p.propertiesStart, p.propertiesBytes, { headers: rest, removeExpiration: false });
  p.propertiesStart = 0;
  p.propertiesBytes = p.properties.length;
}
