import type { Json } from '../../base/field-table.ts';

/** A JSON value the way RabbitMQ's error texts print it: <<"text">>, [{<<"key">>,10}]. [Erlang ~tp] */
export function erlangTerm(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value).toString() : String(value);
  if (typeof value === 'string') return erlangBinary(value);
  if (Array.isArray(value))
    return isPrintable(value) ? `"${escape(String.fromCharCode(...value))}"` : `[${value.map(erlangTerm).join(',')}]`;
  return `#{${Object.entries(value)
    .map(([key, item]) => `${erlangBinary(key)} => ${erlangTerm(item)}`)
    .join(',')}}`;
}

/** Key-value pairs as a property list. */
export function erlangProplist(pairs: readonly (readonly [string, Json])[]): string {
  return `[${pairs.map(([key, value]) => `{${erlangBinary(key)},${erlangTerm(value)}}`).join(',')}]`;
}

function erlangBinary(text: string): string {
  if (text === '') return '<<>>';
  return `<<"${escape(text)}"${/[^ -~\n\r\t]/.test(text) ? '/utf8' : ''}>>`;
}

function escape(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}

/** Erlang prints a list of printable characters as a string. */
function isPrintable(list: readonly Json[]): list is number[] {
  return (
    list.length > 0 &&
    list.length <= 1000 &&
    list.every(item => typeof item === 'number' && Number.isInteger(item) && item >= 32 && item < 127)
  );
}
