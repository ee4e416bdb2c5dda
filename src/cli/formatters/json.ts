import type { Listing } from '../output.ts';

/** A JSON array of objects. */
export function json({ columns, rows }: Listing): string {
  const objects = rows.map(row => JSON.stringify(Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null]))));
  return `[\n${objects.join('\n,')}\n]`;
}
