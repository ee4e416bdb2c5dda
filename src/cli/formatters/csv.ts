import type { Listing } from '../output.ts';
import { cell } from './cell.ts';

/** Comma-separated values, each in quotes as RabbitMQ's tools have it. [RFC 4180] */
export function csv({ columns, rows }: Listing, withHeader: boolean): string {
  const quote = (value: unknown): string => `"${cell(value, false).replaceAll('"', '""')}"`;
  return [...(withHeader ? [columns] : []), ...rows].map(row => row.map(quote).join(',')).join('\n');
}
