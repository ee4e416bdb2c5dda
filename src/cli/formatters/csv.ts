import type { Listing } from '../output.ts';
import { cell } from './cell.ts';

/** Comma-separated values. [RFC 4180] */
export function csv({ columns, rows }: Listing, withHeader: boolean): string {
  const quote = (value: unknown): string => {
    const text = cell(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [...(withHeader ? [columns] : []), ...rows].map(row => row.map(quote).join(',')).join('\n');
}
