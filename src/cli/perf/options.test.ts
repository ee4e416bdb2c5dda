import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../cli-error.ts';
import { parsePerfOptions, type PerfOptions, perfHelp, perfSpecs, queueNames } from './options.ts';

function parse(line: string): PerfOptions {
  const options = parsePerfOptions(
    line.split(' ').filter(word => word !== ''),
    'id',
  );
  assert.notEqual(options, 'help');
  return options as PerfOptions;
}

test('options have the names and defaults of PerfTest', () => {
  const plain = parse('');
  assert.deepEqual([plain.producers, plain.consumers, plain.exchange, plain.sizeBytes, plain.isAutoDelete], [1, 1, 'direct', 12, true]);
  const full = parse(
    '-h amqp://a:b@h/v -x 2 -y 3 -X 4 -Y 5 -u q -k key -s 1000 -r 50 -c 100 -q 10 -a -A 7 -f persistent -f mandatory -ad false -z 30 -C 9 -D 8 --id t',
  );
  assert.deepEqual([full.producers, full.consumers, full.producerChannels, full.consumerChannels], [2, 3, 4, 5]);
  assert.deepEqual(
    [full.queues[0], full.routingKey, full.sizeBytes, full.rate, full.confirm, full.prefetch],
    ['q', 'key', 1000, 50, 100, 10],
  );
  assert.deepEqual(
    [full.isAutoAck, full.multiAckEvery, full.isPersistent, full.isMandatory, full.isAutoDelete],
    [true, 7, true, true, false],
  );
  assert.deepEqual([full.seconds, full.producerMessages, full.consumerMessages, full.id], [30, 9, 8, 't']);
});

test('what is not given is taken from the environment, as PerfTest does', () => {
  const env = {
    URI: 'amqp://h',
    PRODUCERS: '3',
    QUEUE_PATTERN: 'orders-%d',
    QUEUE_PATTERN_TO: '9',
    AUTOACK: 'TRUE',
    PREDECLARED: 'false',
    AUTO_DELETE: 'false',
    FLAG: 'persistent,mandatory',
    VARIABLE_RATE: '100:10,200:5',
    SIZE: ' ',
    HELP: 'true',
  };
  const of = (line: string, variables: NodeJS.ProcessEnv): PerfOptions =>
    parsePerfOptions(
      line.split(' ').filter(word => word !== ''),
      'id',
      variables,
    ) as PerfOptions;
  const taken = of('-x 5', env);
  assert.deepEqual([taken.uris, taken.producers, taken.queuePattern, taken.queueTo], [['amqp://h'], 5, 'orders-%d', 9]);
  assert.deepEqual([taken.isAutoAck, taken.isPredeclared, taken.isAutoDelete, taken.sizeBytes], [true, false, false, 12]);
  assert.deepEqual([taken.isPersistent, taken.isMandatory, taken.variableRate?.at(12)], [true, true, 200]);
  for (const prefix of ['PERF', 'PERF_']) {
    const prefixed = of('', { ...env, RABBITMQ_PERF_TEST_ENV_PREFIX: prefix, PERF_PRODUCERS: '7' });
    assert.deepEqual([prefixed.producers, prefixed.queuePattern], [7, null]);
  }
  assert.throws(() => of('', { RATE: 'many' }), CliError);
});

test('a flag with an optional value does not take the next option for one', () => {
  const options = parse('-ad -u q');
  assert.deepEqual([options.isAutoDelete, options.queues], [true, ['q']]);
  assert.equal(parse('--auto-delete=false').isAutoDelete, false);
});

test('queues by pattern, and their arguments', () => {
  const options = parse('-qp perf-%03d -qpf 9 -qpt 11 -qa x-max-length=10,x-single-active-consumer=true,x-overflow=reject-publish');
  assert.deepEqual(queueNames(options), ['perf-009', 'perf-010', 'perf-011']);
  assert.deepEqual(options.queueArguments, { 'x-max-length': 10, 'x-single-active-consumer': true, 'x-overflow': 'reject-publish' });
  assert.deepEqual(queueNames(parse('-u one')), ['one']);
  assert.equal(queueNames(parse('-qp q%d -qpt 999999999')).length, 100_000);
});

test('what makes no sense is refused', () => {
  for (const line of ['-nosuch', '-x', '-x many', '-f shiny', '-qp q -qpt 3', '-c 1000001', '-x 10001', '-s 134217729'])
    assert.throws(() => parse(line), CliError, line);
  assert.equal(parse('-c 1000000').confirm, 1_000_000);
  assert.equal(parse('-x 9999').producers, 9999);
});

