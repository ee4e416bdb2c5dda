import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { boolean, integer, oneOf, path, type ValueType, valueType } from '../value-type.ts';
import { informationUnits } from '../value-units.ts';
import { LOG_EXCHANGE } from './effects.ts';

/** RabbitMQ's log levels, the most talkative first. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency', 'none'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const logLevel = oneOf(...LOG_LEVELS);
const format = oneOf('plaintext', 'json');

/** `false`, `true` (the usual name), or a name. */
const logFile: ValueType<string | boolean> = valueType<string | boolean>('a path, true or false', value => {
  if (value === 'true' || value === 'false') return value === 'true';
  return value === '' ? undefined : value;
});

/** `$D0`: midnight, `$H`: every hour, `$W1D6`: Mondays at six, `$M1`: the first of a month. */
const rotationSchedule: ValueType<string> = valueType("times in RabbitMQ's notation, such as $D0 for every midnight", value =>
  /^\$(?:[HDWM][0-9]{0,2}){1,4}$/.test(value) ? value : undefined,
);

export const LOGGING = {
  console: key('log.console', boolean, 'true', 'Log to the console.'),
  consoleLevel: key('log.console.level', logLevel, 'info', 'Least important level that goes to the console.'),
  consoleStream: key('log.console.stdio', oneOf('stdout', 'stderr'), 'stdout', "Which of the console's two streams."),
  consoleFormat: key('log.console.formatter', format, 'plaintext', 'Lines of text, or a JSON object a line.'),
  consoleColors: key('log.console.use_colors', boolean, 'true', 'Colour levels, if the console is a terminal.'),
  file: optionalKey(
    'log.file',
    logFile,
    'Log to a file: its name, or true for NODENAME.log; relative names are below log.dir. Any other log.file key also switches the file on.',
    {
      defaultText: 'false',
    },
  ),
  directory: optionalKey('log.dir', path, 'Directory of log files.', { defaultText: 'log in the data directory' }),
  fileLevel: key('log.file.level', logLevel, 'info', 'Least important level that goes to the file.'),
  fileFormat: key('log.file.formatter', format, 'plaintext', 'Lines of text, or a JSON object a line.'),
  rotationSize: key('log.file.rotation.size', informationUnits(0), '0', 'Begin a new file at this size; 0: never.'),
  rotationDate: optionalKey(
    'log.file.rotation.date',
    rotationSchedule,
    'Begin a new file at times: $D0 is every midnight, $D23 every 23:00, $H every hour, $W0 every Sunday, $M1 the first of a month.',
  ),
  rotationCount: key('log.file.rotation.count', integer(0, 10_000), '10', 'How many older files are kept.'),
  rotationCompress: key('log.file.rotation.compress', boolean, 'false', 'Compress the older files (gzip).'),
  categoryLevels: familyKey(
    'log.$category.level',
    logLevel,
    'Least important level of one category: connection, channel, queue, default, federation, upgrade, mirroring, ra, user.',
    { defaultText: 'no filter' },
  ),
  exchange: key('log.exchange', boolean, 'false', 'Publish log entries to amq.rabbitmq.log in the default virtual host.', {
    effect: LOG_EXCHANGE,
  }),
  exchangeLevel: key('log.exchange.level', logLevel, 'info', 'Least important level that is published.', { effect: LOG_EXCHANGE }),
  exchangeFormat: key('log.exchange.formatter', format, 'plaintext', 'Lines of text, or a JSON object a line.', { effect: LOG_EXCHANGE }),
};

/** What `$category` may be. */
export const LOG_CATEGORIES = ['connection', 'channel', 'queue', 'default', 'federation', 'upgrade', 'mirroring', 'ra', 'user'] as const;
export type LogCategory = (typeof LOG_CATEGORIES)[number];

const ONE_FILE = 'all categories go to the same outputs';
const FIXED_FORMAT = "an entry's format is fixed; use json to process it further";

export const LOGGING_AREA: Area = {
  title: 'Logging',
  introduction:
    'The log goes to the console unless configured otherwise (RabbitMQ: to a file). `RABBITMQ_LOGS=-` is the console only, `RABBITMQ_LOGS=FILE` the file only.',
  keys: [
    ...Object.values(LOGGING),
    ...['console', 'file', 'exchange'].flatMap(output => [
      ignoredKey(`log.${output}.formatter.time_format`, FIXED_FORMAT),
      ignoredKey(`log.${output}.formatter.level_format`, FIXED_FORMAT),
      ignoredKey(`log.${output}.formatter.single_line`, 'an entry is always one line'),
      ignoredKey(`log.${output}.formatter.plaintext.format`, FIXED_FORMAT),
      ignoredKey(`log.${output}.formatter.json.field_map`, FIXED_FORMAT),
      ignoredKey(`log.${output}.formatter.json.verbosity_map`, FIXED_FORMAT),
    ]),
    ignoredKey('log.console.color_esc_seqs.$level', 'the colours are fixed'),
    ignoredKey('log.$category.file', ONE_FILE),
    ignoredKey('log.$category.rotation.$setting', ONE_FILE),
    ignoredKey('log.summarize_process_state', 'it tunes the Erlang runtime'),
    ignoredKey('log.error_logger_format_depth', 'it tunes the Erlang runtime'),
    ignoredKey('log.syslog', 'there is no syslog output; systemd and container runtimes collect the console'),
    ignoredKey('log.syslog.**', 'there is no syslog output'),
    ignoredKey('log.journald', 'there is no journald output; systemd collects the console'),
    ignoredKey('log.journald.**', 'there is no journald output'),
  ],
};
