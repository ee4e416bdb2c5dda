import { badArgument, invalid } from '../cli-error.ts';

/** A load test, as PerfTest's options describe it. */
export interface PerfOptions {
  readonly id: string;
  readonly uri: string;
  readonly producers: number;
  readonly consumers: number;
  readonly producerChannels: number;
  readonly consumerChannels: number;
  readonly exchange: string;
  readonly exchangeType: string;
  readonly queue: string;
  /** Names from queuePattern with the numbers from..to in place of queue. */
  readonly queuePattern: string | null;
  readonly queueFrom: number;
  readonly queueTo: number;
  readonly queueArguments: Readonly<Record<string, string | number | boolean>>;
  readonly routingKey: string | null;
  readonly sizeBytes: number;
  /** Messages a second of each producer; 0: as fast as it goes. */
  readonly rate: number;
  readonly consumerRate: number;
  /** Unconfirmed messages of each producer; 0: without confirms. */
  readonly confirm: number;
  readonly prefetch: number;
  readonly isAutoAck: boolean;
  readonly multiAckEvery: number;
  readonly isPersistent: boolean;
  readonly isMandatory: boolean;
  readonly isAutoDelete: boolean;
  readonly isExclusive: boolean;
  readonly isPredeclared: boolean;
  /** 0: until Ctrl+C, or until the messages are through. */
  readonly seconds: number;
  readonly producerMessages: number;
  readonly consumerMessages: number;
  readonly intervalSeconds: number;
  readonly heartbeatSeconds: number;
  readonly consumerLatencyMicros: number;
}

type Kind = 'text' | 'number' | 'boolean' | 'flag';

interface Spec {
  readonly long: string;
  readonly shorts: readonly string[];
  readonly kind: Kind;
  readonly description: string;
}

function spec(names: string, kind: Kind, description: string): Spec {
  const [long = '', ...shorts] = names.split(' ');
  return { long, shorts, kind, description };
}

/** [PerfTest: command line options] */
export const perfSpecs: readonly Spec[] = [
  spec('uri h', 'text', 'connection URI, amqp://guest:guest@localhost by default'),
  spec('producers x', 'number', 'producers, 1 by default'),
  spec('consumers y', 'number', 'consumers, 1 by default'),
  spec('producer-channel-count X', 'number', 'channels of each producer, 1 by default'),
  spec('consumer-channel-count Y', 'number', 'channels of each consumer, 1 by default'),
  spec('exchange e', 'text', 'exchange, direct by default; "" or amq.default is the default exchange'),
  spec('type t', 'text', 'type of the exchange, direct by default'),
  spec('queue u', 'text', 'queue; one named by the broker without it'),
  spec('queue-pattern qp', 'text', 'many queues: a name with %d in it'),
  spec('queue-pattern-from qpf', 'number', 'the first number, 1 by default'),
  spec('queue-pattern-to qpt', 'number', 'the last number'),
  spec('queue-args qa', 'text', 'arguments of the queue: x-max-length=10,x-queue-type=quorum'),
  spec('quorum-queue qq', 'flag', 'a quorum queue: --queue-args x-queue-type=quorum, durable, not auto-delete'),
  spec('routing-key k', 'text', 'routing key; one of this test without it'),
  spec('size s', 'number', 'bytes of a message, at least 12'),
  spec('rate r', 'number', 'messages a second of each producer; as fast as it goes without it'),
  spec('consumer-rate R', 'number', 'messages a second of each consumer at most'),
  spec('confirm c', 'number', 'publisher confirms with so many outstanding'),
  spec('qos q', 'number', 'prefetch of each consumer; unlimited without it'),
  spec('autoack a', 'flag', 'consume without acknowledgements'),
  spec('multi-ack-every A', 'number', 'acknowledge every so many messages at once'),
  spec('consumer-latency L', 'number', 'microseconds of work a message'),
  spec('flag f', 'text', 'persistent, mandatory; may be given again'),
  spec('auto-delete ad', 'boolean', 'auto-delete queues, true by default'),
  spec('exclusive E', 'flag', 'exclusive consumers'),
  spec('predeclared p', 'flag', 'use queues and exchange as they are'),
  spec('time z', 'number', 'seconds to run; until Ctrl+C without it'),
  spec('pmessages C', 'number', 'messages of each producer'),
  spec('cmessages D', 'number', 'messages of each consumer'),
  spec('interval i', 'number', 'seconds between lines, 1 by default'),
  spec('heartbeat b', 'number', 'seconds; 0 by default'),
  spec('id d', 'text', 'name of this test in its output'),
  spec('help ?', 'flag', 'show this'),
  ...['producer-random-start-delay w', 'json-body jb', 'use-millis ms', 'verbose V', 'slow-start S', 'legacy-metrics l'].map(names =>
    spec(names, 'flag', 'accepted without effect'),
  ),
];

export function perfHelp(program: string): string {
  const lines = perfSpecs
    .filter(({ description }) => !description.startsWith('accepted'))
    .map(({ long, shorts, kind, description }) => {
      const form = `-${shorts[0]}, --${long}${kind === 'flag' ? '' : ` <${kind === 'number' ? 'n' : kind === 'boolean' ? 'true|false' : 'text'}>`}`;
      return `   ${form.padEnd(36)}  ${description}`;
    });
  return (
    `\nUsage\n\n${program} perf [options]\n\nA load test in the manner of RabbitMQ PerfTest, with options of the same names.\n\n` +
    `Examples\n\n   ${program} perf -x 1 -y 2 -u throughput --id "test 1"\n   ${program} perf -x 2 -y 4 -u safe -c 100 -q 100 -f persistent -s 1000 -z 30\n` +
    `   ${program} perf -y 0 -p -u orders -C 1000000 -f persistent\n\nOptions\n\n${lines.join('\n')}\n`
  );
}

