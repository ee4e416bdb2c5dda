import { badArgument, invalid } from '../cli-error.ts';
import { Schedule } from './schedule.ts';
import { perfSpecs, type Screen, screens, variableOf } from './specs.ts';

export { perfHelp, perfSpecs } from './specs.ts';

export type Arguments = Readonly<Record<string, string | number | boolean>>;

/** A load test, as PerfTest's options describe it. */
export interface PerfOptions {
  readonly id: string;
  readonly uris: readonly string[];
  /** Name asked for in TLS; null: the host. */
  readonly serverName: string | null;
  readonly isExternal: boolean;
  /** Files in PEM; null: none. */
  readonly caFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
  readonly startupSeconds: number;
  readonly producers: number;
  readonly consumers: number;
  readonly producerChannels: number;
  readonly consumerChannels: number;
  readonly producerDelaySeconds: number;
  readonly consumerDelaySeconds: number;
  readonly isSlowStart: boolean;
  readonly exchange: string;
  readonly exchangeType: string;
  readonly queues: readonly string[];
  readonly queueFile: string | null;
  /** Names from queuePattern with the numbers from..to in place of queues. */
  readonly queuePattern: string | null;
  readonly queueFrom: number;
  readonly queueTo: number;
  readonly queueArguments: Arguments;
  readonly consumerArguments: Arguments;
  /** Seconds since the epoch that a stream is read from; null: as consumerArguments say. */
  readonly streamFromSeconds: number | null;
  readonly isBinding: boolean;
  readonly routingKey: string | null;
  readonly isRandomKey: boolean;
  /** How many random keys there are; 0: a new one for each message. */
  readonly randomKeys: number;
  readonly sizeBytes: number;
  readonly variableSize: Schedule | null;
  readonly bodyFiles: readonly string[];
  readonly contentType: string | null;
  readonly messageProperties: Arguments;
  /** Messages a second of each producer; 0: as fast as it goes. */
  readonly rate: number;
  readonly variableRate: Schedule | null;
  /** Seconds between messages, in place of a rate; 0: by rate. */
  readonly publishingIntervalSeconds: number;
  readonly consumerRate: number;
  /** Messages of a transaction; 0: without. */
  readonly producerTransaction: number;
  readonly consumerTransaction: number;
  /** Unconfirmed messages of each producer; 0: without confirms. */
  readonly confirm: number;
  readonly confirmTimeoutSeconds: number;
  /** Messages are asked for one by one, after so many milliseconds each. */
  readonly isPolling: boolean;
  readonly pollingMillis: number;
  readonly prefetch: number;
  readonly channelPrefetch: number;
  readonly isAutoAck: boolean;
  readonly multiAckEvery: number;
  readonly isNack: boolean;
  readonly isRequeue: boolean;
  readonly isPersistent: boolean;
  readonly isMandatory: boolean;
  readonly isAutoDelete: boolean;
  readonly isExclusive: boolean;
  readonly isPredeclared: boolean;
  /** 0: until Ctrl+C, or until the messages are through. */
  readonly seconds: number;
  readonly producerMessages: number;
  readonly consumerMessages: number;
  readonly exitWhen: 'empty' | 'idle' | null;
  readonly shutdownSeconds: number;
  readonly intervalSeconds: number;
  readonly outputFile: string | null;
  /** 0: this program's own. */
  readonly frameBytesMax: number;
  readonly heartbeatSeconds: number;
  readonly consumerLatencyMicros: number;
  readonly variableLatency: Schedule | null;
}

const messageBytesMax = 128 * 1024 * 1024;
const streamBytesMax = 20_000_000_000;
const streamSegmentBytes = 500_000_000;

/** The value of an option given once, and the values of those that may come again, by long name. */
interface Given {
  readonly values: Map<string, string>;
  readonly lists: Map<string, string[]>;
}

