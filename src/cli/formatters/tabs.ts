import type { Listing } from '../output.ts';
import { cell } from './cell.ts';

/** Columns divided by tabs: the default of RabbitMQ's tools, and what scripts cut. */
export function tabs({ columns, rows }: Listing, withHeader: boolean): string {
  if (rows.length === 0) return '';
  return [...(withHeader ? [columns] : []), ...rows].map(row => row.map(value => cell(value)).join('\t')).join('\n');
}
