import type { EntryFormat, EntryLevel } from './log-entry.ts';
import { errorLines, oneLine } from './log-text.ts';
import { timestamp } from './timestamp.ts';

const endOfColor = '\u001b[0m';
/** RabbitMQ's colours. */
const colors: Readonly<Record<EntryLevel, string>> = {
  debug: '\u001b[38;5;246m',
  info: '',
  warning: '\u001b[38;5;214m',
  error: '\u001b[38;5;160m',
};

/**
 * Lines as RabbitMQ's: `2026-11-20 18:30:00.123456+00:00 [info] <0.4711.0> text`. Where RabbitMQ has the number of an Erlang process stands
 * that of this process, so that tools which take the line apart find its parts and a restart shows. The lines of an exception each begin
 * so too: no line of the log begins with text from elsewhere.
 */
export function textFormat(pid: number, useColors: boolean): EntryFormat {
  return entry => {
    const color = useColors ? colors[entry.level] : '';
    const head = `${color}${timestamp(entry.timeMillis)} [${entry.level}] <0.${pid}.0> `;
    const end = `${color === '' ? '' : endOfColor}\n`;
    let lines = head + oneLine(entry.text) + end;
    if (entry.error !== undefined) for (const line of errorLines(entry.error)) lines += head + line + end;
    return lines;
  };
}