/** @throws CliError for an option that there is not, and for values that make no sense */
export function parsePerfOptions(argv: readonly string[], idDefault: string, env: NodeJS.ProcessEnv = {}): PerfOptions | Screen {
  const given: Given = { values: new Map(), lists: new Map() };
  for (let at = 0; at < argv.length; at++) at = takeOption(argv, at, given);
  const screen = screens.find(name => given.values.has(name));
  if (screen !== undefined) return screen;
  takeEnvironment(env, given);
  return optionsOf(given, idDefault);
}

/** Options that were not given are taken from variables named after their long names. [PerfTest: environment variables] */
function takeEnvironment(env: NodeJS.ProcessEnv, given: Given): void {
  const named = env['RABBITMQ_PERF_TEST_ENV_PREFIX']?.trim() ?? '';
  const prefix = named === '' || named.endsWith('_') ? named : `${named}_`;
  for (const spec of perfSpecs) {
    const { long, kind, hasEffect } = spec;
    const value = env[`${prefix}${variableOf(spec)}`]?.trim() ?? '';
    if (value === '' || !hasEffect || screens.some(name => name === long) || given.values.has(long) || given.lists.has(long)) continue;
    if (kind !== 'flag') takeOption([`--${long}=${value}`], 0, given);
    else if (value.toLowerCase() === 'true') given.values.set(long, 'true');
  }
}

/** Takes the option at `at` with its values; the index of the last word that it took. */
function takeOption(argv: readonly string[], at: number, { values, lists }: Given): number {
  const word = argv[at] as string;
  const equals = word.startsWith('-') ? word.indexOf('=') : -1;
  const name = equals < 0 ? word : word.slice(0, equals);
  const found = perfSpecs.find(({ long, shorts }) => name === `--${long}` || shorts.some(short => name === `-${short}`));
  if (found === undefined) throw invalid(`Invalid options for this command:\n${name} : `);
  if (found.kind === 'flag') {
    values.set(found.long, 'true');
    return at;
  }
  let last = equals < 0 ? at + 1 : at;
  let value = equals < 0 ? argv[last] : word.slice(equals + 1);
  // `-ad` alone is true, `-e` alone is the default exchange.
  const isAbsent = found.kind === 'boolean' ? value !== 'true' && value !== 'false' : value === undefined || value.startsWith('-');
  if (isAbsent && equals < 0 && (found.kind === 'boolean' || found.kind === 'optional')) {
    last = at;
    value = found.kind === 'boolean' ? 'true' : '';
  }
  if (value === undefined || (isAbsent && last !== at && found.kind === 'boolean'))
    throw invalid(`Invalid options for this command:\n${name} : `);
  if (found.kind === 'number' && !/^\d{1,12}(?:\.\d{1,6})?$/.test(value))
    throw invalid(`Invalid options for this command:\n${name} : ${value}`);
  if (found.kind !== 'list') {
    values.set(found.long, value);
    return last;
  }
  const list = lists.get(found.long) ?? [];
  lists.set(found.long, list);
  list.push(...value.split(','));
  while (equals < 0 && argv[last + 1] !== undefined && !argv[last + 1]?.startsWith('-')) list.push(...(argv[++last] as string).split(','));
  return last;
}

