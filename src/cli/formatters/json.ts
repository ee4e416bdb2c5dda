import type { Listing } from '../output.ts';

function objects({ columns, rows }: Listing): string[] {
  return rows.map(row => JSON.stringify(Object.fromEntries(columns.map((name, index) => [name, row[index] ?? '']))));
}

/** A JSON array of objects. */
export function json(listing: Listing): string {
  return `[\n${objects(listing).join('\n,')}${listing.rows.length > 0 ? '\n' : ''}]`;
}

/** A JSON object a line. */
export function jsonStream(listing: Listing): string {
  return objects(listing).join('\n');
}
