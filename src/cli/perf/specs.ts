/** `list`: one value or several, and the option may be given again; `optional`: its value may be absent. */
export type Kind = 'text' | 'number' | 'boolean' | 'flag' | 'list' | 'optional';

export interface Spec {
  readonly long: string;
  readonly shorts: readonly string[];
  readonly kind: Kind;
  readonly description: string;
  readonly hasEffect: boolean;
}

function spec(names: string, kind: Kind, description: string): Spec {
  const [long = '', ...shorts] = names.split(' ');
  return { long, shorts, kind, description, hasEffect: true };
}

/** What PerfTest has for its runtime, its metrics and its cluster: scripts that give them run unchanged. */
function ignored(kind: Kind, ...names: readonly string[]): Spec[] {
  return names.map(name => ({ ...spec(name, kind, 'accepted without effect'), hasEffect: false }));
}

/** [PerfTest: command line options] */
export const perfSpecs: readonly Spec[] = [
  spec('uri h', 'text', 'connection URI, amqp://guest:guest@localhost by default'),
  spec('uris H', 'text', 'several URIs with commas; connections take them in turn'),
  spec('server-name-indication sni', 'text', 'name that is asked for in TLS; the host of the URI by default'),
  spec('sasl-external se', 'flag', 'log in by the certificate: the mechanism EXTERNAL'),
  spec('cert-file', 'text', 'certificate of the client, in PEM; PerfTest takes it from a key store of Java'),
  spec('key-file', 'text', 'its key'),
  spec('ca-file', 'text', 'certificates that the broker is checked by; those of the system without it'),
  spec('servers-startup-timeout sst', 'number', 'seconds to wait for a broker that is not up yet; 0 by default'),
  spec('producers x', 'number', 'producers, 1 by default'),
  spec('consumers y', 'number', 'consumers, 1 by default'),
  spec('producer-channel-count X', 'number', 'channels of each producer, 1 by default'),
  spec('consumer-channel-count Y', 'number', 'channels of each consumer, 1 by default'),
  spec('producer-random-start-delay prsd', 'number', 'each producer starts after up to so many seconds'),
  spec('consumer-start-delay csd', 'number', 'consumers start so many seconds after the producers'),
  spec('slow-start S', 'flag', 'a second between the starts of consumers'),
  spec('exchange e', 'optional', 'exchange, direct by default; "", nothing or amq.default is the default exchange'),
  spec('type t', 'text', 'type of the exchange, direct by default'),
  spec('queue u', 'text', 'queue, or several with commas; one named by the broker without it'),
  spec('queue-file qf', 'text', 'file with a name of a queue on each line'),
  spec('queue-pattern qp', 'text', 'many queues: a name with %d in it'),
  spec('queue-pattern-from qpf', 'number', 'the first number, 1 by default'),
  spec('queue-pattern-to qpt', 'number', 'the last number'),
  spec('queue-args qa', 'list', 'arguments of the queue: x-max-length=10,x-queue-type=quorum'),
  spec('quorum-queue qq', 'flag', 'a quorum queue: --queue-args x-queue-type=quorum, durable, not auto-delete, persistent messages'),
  spec('stream-queue sq', 'flag', 'a stream: --queue-args x-queue-type=stream, durable, not auto-delete, persistent messages, --qos 200'),
  spec('max-length-bytes mlb', 'number', 'x-max-length-bytes of the queue; a stream has 20000000000 by default; 0 is no limit'),
  spec('max-age ma', 'text', 'x-max-age of a stream, as PT10M30S or P5DT8H'),
  spec('stream-max-segment-size-bytes smssb', 'number', 'x-stream-max-segment-size-bytes of a stream'),
  spec('leader-locator ll', 'text', 'x-queue-leader-locator of the queue: client-local, balanced'),
  spec('stream-consumer-offset sco', 'text', 'where a stream is read from: first, last, next, an offset, 2022-06-03T07:45:54Z'),
  spec('consumer-args ca', 'text', 'arguments of consumers: x-priority=10'),
  spec('skip-binding-queues sb', 'flag', 'do not bind queues to the exchange'),
  spec('routing-key k', 'text', 'routing key; one of this test without it'),
  spec('random-routing-key K', 'flag', 'a random routing key for each message'),
  spec('routing-key-cache-size rkcs', 'number', 'take random routing keys from so many'),
  spec('size s', 'number', 'bytes of a message, at least 12'),
  spec('variable-size vs', 'list', 'sizes in turn, each for some seconds: 100:10 1000:20'),
  spec('body B', 'text', 'files that are the bodies in turn, with commas'),
  spec('body-content-type T', 'text', 'content type of messages'),
  spec('message-properties mp', 'text', 'properties and headers of messages: priority=5,contentType=text/plain,x-mine=1'),
  spec('flag f', 'list', 'persistent, mandatory; may be given again'),
  spec('rate r', 'number', 'messages a second of each producer; as fast as it goes without it'),
  spec('variable-rate vr', 'list', 'rates in turn, each for some seconds: 200:10 0:5'),
  spec('publishing-interval P', 'number', 'seconds between two messages of a producer'),
  spec('consumer-rate R', 'number', 'messages a second of each consumer at most'),
  spec('ptxsize m', 'number', 'messages of a transaction of a producer'),
  spec('ctxsize n', 'number', 'messages of a transaction of a consumer'),
  spec('confirm c', 'number', 'publisher confirms with so many outstanding'),
  spec('confirm-timeout ct', 'number', 'seconds without a confirm that is waited for that end the test, 30 by default'),
  spec('polling po', 'flag', 'consumers ask for messages one by one with basic.get'),
  spec('polling-interval pi', 'number', 'milliseconds between two of these, 0 by default'),
  spec('qos q', 'number', 'prefetch of each consumer; unlimited without it'),
  spec('global-qos Q', 'number', 'prefetch of all consumers of a channel'),
  spec('autoack a', 'flag', 'consume without acknowledgements'),
  spec('multi-ack-every A', 'number', 'acknowledge every so many messages at once'),
  spec('nack na', 'flag', 'reject messages in place of acknowledging them'),
  spec('requeue re', 'boolean', 'whether rejected messages are requeued, true by default'),
  spec('consumer-latency L', 'number', 'microseconds of work a message'),
  spec('variable-latency vl', 'list', 'microseconds of work in turn, each for some seconds: 1000:10 50000:5'),
  spec('auto-delete ad', 'boolean', 'auto-delete queues, true by default'),
  spec('exclusive E', 'flag', 'each consumer has an exclusive queue that the broker names'),
  spec('predeclared p', 'flag', 'use queues and exchange as they are'),
  spec('time z', 'number', 'seconds to run; until Ctrl+C without it'),
  spec('pmessages C', 'number', 'messages of each producer'),
  spec('cmessages D', 'number', 'messages of each consumer'),
  spec('exit-when ew', 'text', 'end when the queues are "empty", or consumers "idle" for a second'),
  spec('shutdown-timeout st', 'number', 'seconds for connections to close at the end, 5 by default'),
  spec('interval i', 'number', 'seconds between lines, 1 by default'),
  spec('output-file o', 'text', 'CSV file that gets the lines too'),
  spec('framemax M', 'number', 'largest frame in bytes, 131072 by default'),
  spec('heartbeat b', 'number', 'seconds; 0 by default'),
  spec('id d', 'text', 'name of this test in its output'),
  spec('help ?', 'flag', 'show this'),
  spec('environment-variables env', 'flag', 'show this with the names of the variables in place of the options'),
  spec('version v', 'flag', 'show the version'),
  ...ignored(
    'flag',
    'json-body jb',
    'use-millis ms',
    'legacy-metrics l',
    'use-default-ssl-context udsc',
    'disable-connection-recovery dcr',
  ),
  ...ignored('text', 'body-count bc', 'body-field-count bfc', 'servers-up-limit sul', 'connection-recovery-interval cri'),
  ...ignored('text', 'heartbeat-sender-threads hst', 'producer-scheduler-threads pst', 'consumers-thread-pools ctp'),
  ...ignored('text', 'nio-threads niot', 'nio-thread-pool niotp'),
  ...ignored('text', 'expected-instances ei', 'instance-sync-namespace isn', 'instance-sync-timeout ist'),
  ...ignored('text', 'exposed-metrics em', 'metrics-format mf', 'metrics-tags mt', 'metrics-prefix mpx'),
  ...ignored('flag', 'metrics-command-line-arguments mcla', 'metrics-client mc', 'metrics-class-loader mcl', 'metrics-jvm-memory mjm'),
  ...ignored('flag', 'metrics-jvm-gc mjgc', 'metrics-processor mjp', 'metrics-jvm-thread mjt', 'metrics-prometheus mpr'),
  ...ignored('text', 'metrics-prometheus-endpoint mpe', 'metrics-prometheus-port mpp'),
  ...ignored('flag', 'metrics-datadog mda', 'metrics-datadog-descriptions mdd'),
  ...ignored('text', 'metrics-datadog-api-key mdk', 'metrics-datadog-step-size mds', 'metrics-datadog-application-key mdak'),
  ...ignored('text', 'metrics-datadog-host-tag mdh', 'metrics-datadog-uri mdu'),
];

