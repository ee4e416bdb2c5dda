import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf as of, load, problemsOf } from '../../../../test/support/config-texts.ts';

test('the log goes to the console, as text, from info on', () => {
  const { log } = of('');
  assert.deepEqual(log, {
    console: { level: 'info', format: 'plaintext', stream: 'stdout', useColors: true },
    file: null,
    exchange: null,
    categories: [],
  });
});

test('log.file names a file below log.dir, the data directory’s log by default', () => {
  const path = (conf: string, ...argv: string[]) => load({ conf, argv }).config.log.file?.path;
  assert.equal(path('log.file = x.log'), 'data/log/x.log');
  assert.equal(path('log.file = x.log\nlog.dir = /logs'), '/logs/x.log');
  assert.equal(path('log.file = /abs/x.log\nlog.dir = /logs'), '/abs/x.log');
  assert.equal(path('log.file = true'), 'data/log/rabbit@localhost.log');
  assert.equal(path('log.file = x.log', '--in-memory'), 'x.log');
  assert.equal(path('log.file = false\nlog.file.level = debug'), undefined);
  assert.equal(path('log.dir = /logs'), undefined);
});

test('a key of the file switches it on', () => {
  assert.deepEqual(
    of(
      'log.file.level = debug\nlog.file.formatter = json\nlog.file.rotation.size = 10MiB\nlog.file.rotation.date = $D0\nlog.file.rotation.count = 5\nlog.file.rotation.compress = true',
    ).log.file,
    {
      path: 'data/log/rabbit@localhost.log',
      level: 'debug',
      format: 'json',
      rotation: { bytesMax: 10_485_760, schedule: '$D0', count: 5, compress: true },
    },
  );
});

test('categories have levels, the exchange output too', () => {
  const { log } = of(
    'log.console = false\nlog.connection.level = debug\nlog.default.level = none\nlog.exchange = true\nlog.exchange.level = error',
  );
  assert.equal(log.console, null);
  assert.deepEqual(log.categories, [
    { category: 'connection', level: 'debug' },
    { category: 'default', level: 'none' },
  ]);
  assert.deepEqual(log.exchange, { level: 'error', format: 'plaintext' });
  assert.match(
    problemsOf('log.conection.level = debug')[0] ?? '',
    /^1: log\.conection\.level: there is no such log category; there are connection, channel/,
  );
});
