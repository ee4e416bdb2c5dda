// Text from the network in a log: one line, nothing that moves a terminal's cursor, not endless.
import { isControl } from '../config/config-error.ts';

/** Longer texts are cut: what a client sends must not fill the disk by way of the log. */
export const textCharsMax = 8192;

/** Controls, line separators and directional marks. */
const control = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

/** The text on one line, with control characters as \u escapes. */
export function oneLine(text: string): string {
  const cut = text.length > textCharsMax ? `${text.slice(0, textCharsMax)}...` : text;
  if (!control.test(cut)) return cut;
  let escaped = '';
  for (let index = 0; index < cut.length; index++) {
    const code = cut.charCodeAt(index);
    escaped += isControl(code) ? `\\u${code.toString(16).padStart(4, '0')}` : cut.charAt(index);
  }
  return escaped;
}

const stackLinesMax = 50;

/** What was thrown, line by line: the stack of an error, of its causes as well. */
export function errorLines(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  let each = error;
  while (each !== undefined && each !== null && !seen.has(each) && lines.length < stackLinesMax) {
    seen.add(each);
    const prefix = seen.size > 1 ? 'Caused by: ' : '';
    lines.push(...`${prefix}${each instanceof Error ? (each.stack ?? String(each)) : describe(each)}`.split('\n').map(oneLine));
    each = each instanceof Error ? each.cause : undefined;
  }
  return lines.slice(0, stackLinesMax);
}

/** A thrown value need not have a text. */
function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
