import { isAbsolute, join } from 'node:path';
import type { LogConfig, LogFileConfig } from '../config.ts';
import { quotable } from '../config-error.ts';
import { LOG_CATEGORIES, LOGGING } from '../schema/logging.ts';
import { type BuildContext, problem } from './context.ts';

/** Any of these switches the file on, unless log.file = false. */
const FILE_KEYS = [
  LOGGING.file,
  LOGGING.fileLevel,
  LOGGING.fileFormat,
  LOGGING.rotationSize,
  LOGGING.rotationDate,
  LOGGING.rotationCount,
  LOGGING.rotationCompress,
];

export function buildLog(context: BuildContext): LogConfig {
  const { settings } = context;
  // RABBITMQ_LOGS=FILE means: to that file and nowhere else, unless the configuration asks for the console in so many words.
  const isConsoleOn = settings.isSet(LOGGING.console) ? settings.value(LOGGING.console) : !context.environment.isLogToFileOnly;
  return {
    console: isConsoleOn
      ? {
          level: settings.value(LOGGING.consoleLevel),
          format: settings.value(LOGGING.consoleFormat),
          stream: settings.value(LOGGING.consoleStream),
          useColors: settings.value(LOGGING.consoleColors),
        }
      : null,
    file: buildFile(context),
    exchange: settings.value(LOGGING.exchange)
      ? { level: settings.value(LOGGING.exchangeLevel), format: settings.value(LOGGING.exchangeFormat) }
      : null,
    categories: buildCategories(context),
  };
}

function buildFile(context: BuildContext): LogFileConfig | null {
  const { settings } = context;
  const file = settings.optional(LOGGING.file);
  if (file === false || !settings.isAnySet(FILE_KEYS)) return null;
  const name = typeof file === 'string' ? file : `${context.nodeName}.log`;
  const directory = settings.optional(LOGGING.directory) ?? (context.dataDir === null ? '.' : join(context.dataDir, 'log'));
  return {
    path: isAbsolute(name) ? name : join(directory, name),
    level: settings.value(LOGGING.fileLevel),
    format: settings.value(LOGGING.fileFormat),
    rotation: {
      bytesMax: settings.value(LOGGING.rotationSize),
      schedule: settings.optional(LOGGING.rotationDate),
      count: settings.value(LOGGING.rotationCount),
      compress: settings.value(LOGGING.rotationCompress),
    },
  };
}

function buildCategories(context: BuildContext): LogConfig['categories'] {
  const categories: LogConfig['categories'][number][] = [];
  for (const { name, value, where } of context.settings.members(LOGGING.categoryLevels)) {
    const category = LOG_CATEGORIES.find(known => known === name);
    if (category === undefined)
      problem(context, where, `log.${quotable(name)}.level: there is no such log category; there are ${LOG_CATEGORIES.join(', ')}`);
    else categories.push({ category, level: value });
  }
  return categories;
}
