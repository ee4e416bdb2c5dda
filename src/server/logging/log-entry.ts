import type { LogCategory } from '../../core/ports/logger.ts';
import { LOG_LEVELS, type LogLevel } from '../config/schema/logging.ts';

export type { LogCategory } from '../../core/ports/logger.ts';
export type { LogLevel } from '../config/schema/logging.ts';

/** The levels that entries have; thresholds may be any of LogLevel. */
export type EntryLevel = 'debug' | 'info' | 'warning' | 'error';

/** One message to the operator, before it is a line of text. */
export interface LogEntry {
  /** Since the epoch, with a fraction. */
  readonly timeMillis: number;
  readonly level: EntryLevel;
  readonly category: LogCategory;
  readonly text: string;
  /** What was thrown; undefined if the entry is not about an exception. */
  readonly error: unknown;
}

/** Turns an entry into its lines, each with its line feed. */
export type EntryFormat = (entry: LogEntry) => string;

/** How serious a level is; 'none', as a threshold, lets nothing pass. */
export function severity(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}

/** The same of each level that entries have. */
export const weights: Readonly<Record<EntryLevel, number>> = {
  debug: severity('debug'),
  info: severity('info'),
  warning: severity('warning'),
  error: severity('error'),
};