const forms: Readonly<Record<Kind, string>> = {
  text: ' <text>',
  number: ' <n>',
  boolean: ' <true|false>',
  flag: '',
  list: ' <text>...',
  optional: ' [<text>]',
};

/** The variable that an option is taken from when it is not given, behind the prefix. [PerfTest: environment variables] */
export function variableOf({ long }: Spec): string {
  return long.replaceAll('-', '_').toUpperCase();
}

/** What asks for a screen in place of a test. */
export const screens = ['help', 'environment-variables', 'version'] as const;
export type Screen = (typeof screens)[number];

export function perfHelp(program: string, withVariables = false): string {
  const form = (one: Spec): string => (withVariables ? variableOf(one) : optionOf(one));
  const optionOf = ({ long, shorts, kind }: Spec): string => `${shorts[0] === undefined ? '' : `-${shorts[0]}, `}--${long}${forms[kind]}`;
  const lines = perfSpecs.filter(one => one.hasEffect).map(one => `   ${form(one).padEnd(44)}  ${one.description}`);
  const others = perfSpecs.filter(one => !one.hasEffect).map(one => `   ${form(one)}`);
  return (
    `\nUsage\n\n${program} perf [options]\n\nA load test in the manner of RabbitMQ PerfTest, with options of the same names. ` +
    'What is not given is taken from the environment as PerfTest takes it: QUEUE_PATTERN=orders-%d for --queue-pattern,\n' +
    'with a prefix where RABBITMQ_PERF_TEST_ENV_PREFIX names one.\n\n' +
    `Examples\n\n   ${program} perf -x 1 -y 2 -u throughput --id "test 1"\n   ${program} perf -x 2 -y 4 -u safe -c 100 -q 100 -f persistent -s 1000 -z 30\n` +
    `   ${program} perf -y 0 -p -u orders -C 1000000 -f persistent\n\nOptions\n\n${lines.join('\n')}\n\n` +
    `Options of PerfTest that are accepted without effect\n\n${others.join('\n')}\n`
  );
}