/** @throws CliError for an option that there is not, and for values that make no sense */
export function parsePerfOptions(argv: readonly string[], idDefault: string): PerfOptions | 'help' {
  const values = new Map<string, string>();
  const flags: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const found = perfSpecs.find(({ long, shorts }) => name === `--${long}` || shorts.some(short => name === `-${short}`));
    if (found === undefined) throw invalid(`Invalid options for this command:\n${name} : `);
    if (found.kind === 'flag') {
      values.set(found.long, 'true');
      continue;
    }
    let value = equals < 0 ? argv[++at] : word.slice(equals + 1);
    // `-ad` alone is true.
    if (found.kind === 'boolean' && value !== 'true' && value !== 'false') {
      if (equals < 0) at--;
      value = 'true';
    }
    if (value === undefined) throw invalid(`Invalid options for this command:\n${name} : `);
    if (found.kind === 'number' && !/^\d{1,12}(?:\.\d{1,6})?$/.test(value))
      throw invalid(`Invalid options for this command:\n${name} : ${value}`);
    if (found.long === 'flag') flags.push(...value.split(','));
    else values.set(found.long, value);
  }
  if (values.has('help')) return 'help';
  return optionsOf(values, flags, idDefault);
}

function optionsOf(values: ReadonlyMap<string, string>, flags: readonly string[], idDefault: string): PerfOptions {
  const number = (name: string, absent: number): number => Number(values.get(name) ?? absent);
  const unknown = flags.filter(flag => flag !== 'persistent' && flag !== 'mandatory');
  if (unknown.length > 0) throw badArgument(`there are the flags persistent and mandatory, not ${unknown.join(', ')}`);
  const pattern = values.get('queue-pattern') ?? null;
  if (pattern !== null && (!/%0?\d*d/.test(pattern) || !values.has('queue-pattern-to')))
    throw badArgument('--queue-pattern wants %d in it, and --queue-pattern-to');
  const isQuorum = values.has('quorum-queue');
  const confirm = number('confirm', 0);
  if (confirm > 1_000_000) throw badArgument('--confirm is at most 1000000');
  const clients = number('producers', 1) + number('consumers', 1);
  if (clients > 10_000) throw badArgument('there are at most 10000 producers and consumers');
  if (number('size', 0) > 128 * 1024 * 1024) throw badArgument('--size is at most 134217728');
  const exchange = values.get('exchange') ?? 'direct';
  return {
    id: values.get('id') ?? idDefault,
    uri: values.get('uri') ?? 'amqp://guest:guest@localhost',
    producers: number('producers', 1),
    consumers: number('consumers', 1),
    producerChannels: Math.max(1, number('producer-channel-count', 1)),
    consumerChannels: Math.max(1, number('consumer-channel-count', 1)),
    exchange: exchange === 'amq.default' ? '' : exchange,
    exchangeType: values.get('type') ?? 'direct',
    queue: values.get('queue') ?? '',
    queuePattern: pattern,
    queueFrom: number('queue-pattern-from', 1),
    queueTo: number('queue-pattern-to', 0),
    queueArguments: { ...argumentsOf(values.get('queue-args') ?? ''), ...(isQuorum ? { 'x-queue-type': 'quorum' } : {}) },
    routingKey: values.get('routing-key') ?? null,
    sizeBytes: Math.max(12, number('size', 0)),
    rate: number('rate', 0),
    consumerRate: number('consumer-rate', 0),
    confirm,
    prefetch: number('qos', 0),
    isAutoAck: values.has('autoack'),
    multiAckEvery: number('multi-ack-every', 0),
    isPersistent: flags.includes('persistent'),
    isMandatory: flags.includes('mandatory'),
    isAutoDelete: !isQuorum && (values.get('auto-delete') ?? 'true') === 'true',
    isExclusive: values.has('exclusive'),
    isPredeclared: values.has('predeclared'),
    seconds: number('time', 0),
    producerMessages: number('pmessages', 0),
    consumerMessages: number('cmessages', 0),
    intervalSeconds: Math.max(0.1, number('interval', 1)),
    heartbeatSeconds: number('heartbeat', 0),
    consumerLatencyMicros: number('consumer-latency', 0),
  };
}

/** `x-max-length=10,x-queue-mode=lazy` */
function argumentsOf(text: string): Record<string, string | number | boolean> {
  const result: Record<string, string | number | boolean> = {};
  for (const part of text.split(',').filter(part => part !== '')) {
    const [name = '', value = ''] = part.split('=');
    result[name] = /^-?\d{1,15}$/.test(value) ? Number(value) : value === 'true' || value === 'false' ? value === 'true' : value;
  }
  return result;
}

/** The queues of a test. */
export function queueNames({ queue, queuePattern, queueFrom, queueTo }: PerfOptions): string[] {
  if (queuePattern === null) return [queue];
  const name = (number: number): string =>
    queuePattern.replace(/%(0?)(\d*)d/, (_match, zero: string, width: string) =>
      String(number).padStart(Number(width || 0), zero === '0' ? '0' : ' '),
    );
  return Array.from({ length: Math.max(0, Math.min(queueTo - queueFrom + 1, 100_000)) }, (_, index) => name(queueFrom + index));
}
