import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine, USAGE } from './command-line.ts';
import { ConfigError } from './config-error.ts';

const NOTHING = {
  action: 'start',
  config: null,
  dataDir: null,
  inMemory: false,
  port: null,
  host: undefined,
  printUrl: false,
  watchDefinitions: null,
  seed: null,
};

test('no argument asks for nothing special', () => {
  assert.deepEqual(parseCommandLine([]), NOTHING);
});

test('every option is read, its value as the next argument or after an equals sign', () => {
  const expected = { ...NOTHING, config: 'f.conf', dataDir: '/d', port: 0, host: '::1', printUrl: true };
  assert.deepEqual(parseCommandLine(['--config', 'f.conf', '--data-dir', '/d', '--port', '0', '--host', '::1', '--print-url']), expected);
  assert.deepEqual(parseCommandLine(['--config=f.conf', '--data-dir=/d', '--port=0', '--host=[::1]', '--print-url']), expected);
  assert.deepEqual(parseCommandLine(['--in-memory']), { ...NOTHING, inMemory: true });
  assert.equal(parseCommandLine(['--config=a=b']).config, 'a=b');
  assert.equal(parseCommandLine(['--watch-definitions', 'd.json']).watchDefinitions, 'd.json');
});

test('a value may begin with one dash, and the last of repeated options counts', () => {
  assert.equal(parseCommandLine(['--data-dir', '-d']).dataDir, '-d');
  assert.equal(parseCommandLine(['--port', '1', '--port', '2']).port, 2);
});

test('hosts are addresses, localhost, or any', () => {
  assert.equal(parseCommandLine(['--host', 'localhost']).host, '127.0.0.1');
  assert.equal(parseCommandLine(['--host', '0.0.0.0']).host, '0.0.0.0');
  assert.equal(parseCommandLine(['--host', 'any']).host, null);
});

test('help and version are actions, help before version', () => {
  assert.equal(parseCommandLine(['--version']).action, 'version');
  assert.equal(parseCommandLine(['--help']).action, 'help');
  assert.equal(parseCommandLine(['-h']).action, 'help');
  assert.equal(parseCommandLine(['--help', '--version']).action, 'help');
});

const REFUSED: readonly [argv: string[], problem: string][] = [
  [['--prot', '5672'], 'there is no option --prot'],
  [['--prot=5672'], 'there is no option --prot'],
  [['-p'], 'there is no option -p'],
  [['start'], 'unexpected argument "start"'],
  [[''], 'unexpected argument ""'],
  [['--config'], '--config needs a value'],
  [['--config='], '--config needs a value'],
  [['--config', '--port', '1'], '--config needs a value'],
  [['--port', 'amqp'], '--port amqp: expected a port from 0 to 65535'],
  [['--port', '65536'], '--port 65536: expected a port from 0 to 65535'],
  [['--port', '-1'], '--port -1: expected a port from 0 to 65535'],
  [['--host', 'example.com'], '--host example.com: expected an IP address, localhost or any'],
  [['--print-url=yes'], '--print-url takes no value'],
  [['--in-memory', '--data-dir', 'd'], '--in-memory and --data-dir exclude each other'],
  [['--\u001b[2J'], 'there is no option --\\u001b[2J'],
];

for (const [argv, problem] of REFUSED) {
  test(`${JSON.stringify(argv)} is refused with the usage and exit code 64`, () => {
    assert.throws(
      () => parseCommandLine(argv),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.problems, [problem]);
        assert.equal(error.exitCode, 64);
        assert.ok(error.message.startsWith(`${problem}\n\nUsage: warren`));
        assert.ok(error.message.endsWith(USAGE.trimEnd()));
        return true;
      },
    );
  });
}
