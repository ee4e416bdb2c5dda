import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, columns, count, duration, frameLines, type Look, perSecond, screenLines } from './screen.ts';

const look: Look = {
  overview: {
    queue_totals: { messages_ready: 1_234_567, messages_unacknowledged: 5 },
    message_stats: { publish_details: { rate: 1234.6 } },
    object_totals: { connections: 2, channels: 3, queues: 100, consumers: 4 },
  },
  node: {
    name: 'rabbit@host',
    uptime: 90_061_000,
    mem_used: 1024 ** 3,
    mem_limit: 2 * 1024 ** 3,
    mem_alarm: true,
    disk_free: 5e9,
    fd_used: 30,
    fd_total: 1024,
    running: true,
  },
  items: Array.from({ length: 50 }, (_, index) => ({
    name: index === 0 ? `evil\u001b[2J\n${'x'.repeat(200)}` : `queue ${index}`,
    vhost: '/',
    messages: index,
    consumers: 1,
    state: 'running',
    message_stats: { publish_details: { rate: 0.5 } },
  })),
  total: 100,
};

test('the screen is as large as the terminal, whatever is in it', () => {
  for (const [width, height] of [
    [80, 24],
    [120, 40],
    [200, 60],
    [20, 10],
    [1, 1],
  ] as const) {
    for (const view of ['queues', 'connections'] as const) {
      const lines = screenLines(look, { view, sort: 'messages', isReverse: true, offset: 0, width, height, notice: '' });
      assert.equal(lines.length, Math.max(height, frameLines));
      for (const line of lines) {
        assert.ok(line.length <= width, `${width}: ${line}`);
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    }
  }
});

test('it shows totals, rates, alarms and which column sorts', () => {
  const text = screenLines(look, { view: 'queues', sort: 'messages', isReverse: true, offset: 0, width: 120, height: 20, notice: '' }).join(
    '\n',
  );
  for (const part of [
    'rabbit@host  up 1d 01:01:01',
    'MEMORY ALARM',
    'memory 1.0 GiB of 2.0 GiB',
    'publish 1235/s',
    'ready 1235k',
    'TOTAL▾',
    '1 to 13 of 100',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(
    screenLines(look, { view: 'queues', sort: 'name', isReverse: false, offset: 0, width: 120, height: 20, notice: 'gone' })
      .at(-1)
      ?.startsWith('gone'),
  );
});

test('no two columns of a view sort by the same key', () => {
  for (const list of Object.values(columns)) assert.equal(new Set(list.map(({ hotkey }) => hotkey)).size, list.length);
});

test('figures are short', () => {
  assert.deepEqual([count(0), count(99_999), count(100_000), count(12_345_678), count(Number.NaN)], ['0', '99999', '100k', '12.3M', '-']);
  assert.deepEqual([perSecond(0), perSecond(0.25), perSecond(9.99), perSecond(10)], ['0', '0.3', '10.0', '10']);
  assert.deepEqual([bytes(0), bytes(1023), bytes(1024), bytes(1.5 * 1024 ** 4)], ['-', '1023 B', '1.0 KiB', '1.5 TiB']);
  assert.deepEqual([duration(59), duration(86_400), duration(Number.NaN)], ['00:00:59', '1d 00:00:00', '-']);
});
