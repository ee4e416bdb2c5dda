import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBlock, interfaceAddress, ipAddress, listenAddress, port } from './value-address.ts';
import {
  boolean,
  decimal,
  integer,
  listOf,
  meaning,
  Mismatch,
  oneOf,
  orInfinity,
  orNone,
  secret,
  someText,
  text,
  type ValueType,
} from './value-type.ts';
import { byteSize, informationUnits, milliseconds, TIMER_MILLIS_MAX } from './value-units.ts';

/** What a type makes of texts; 'no' where it refuses. */
function readAll<T>(type: ValueType<T>, ...texts: string[]): (T | 'no')[] {
  return texts.map(value => {
    const parsed = type.parse(value);
    return parsed instanceof Mismatch ? 'no' : parsed;
  });
}

function refuses(type: ValueType<unknown>, ...texts: string[]): void {
  for (const value of texts) assert.ok(type.parse(value) instanceof Mismatch, JSON.stringify(value));
}

test('booleans are true, false, on, off, yes and no, in any case', () => {
  assert.deepEqual(readAll(boolean, 'true', 'on', 'yes', 'TRUE', 'On'), [true, true, true, true, true]);
  assert.deepEqual(readAll(boolean, 'false', 'off', 'no', 'False'), [false, false, false, false]);
  refuses(boolean, '', '1', '0', 'tru', 'enabled', ' true');
});

test('integers are decimal, with an optional sign and leading zeros, and within their range', () => {
  assert.deepEqual(readAll(integer(-5, 100), '1', '+1', '01', '-5', '100', '0'), [1, 1, 1, -5, 100, 0]);
  refuses(integer(-5, 100), '', '-6', '101', '1.0', '1e1', '0x10', '1_000', ' 1', '1 ', '１', 'NaN', 'Infinity', '99999999999999999999');
  assert.equal(integer(0, 65535).label, 'an integer from 0 to 65535');
  assert.equal(integer(1).label, 'an integer, 1 or more');
  assert.deepEqual(readAll(integer(0), '9007199254740991', '9007199254740992'), [9_007_199_254_740_991, 'no']);
});

test('decimals may leave the fraction out', () => {
  assert.deepEqual(readAll(decimal(0), '0.4', '1', '2.0', '0'), [0.4, 1, 2, 0]);
  refuses(decimal(0), '', '.4', '1.', '-0.1', '1e2', '0,4', 'NaN', '40%');
});

test('infinity and none are words of their own', () => {
  assert.deepEqual(readAll(orInfinity(integer(1)), 'infinity', '7', '0', 'Infinity'), [Number.POSITIVE_INFINITY, 7, 'no', 'no']);
  assert.deepEqual(readAll(orNone(someText), 'none', 'x', ''), [null, 'x', 'no']);
});

test('words are taken exactly', () => {
  assert.deepEqual(readAll(oneOf('verify_none', 'verify_peer'), 'verify_peer', 'VERIFY_PEER', ''), ['verify_peer', 'no', 'no']);
  assert.equal(oneOf('a', 'b').label, 'one of a, b');
  assert.deepEqual(readAll(meaning({ internal: 1, rabbit_auth_backend_internal: 1 }), 'rabbit_auth_backend_internal', 'x'), [1, 'no']);
  refuses(meaning({ a: 1 }), '__proto__', 'constructor', 'toString');
});

test('lists are separated by commas, and every item counts', () => {
  assert.deepEqual(readAll(listOf(integer(0)), '1, 2,3', '1', '1,x', '1,,2'), [[1, 2, 3], [1], 'no', 'no']);
  refuses(listOf(text), ','.repeat(1000));
});

test('a secret is any text and prints as ***', () => {
  const parsed = secret.parse('C4NARY');
  assert.ok(!(parsed instanceof Mismatch));
  assert.equal(parsed.reveal(), 'C4NARY');
  assert.equal(String(parsed), '***');
});

// The numbers are what RabbitMQ's own functions gave for these texts.
test('information units of alarms: kB, MB, GB are of 1000s, the others of 1024s', () => {
  const type = informationUnits(0);
  const texts = [
    '1',
    '1k',
    '1K',
    '1kb',
    '1kB',
    '1KB',
    '1kib',
    '1KiB',
    '1M',
    '1m',
    '1MB',
    '1mb',
    '1MiB',
    '1G',
    '1GB',
    '1GiB',
    '1Gi',
    '1TB',
    '1TiB',
    '2PB',
  ];
  assert.deepEqual(
    readAll(type, ...texts),
    [
      1, 1024, 1024, 1000, 1000, 1000, 1024, 1024, 1_048_576, 1_048_576, 1_000_000, 1_000_000, 1_048_576, 1_073_741_824, 1_000_000_000,
      1_073_741_824, 1_073_741_824, 1_000_000_000_000, 1_099_511_627_776, 2_000_000_000_000_000,
    ],
  );
  refuses(type, '', '1.5GB', '1 GB', '-1', 'GB', '1B', '1iB', '1XB', '50MBs', '9999999999999999PB', '1e3');
  assert.deepEqual(readAll(informationUnits(10, 20), '9', '10', '20', '21'), ['no', 10, 20, 'no']);
});

