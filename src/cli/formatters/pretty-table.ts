import type { Listing } from '../output.ts';
import { cell } from './cell.ts';

/** A table drawn with lines, for people. */
export function prettyTable({ columns, rows }: Listing, withHeader: boolean): string {
  if (rows.length === 0) return '';
  const texts = rows.map(row => row.map(value => cell(value)));
  const widths = columns.map((name, index) => Math.max(withHeader ? name.length : 0, ...texts.map(row => width(row[index] ?? ''))));
  const line = (left: string, middle: string, right: string): string =>
    left + widths.map(width => '─'.repeat(width + 2)).join(middle) + right;
  const show = (row: readonly string[]): string =>
    `│ ${row.map((text, index) => text + ' '.repeat((widths[index] ?? 0) - width(text))).join(' │ ')} │`;
  return [line('┌', '┬', '┐'), ...(withHeader ? [show(columns), line('├', '┼', '┤')] : []), ...texts.map(show), line('└', '┴', '┘')].join(
    '\n',
  );
}

const graphemes = new Intl.Segmenter();

/** Characters as people count them. */
function width(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count++;
  return count;
}