function optionsOf({ values, lists }: Given, idDefault: string): PerfOptions {
  const number = (name: string, absent: number): number => Number(values.get(name) ?? absent);
  const text = (name: string): string | null => values.get(name) ?? null;
  const commas = (name: string): string[] => (values.get(name) ?? '').split(',').filter(part => part !== '');
  const flags = lists.get('flag') ?? [];
  const unknown = flags.filter(flag => flag !== 'persistent' && flag !== 'mandatory');
  if (unknown.length > 0) throw badArgument(`there are the flags persistent and mandatory, not ${unknown.join(', ')}`);
  const pattern = text('queue-pattern');
  if (pattern !== null && (!/%0?\d*d/.test(pattern) || !values.has('queue-pattern-to')))
    throw badArgument('--queue-pattern wants %d in it, and --queue-pattern-to');
  const isStream = values.has('stream-queue');
  const isKept = isStream || values.has('quorum-queue');
  const confirm = number('confirm', 0);
  if (confirm > 1_000_000) throw badArgument('--confirm is at most 1000000');
  if (confirm > 0 && number('ptxsize', 0) > 0) throw badArgument('a channel has --confirm or --ptxsize');
  const clients = number('producers', 1) + number('consumers', 1);
  if (values.has('cert-file') !== values.has('key-file')) throw badArgument('--cert-file and --key-file go together');
  if (values.has('polling') && isStream) throw badArgument('a stream cannot be polled: it has no basic.get');
  if (clients > 10_000) throw badArgument('there are at most 10000 producers and consumers');
  if (number('size', 0) > messageBytesMax) throw badArgument(`--size is at most ${messageBytesMax}`);
  if (number('routing-key-cache-size', 0) > 1_000_000) throw badArgument('--routing-key-cache-size is at most 1000000');
  const frameBytesMax = number('framemax', 0);
  if (frameBytesMax !== 0 && (frameBytesMax < 4096 || frameBytesMax > 16_777_216)) throw badArgument('--framemax is from 4096 to 16777216');
  const exitWhen = text('exit-when');
  if (exitWhen !== null && exitWhen !== 'empty' && exitWhen !== 'idle') throw badArgument(`--exit-when is empty or idle, not ${exitWhen}`);
  const exchange = values.get('exchange') ?? 'direct';
  const [names, uris] = [commas('queue'), commas('uris').map(uri => uri.trim())];
  const offset = text('stream-consumer-offset');
  const isTime = offset !== null && /^\d{4}-\d\d-\d\dT/.test(offset) && !Number.isNaN(Date.parse(offset));
  return {
    id: values.get('id') ?? idDefault,
    uris: uris.length > 0 ? uris : [values.get('uri') ?? 'amqp://guest:guest@localhost'],
    serverName: commas('server-name-indication')[0] ?? null,
    isExternal: values.has('sasl-external'),
    caFile: text('ca-file'),
    certificateFile: text('cert-file'),
    keyFile: text('key-file'),
    startupSeconds: number('servers-startup-timeout', 0),
    producers: number('producers', 1),
    consumers: number('consumers', 1),
    producerChannels: Math.max(1, number('producer-channel-count', 1)),
    consumerChannels: Math.max(1, number('consumer-channel-count', 1)),
    producerDelaySeconds: number('producer-random-start-delay', 0),
    consumerDelaySeconds: number('consumer-start-delay', 0),
    isSlowStart: values.has('slow-start'),
    exchange: exchange === 'amq.default' ? '' : exchange,
    exchangeType: values.get('type') ?? 'direct',
    queues: names.length > 0 ? names : [''],
    queueFile: text('queue-file'),
    queuePattern: pattern,
    queueFrom: number('queue-pattern-from', 1),
    queueTo: number('queue-pattern-to', 0),
    queueArguments: queueArgumentsOf(values, argumentsOf(lists.get('queue-args') ?? [])),
    consumerArguments: {
      ...argumentsOf(commas('consumer-args')),
      ...(offset === null || isTime ? {} : argumentsOf([`x-stream-offset=${offset}`])),
    },
    streamFromSeconds: isTime ? Math.floor(Date.parse(offset) / 1000) : null,
    isBinding: !values.has('skip-binding-queues'),
    routingKey: text('routing-key'),
    isRandomKey: values.has('random-routing-key'),
    randomKeys: Math.floor(number('routing-key-cache-size', 0)),
    sizeBytes: Math.max(12, number('size', 0)),
    variableSize: Schedule.parse('variable-size', lists.get('variable-size') ?? [], 1, messageBytesMax),
    bodyFiles: commas('body'),
    contentType: text('body-content-type'),
    messageProperties: argumentsOf(commas('message-properties')),
    rate: number('rate', 0),
    variableRate: Schedule.parse('variable-rate', lists.get('variable-rate') ?? [], 0, 1e9),
    publishingIntervalSeconds: number('publishing-interval', 0),
    consumerRate: number('consumer-rate', 0),
    producerTransaction: Math.floor(number('ptxsize', 0)),
    consumerTransaction: Math.floor(number('ctxsize', 0)),
    confirm,
    confirmTimeoutSeconds: number('confirm-timeout', 30),
    isPolling: values.has('polling'),
    pollingMillis: number('polling-interval', 0),
    prefetch: number('qos', isStream ? 200 : 0),
    channelPrefetch: number('global-qos', 0),
    isAutoAck: values.has('autoack'),
    multiAckEvery: number('multi-ack-every', 0),
    isNack: values.has('nack'),
    isRequeue: (values.get('requeue') ?? 'true') === 'true',
    isPersistent: isKept || flags.includes('persistent'),
    isMandatory: flags.includes('mandatory'),
    isAutoDelete: !isKept && (values.get('auto-delete') ?? 'true') === 'true',
    isExclusive: values.has('exclusive'),
    isPredeclared: values.has('predeclared'),
    seconds: number('time', 0),
    producerMessages: number('pmessages', 0),
    consumerMessages: number('cmessages', 0),
    exitWhen,
    shutdownSeconds: number('shutdown-timeout', 5),
    intervalSeconds: Math.max(0.1, number('interval', 1)),
    outputFile: text('output-file'),
    frameBytesMax,
    heartbeatSeconds: number('heartbeat', 0),
    consumerLatencyMicros: number('consumer-latency', 0),
    variableLatency: Schedule.parse('variable-latency', lists.get('variable-latency') ?? [], 0, 1e9),
  };
}

