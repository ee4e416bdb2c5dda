import type { Listing } from '../output.ts';

/** An Erlang term, for scripts that read those. */
export function erlang({ columns, rows }: Listing): string {
  const lines = rows.map(row => `[${columns.map((name, index) => `{${atom(name)},${term(row[index])}}`).join(',')}]`);
  return `[${lines.join(',\n ')}]`;
}

/** Texts are binaries, tables are lists of tuples. */
export function term(value: unknown): string {
  if (value === null || value === undefined) return "''";
  if (typeof value === 'string') return `<<"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}">>`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(term).join(',')}]`;
  return `[${Object.entries(value as object)
    .map(([name, item]) => `{${term(name)},${term(item)}}`)
    .join(',')}]`;
}

function atom(name: string): string {
  return /^[a-z][A-Za-z0-9_]*$/.test(name) ? name : `'${name}'`;
}