test('help has every option, those without effect apart', () => {
  const [effective = '', ignored = ''] = perfHelp('warrenctl').split('accepted without effect');
  for (const { long, hasEffect } of perfSpecs)
    assert.match(hasEffect ? effective : ignored, new RegExp(`(?:, |^ {3})--${long}( |$)`, 'm'), long);
  assert.equal(parsePerfOptions(['--help'], ''), 'help');
  assert.equal(parsePerfOptions(['-v'], ''), 'version');
  assert.equal(parsePerfOptions(['-env'], '', { VERSION: 'true' }), 'environment-variables');
  assert.match(perfHelp('warrenctl', true), /^ {3}QUEUE_PATTERN_FROM +the first number/m);
});

test('no two options have one name', () => {
  const names = perfSpecs.flatMap(({ long, shorts }) => [`--${long}`, ...shorts.map(short => `-${short}`)]);
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
});

test('options that may come again take several values, up to the next option', () => {
  const options = parse(
    '-vr 100:2 0:1 -vs 20:1 -vs 1000:2 -vl 500:3 -f persistent mandatory -qa x-max-length=1 x-overflow=drop-head -u a,b',
  );
  assert.deepEqual(options.variableRate?.steps, [
    { value: 100, seconds: 2 },
    { value: 0, seconds: 1 },
  ]);
  assert.deepEqual([options.variableSize?.steps.length, options.variableLatency?.at(2)], [2, 500]);
  assert.deepEqual([options.isPersistent, options.isMandatory, options.queues], [true, true, ['a', 'b']]);
  assert.deepEqual(options.queueArguments, { 'x-max-length': 1, 'x-overflow': 'drop-head' });
  for (const line of ['-vr 5', '-vr 5:0', '-vs 0:5', '-vl x:1', '-vs 134217729:1']) assert.throws(() => parse(line), CliError, line);
});

test('options without effect take their value along', () => {
  const options = parse('-niot 4 -hst 2 -ms -mpx prefix_ -cri 30-60 -dcr -u q');
  assert.deepEqual(options.queues, ['q']);
});

test('what consumers and producers do with a message', () => {
  const options = parse('-na -re false -m 10 -n 5 -K -rkcs 3 -Q 7 -ct 9 -P 0.5 -ew idle -o f.csv -st 1 -H amqp://a,amqp://b -e');
  assert.deepEqual([options.isNack, options.isRequeue, options.producerTransaction, options.consumerTransaction], [true, false, 10, 5]);
  assert.deepEqual([options.isRandomKey, options.randomKeys, options.channelPrefetch, options.confirmTimeoutSeconds], [true, 3, 7, 9]);
  assert.deepEqual(
    [options.publishingIntervalSeconds, options.exitWhen, options.outputFile, options.shutdownSeconds],
    [0.5, 'idle', 'f.csv', 1],
  );
  assert.deepEqual([options.uris, options.exchange], [['amqp://a', 'amqp://b'], '']);
  assert.deepEqual([parse('-na').isRequeue, parse('').isNack], [true, false]);
  for (const line of ['-ew later', '-c 1 -m 1', '-M 4095', '-M 16777217', '-rkcs 1000001'])
    assert.throws(() => parse(line), CliError, line);
  assert.equal(parse('-M 4096').frameBytesMax, 4096);
});

test("a stream has PerfTest's limits, and where it is read from", () => {
  const stream = parse('-sq -ma PT1H30S -sco first');
  assert.deepEqual(stream.queueArguments, {
    'x-queue-type': 'stream',
    'x-max-length-bytes': 20_000_000_000,
    'x-stream-max-segment-size-bytes': 500_000_000,
    'x-max-age': '3630s',
  });
  assert.deepEqual([stream.prefetch, stream.isAutoDelete, stream.isPersistent], [200, false, true]);
  assert.deepEqual(stream.consumerArguments, { 'x-stream-offset': 'first' });
  assert.deepEqual(parse('-sco 42 -ca x-priority=3').consumerArguments, { 'x-priority': 3, 'x-stream-offset': 42 });
  assert.equal(parse('-sco 1970-01-01T00:01:00Z').streamFromSeconds, 60);
  for (const line of ['-ma 5', '-ma P', '-ma PT']) assert.throws(() => parse(line), CliError, line);
});