/** The arguments that options of their own stand for; a stream has PerfTest's limits. */
function queueArgumentsOf(values: ReadonlyMap<string, string>, own: Arguments): Arguments {
  const isStream = values.has('stream-queue');
  const bytes = Number(values.get('max-length-bytes') ?? (isStream ? streamBytesMax : 0));
  const segment = Number(values.get('stream-max-segment-size-bytes') ?? (isStream ? streamSegmentBytes : 0));
  const [locator, age] = [values.get('leader-locator'), values.get('max-age')];
  return {
    ...(values.has('quorum-queue') ? { 'x-queue-type': 'quorum' } : {}),
    ...(isStream ? { 'x-queue-type': 'stream' } : {}),
    ...(bytes > 0 ? { 'x-max-length-bytes': bytes } : {}),
    ...(segment > 0 ? { 'x-stream-max-segment-size-bytes': segment } : {}),
    ...(locator === undefined ? {} : { 'x-queue-leader-locator': locator }),
    ...(age === undefined ? {} : { 'x-max-age': `${durationSeconds(age)}s` }),
    ...own,
  };
}

/** Seconds of an ISO 8601 duration such as P5DT8H. @throws CliError */
function durationSeconds(text: string): number {
  const [, days, hours, minutes, seconds] = /^P(?=\w)(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?$/.exec(text) ?? [];
  const total = Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  if (total === 0) throw badArgument(`--max-age wants a duration as PT10M30S, not ${text}`);
  return total;
}

/** `x-max-length=10`, `x-queue-mode=lazy` */
function argumentsOf(parts: readonly string[]): Record<string, string | number | boolean> {
  const entries = parts
    .filter(part => part !== '')
    .map((part): [string, string | number | boolean] => {
      const at = part.indexOf('=');
      const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
      return [name, /^-?\d{1,15}$/.test(value) ? Number(value) : value === 'true' || value === 'false' ? value === 'true' : value];
    });
  return Object.fromEntries(entries);
}

/** The queues of a test. */
export function queueNames({ queues, queuePattern, queueFrom, queueTo }: PerfOptions): string[] {
  if (queuePattern === null) return [...queues];
  const name = (number: number): string =>
    queuePattern.replace(/%(0?)(\d*)d/, (_match, zero: string, width: string) =>
      String(number).padStart(Number(width || 0), zero === '0' ? '0' : ' '),
    );
  return Array.from({ length: Math.max(0, Math.min(queueTo - queueFrom + 1, 100_000)) }, (_, index) => name(queueFrom + index));
}
