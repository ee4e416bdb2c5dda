import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLevel } from './log-entry.ts';
import type { LogTarget } from './log-target.ts';
import { ServerLogger } from './server-logger.ts';

class MemoryTarget implements LogTarget {
  lines: string[] = [];
  readonly calls: string[] = [];

  write(lines: string): void {
    this.lines.push(lines);
  }

  writeLast(lines: string): void {
    this.lines.push(`last: ${lines}`);
  }

  reopen(): void {
    this.calls.push('reopen');
  }

  flush(): Promise<void> {
    this.calls.push('flush');
    return Promise.resolve();
  }

  close(): void {
    this.calls.push('close');
  }
}

function output(level: LogLevel) {
  const target = new MemoryTarget();
  return { name: 'memory', target, level, format: ({ level: each, text }: { level: string; text: string }) => `${each} ${text}` };
}

test('each output gets the entries of its level and above', () => {
  const [talkative, quiet, silent] = [output('debug'), output('warning'), output('none')];
  const logger = new ServerLogger([talkative, quiet, silent]);
  logger.debug('queue', 'a');
  logger.info('queue', 'b');
  logger.warning('queue', 'c');
  logger.error('queue', 'd');
  assert.deepEqual(talkative.target.lines, ['debug a', 'info b', 'warning c', 'error d']);
  assert.deepEqual(quiet.target.lines, ['warning c', 'error d']);
  assert.deepEqual(silent.target.lines, []);
});

test('the level of a category goes before that of the output, in both directions', () => {
  const [quiet, talkative] = [output('error'), output('debug')];
  const logger = new ServerLogger([quiet, talkative]);
  logger.setLevel('info', 'connection');
  logger.setLevel('none', 'channel');
  logger.info('connection', 'accepting');
  logger.debug('connection', 'detail');
  logger.error('channel', 'never');
  logger.info('queue', 'other');
  assert.deepEqual(quiet.target.lines, ['info accepting']);
  assert.deepEqual(talkative.target.lines, ['info accepting', 'info other']);
});

test('levels change while the log is in use', () => {
  const one = output('info');
  const logger = new ServerLogger([one]);
  logger.debug('default', 'a');
  logger.setLevel('debug');
  logger.debug('default', 'b');
  logger.setLevel('error', 'default');
  logger.debug('default', 'c');
  logger.clearLevel('default');
  logger.debug('default', 'd');
  assert.deepEqual(one.target.lines, ['debug b', 'debug d']);
});

test('closing waits for what is written; last words go the short way', async () => {
  const one = output('error');
  const logger = new ServerLogger([one]);
  logger.lastWords('dying');
  logger.reopen();
  await logger.close();
  assert.deepEqual(one.target.lines, ['last: error dying']);
  assert.deepEqual(one.target.calls, ['reopen', 'flush', 'close']);
});
