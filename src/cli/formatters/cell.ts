/** A value in a cell: text as it is, lists and objects in a short form as RabbitMQ's tools show arguments. */
export function cell(value: unknown, isEscaped = true): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return isEscaped ? escaped(value) : value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(item => cell(item, isEscaped)).join(', ')}]`;
  return `[${Object.entries(value as object)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, item]) => `{"${cell(name, isEscaped)}",${typeof item === 'string' ? `"${cell(item, isEscaped)}"` : cell(item, isEscaped)}}`,
    )
    .join(',')}]`;
}

/** Names come from anywhere: a control character must neither break the table nor reach the terminal. */
function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    character => short[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

const short: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };
