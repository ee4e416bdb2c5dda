// The same command lines, one after the other, that were given to RabbitMQ 3.10.8's tools: output, errors and exit codes are compared.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { Cli } from './cli.ts';
import { knownDifferences, supersets } from './known-differences.ts';

const directory = join(dirname(fileURLToPath(import.meta.url)), 'recorded');

interface Step {
  readonly line: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const steps = JSON.parse(readFileSync(join(directory, 'rabbitmqctl-3.10.8.json'), 'utf8')) as Step[];

/** Words of a command line; "quoted" is one. */
function words(line: string): string[] {
  return Array.from(line.matchAll(/"([^"]*)"(?=\s|$)|(\S+)/g), match => match[1] ?? match[2] ?? '');
}

/** Rows come in no order from RabbitMQ, and sorted from us; separators of JSON go with their place. */
function inOrder(text: string): string[] {
  return text
    .split('\n')
    .map(line =>
      line
        .replace(/^,(?=\{)/, '')
        .trimEnd()
        .replaceAll('\t', '\\t'),
    )
    .filter(line => line !== '')
    .sort();
}

test('command lines are answered as RabbitMQ 3.10.8 answered them', async t => {
  const warren = await WarrenProcess.start(t, { conf: 'management.tcp.port = 0\nlisteners.tcp.1 = 127.0.0.1:0\nprometheus.tcp.port = 0' });
  const cli = new Cli(temporaryDirectory(t), { WARREN_DATA_DIR: String(warren.dataDir) });
  const definitions = join(directory, 'definitions.json');
  const node = JSON.parse((await cli.ctl('cluster_status', '--formatter', 'json')).stdout) as { disk_nodes: string[] };
  const normalised = (text: string): string =>
    text
      .replaceAll(node.disk_nodes[0] as string, 'NODE')
      .replaceAll(definitions, 'DEFINITIONS')
      .replaceAll(String(warren.port), 'PORT')
      .replace(/Arguments given:\n.*\n/, '')
      .replace(/Usage\n[\s\S]*$/, '')
      .replace(/(?:following ports: ).*/, 'following ports: PORTS')
      .replace(/(?:following protocols: ).*/, 'following protocols: PROTOCOLS')
      .replace(/rabbitmq-cluster-id-[\w-]+/, 'CLUSTER')
      .trim();
  const wrong: unknown[] = [];
  for (const step of steps) {
    const [program = '', ...args] = words(step.line).map(word =>
      word === 'DEFINITIONS' ? definitions : word === 'PORT' ? String(warren.port) : word,
    );
    const result = await cli.run(program, args);
    const expected = { ...step, ...knownDifferences[step.line] };
    const wanted = { code: expected.code, stdout: inOrder(normalised(expected.stdout)), stderr: normalised(expected.stderr) };
    const stdout = inOrder(normalised(result.stdout));
    const given = {
      code: result.code,
      stdout: supersets.includes(step.line) ? wanted.stdout.filter(line => stdout.includes(line)) : stdout,
      stderr: normalised(result.stderr),
    };
    if (!isDeepStrictEqual(given, wanted)) wrong.push({ line: step.line, given, wanted });
  }
  assert.deepEqual(wrong, []);
});

test('every known difference is about a command line that is played', () => {
  const lines = steps.map(({ line }) => line);
  assert.deepEqual(
    Object.keys(knownDifferences).filter(line => !lines.includes(line)),
    [],
  );
});