test('sizes of frames: KB, MB, GB are of 1024s', () => {
  const type = byteSize(0, 2 ** 31);
  assert.deepEqual(
    readAll(type, '131072', '128kb', '128KB', '1mb', '1MB', '1GB', '1MiB', '1M'),
    [131_072, 131_072, 131_072, 1_048_576, 1_048_576, 1_073_741_824, 1_048_576, 1_048_576],
  );
  refuses(type, '', '4GB', '1.5MB', '-1', 'x');
});

test('times are milliseconds, or have units', () => {
  const type = milliseconds(0);
  assert.deepEqual(
    readAll(type, '10000', '0', '10s', '10ms', '1h30m', '1.5s', '1d', '2w', '1S', '0.5ms'),
    [10_000, 0, 10_000, 10, 5_400_000, 1500, 86_400_000, 1_209_600_000, 1000, 1],
  );
  refuses(type, '', '10 s', '1x', 's', '-1', '1.5', '1h 30m', '1'.repeat(50), `${'1s'.repeat(21)}`);
});

test('a time may be a year, unless a timer has to wait for it', () => {
  assert.deepEqual(readAll(milliseconds(1), '31622400000', '366d', '0'), [31_622_400_000, 31_622_400_000, 'no']);
  assert.deepEqual(readAll(milliseconds(1, TIMER_MILLIS_MAX), '2147483647', '2147483648'), [2_147_483_647, 'no']);
});

test('ports are from 0 to 65535', () => {
  assert.deepEqual(readAll(port, '0', '5672', '65535', '05672'), [0, 5672, 65_535, 5672]);
  refuses(port, '', '-1', '65536', '5672.0', 'amqp', '+1', 'tcp://10.0.0.1:5672');
});

test('addresses are IP addresses, and any is every interface', () => {
  assert.deepEqual(readAll(ipAddress, '127.0.0.1', '::1', 'fe80::1%eth0'), ['127.0.0.1', '::1', 'fe80::1%eth0']);
  refuses(ipAddress, '', 'localhost', '127.0.0', '1.2.3.4:5', '[::1]');
  assert.deepEqual(readAll(interfaceAddress, 'any', '10.0.0.1', 'all'), [null, '10.0.0.1', 'no']);
});

test('listeners are a port, an address with a port, or a unix socket', () => {
  const at = (host: string | null, listenPort: number) => ({ host, port: listenPort, socketPath: null });
  assert.deepEqual(
    readAll(listenAddress, '5672', '127.0.0.1:5672', '0.0.0.0:0', '::1:5672', ':::5672', '[::1]:5672', 'fe80::2acf:e9ff:fe17:f97b:5672'),
    [
      at(null, 5672),
      at('127.0.0.1', 5672),
      at('0.0.0.0', 0),
      at('::1', 5672),
      at('::', 5672),
      at('::1', 5672),
      at('fe80::2acf:e9ff:fe17:f97b', 5672),
    ],
  );
  assert.deepEqual(readAll(listenAddress, 'unix:/run/rabbit mq.sock:0', 'local:/run/x.sock:0'), [
    { host: null, port: 0, socketPath: '/run/rabbit mq.sock' },
    { host: null, port: 0, socketPath: '/run/x.sock' },
  ]);
  refuses(
    listenAddress,
    '',
    '70000',
    '1.2.3.4',
    '1.2.3.4:70000',
    'localhost:5672',
    ':5672',
    '1.2.3.4:',
    'unix:run.sock:0',
    'unix:/run.sock:1',
    `unix:/${'x'.repeat(107)}:0`,
    'none',
  );
});

test('blocks of addresses have a prefix, or are one address', () => {
  assert.deepEqual(readAll(addressBlock, '10.0.0.0/8', '::1', '1.2.3.4', 'fc00::/7', '0.0.0.0/0'), [
    { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' },
    { address: '::1', prefixBits: 128, family: 'ipv6' },
    { address: '1.2.3.4', prefixBits: 32, family: 'ipv4' },
    { address: 'fc00::', prefixBits: 7, family: 'ipv6' },
    { address: '0.0.0.0', prefixBits: 0, family: 'ipv4' },
  ]);
  refuses(addressBlock, '', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', 'x/8', '10.0.0/8', 'fe80::1%eth0/64');
});
