import { fstatSync } from 'node:fs';
import type { LogCategory } from '../../core/ports/logger.ts';
import type { LogConfig, LogFileConfig } from '../config/config.ts';
import { ExchangeTarget } from './exchange-target.ts';
import { FileTarget } from './file-target.ts';
import { jsonFormat } from './json-format.ts';
import type { EntryFormat } from './log-entry.ts';
import type { LogTarget } from './log-target.ts';
import { never, rotationSchedule } from './rotation-schedule.ts';
import { type LogOutput, ServerLogger } from './server-logger.ts';
import { StreamTarget } from './stream-target.ts';
import { textFormat } from './text-format.ts';

/** Categories of the configuration that are written under another name here. Others have no entries. */
export const categories: ReadonlySet<string> = new Set<LogCategory>(['connection', 'channel', 'queue', 'default', 'upgrade', 'store']);

/**
 * The log as configured.
 * @throws the system's error if the log file cannot be opened
 */
export function createLogger(config: LogConfig): ServerLogger {
  const outputs: LogOutput[] = [];
  if (config.console !== null) outputs.push(consoleOutput(config.console));
  if (config.exchange !== null) outputs.push(exchangeOutput(config.exchange));
  if (config.file !== null) outputs.push(fileOutput(config.file, message => logger.error('default', message)));
  const logger = new ServerLogger(outputs);
  for (const { category, level } of config.categories) {
    if (categories.has(category)) logger.setLevel(level, category as LogCategory);
  }
  return logger;
}

function consoleOutput(config: NonNullable<LogConfig['console']>): LogOutput {
  const fd = config.stream === 'stdout' ? 1 : 2;
  const isFile = isRegularFile(fd);
  const stream = isFile ? null : process[config.stream];
  // A console that cannot be written to has nobody left to tell.
  const target: LogTarget = stream === null ? new FileTarget({ fd }, () => {}) : new StreamTarget(stream, fd);
  return { name: 'console', target, level: config.level, format: formatOf(config.format, config.useColors && stream?.isTTY === true) };
}

function fileOutput(config: LogFileConfig, report: (message: string) => void): LogOutput {
  const { schedule, bytesMax, count, compress } = config.rotation;
  const rotation = { bytesMax, count, compress, nextMillis: schedule === null ? never : rotationSchedule(schedule) };
  const target = new FileTarget({ path: config.path, rotation }, error => report(`log file '${config.path}': ${error.message}`));
  return { name: config.path, target, level: config.level, format: formatOf(config.format, false) };
}

function exchangeOutput(config: NonNullable<LogConfig['exchange']>): LogOutput {
  const target = new ExchangeTarget(config.format === 'json' ? 'application/json' : 'text/plain');
  return { name: 'exchange', target, level: config.level, format: formatOf(config.format, false) };
}

function formatOf(format: 'plaintext' | 'json', useColors: boolean): EntryFormat {
  return format === 'json' ? jsonFormat(process.pid) : textFormat(process.pid, useColors);
}

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
