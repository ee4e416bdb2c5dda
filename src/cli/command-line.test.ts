import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from './cli-error.ts';
import { commandAt, parseCommandLine } from './command-line.ts';

const set = { options: ['priority', 'apply-to', 'if-empty', 'id'], shorts: { e: 'if-empty' } };

function parse(text: string): { words: readonly string[]; options: Record<string, string> } {
  const { words, options } = parseCommandLine(text.split(' '), set);
  return { words, options: Object.fromEntries(options) };
}

test('options stand anywhere, long and short, with blank or equals sign', () => {
  assert.deepEqual(parse('-n rabbit@host set_policy --priority 5 -p shop name .* {} --apply-to=queues -q'), {
    words: ['set_policy', 'name', '.*', '{}'],
    options: { node: 'rabbit@host', priority: '5', vhost: 'shop', 'apply-to': 'queues', quiet: 'true' },
  });
  assert.deepEqual(parse('delete_queue q -e').options, { 'if-empty': 'true' });
  assert.deepEqual(parse('x --no_table_headers').options, { 'no-table-headers': 'true' });
});

test('behind -- nothing is an option, and neither is a dash or a negative number', () => {
  assert.deepEqual(parse('publish -- -p --q').words, ['publish', '-p', '--q']);
  assert.deepEqual(parse('export_definitions -').words, ['export_definitions', '-']);
  assert.deepEqual(parse('set -1').words, ['set', '-1']);
});

test('an option that may be given again keeps all its values, any other the last', () => {
  assert.equal(parse('m --id a --id b').options['id'], 'a\nb');
  assert.equal(parse('m --apply-to a --apply-to b').options['apply-to'], 'b');
});

test('unknown options, options of other commands, missing values and numbers that are none are refused', () => {
  for (const line of ['x --nosuch', 'x -Z', 'x --queue-timeout 5', 'x --priority', 'x --priority five', 'x --priority 1.5']) {
    assert.throws(
      () => parse(line),
      (error: unknown) =>
        error instanceof CliError && error.exitCode === 64 && error.message.startsWith('Invalid options for this command:'),
      line,
    );
  }
});

test("the command is the first word that is no option and no option's value", () => {
  const at = (text: string): number => commandAt(text.split(' '));
  assert.equal(at('list_queues'), 0);
  assert.equal(at('-n rabbit@host --formatter json -q list_queues name'), 5);
  assert.equal(at('--formatter=json list_queues'), 1);
  assert.equal(at('-q -s'), -1);
});
