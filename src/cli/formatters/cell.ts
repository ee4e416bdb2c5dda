/** A value in a cell: text as it is, lists and objects in a short form as RabbitMQ's tools show arguments. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string')
    return value.replace(/[\\\t\n\r]/g, character => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[character] ?? '');
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(cell).join(', ')}]`;
  return `[${Object.entries(value as object)
    .map(([name, item]) => `{"${name}",${typeof item === 'string' ? `"${item}"` : cell(item)}}`)
    .join(',')}]`;
}
