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
  assert.deepEqual([full.queue, full.routingKey, full.sizeBytes, full.rate, full.confirm, full.prefetch], ['q', 'key', 1000, 50, 100, 10]);
  assert.deepEqual(
    [full.isAutoAck, full.multiAckEvery, full.isPersistent, full.isMandatory, full.isAutoDelete],
    [true, 7, true, true, false],
  );
  assert.deepEqual([full.seconds, full.producerMessages, full.consumerMessages, full.id], [30, 9, 8, 't']);
});

test('a flag with an optional value does not take the next option for one', () => {
  const options = parse('-ad -u q');
  assert.deepEqual([options.isAutoDelete, options.queue], [true, 'q']);
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

test('help has every option that has an effect', () => {
  const help = perfHelp('warrenctl');
  for (const { long, description } of perfSpecs) assert.equal(help.includes(`--${long}`), !description.startsWith('accepted'), long);
  assert.equal(parsePerfOptions(['--help'], ''), 'help');
});
