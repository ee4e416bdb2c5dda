import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeSocket, type Ticks } from '../../test/support/fake-socket.ts';
import { volatileLog } from '../core/ports/commit-log.ts';
import { answersBytesMax, fullReadBytes, Intake, workMax } from './intake.ts';
import { Link } from './link.ts';

const facts = {
  peerHost: '127.0.0.1',
  peerPort: 40_000,
  host: '127.0.0.1',
  port: 5672,
  isTls: false,
  isWebSocket: false,
  tls: null,
  peerCertificate: null,
};

interface Bench {
  readonly clock: FakeClock;
  readonly socket: FakeSocket;
  readonly link: Link;
  readonly intake: Intake;
  isRead(): boolean;
  run(): void;
}

function setUp(kernelBytesMax = Infinity): Bench {
  const ticks: Ticks = [];
  const clock = new FakeClock();
  const socket = new FakeSocket(ticks, { kernelBytesMax });
  const link = new Link(socket, facts, 1000);
  const intake = new Intake(link, clock);
  link.start({
    isTakingLarge: false,
    onBytes: () => intake.received(),
    onClosed: () => {},
    onDrained: () => intake.drained(),
    onUnsent: () => {},
  });
  const run = (): void => {
    for (let tick = ticks.shift(); tick !== undefined; tick = ticks.shift()) tick();
  };
  return { clock, socket, link, intake, isRead: () => !socket.isPaused, run };
}

/** Reasons not to read, each with how it begins and ends and whether what was read has to wait, too. */
const reasons: [name: string, begin: (bench: Bench) => void, end: (bench: Bench) => void, stops: boolean][] = [
  ['a queue', ({ intake }) => intake.hold(), ({ intake }) => intake.release(), false],
  ['a login', ({ intake }) => intake.holdForLogin(), ({ intake }) => intake.releaseAfterLogin(), true],
  [
    'an alarm',
    ({ intake }) => {
      intake.publishes(true);
      assert.equal(intake.block(), true);
    },
    ({ intake }) => intake.unblock(),
    true,
  ],
  [
    'answers that nobody reads',
    ({ intake, link }) => {
      link.outbox.append(Buffer.alloc(2000));
      link.outbox.flush();
      intake.answering(answersBytesMax + 1);
    },
    ({ socket, run }) => {
      while (socket.read().length > 0) run();
    },
    true,
  ],
];

for (const [name, begin, end, stops] of reasons) {
  test(`${name}: the client is not read until it is over${stops ? ', and what was read waits' : '; what was read is acted on'}`, () => {
    const bench = setUp(1000);
    begin(bench);
    assert.equal(bench.isRead(), false);
    assert.equal(bench.intake.isStopped, stops);
    end(bench);
    assert.equal(bench.isRead(), true);
    assert.equal(bench.intake.isStopped, false);
  });
}

test('with several reasons the client is read again when the last is over, in every order', () => {
  for (const first of reasons)
    for (const second of reasons) {
      if (first === second) continue;
      const bench = setUp(1000);
      first[1](bench);
      second[1](bench);
      assert.equal(bench.isRead(), false);
      first[2](bench);
      assert.equal(bench.isRead(), false, `${first[0]} is over, ${second[0]} is not`);
      assert.equal(bench.intake.isStopped, second[3]);
      second[2](bench);
      assert.equal(bench.isRead(), true);
    }
});

test('two queues hold the client until both let go', () => {
  const { intake, isRead } = setUp();
  intake.hold();
  intake.hold();
  intake.release();
  assert.equal(isRead(), false);
  intake.release();
  assert.equal(isRead(), true);
});

test('the log holds the client once, however often it is found behind, until it has caught up', () => {
  const { intake, isRead } = setUp();
  const waiting: (() => void)[] = [];
  const log = { ...volatileLog, onCaughtUp: (callback: () => void): number => waiting.push(callback) };
  for (let time = 0; time < 2; time++) {
    intake.holdForDisk(log);
    intake.holdForDisk(log);
    assert.equal(waiting.length, 1);
    assert.equal(isRead(), false);
    assert.equal(intake.isStopped, false);
    waiting.pop()?.();
    assert.equal(isRead(), true);
  }
});

test('an alarm is news to who has published, once, and stops the next publish', () => {
  const { intake, isRead } = setUp();
  assert.equal(intake.block(), false);
  intake.publishes(false);
  assert.equal(intake.block(), true);
  assert.equal(intake.isBlocked, true);
  assert.equal(intake.block(), false);
  assert.equal(isRead(), true);
  intake.publishes(true);
  assert.equal(isRead(), false);
  intake.unblock();
  assert.equal(intake.isBlocked, false);
  assert.equal(isRead(), true);
  assert.equal(intake.block(), true);
});

test('64 KiB of answers may wait behind a full outbox, one byte more and the client is not read', () => {
  const { intake, link, isRead } = setUp(0);
  intake.answering(answersBytesMax * 2);
  assert.equal(isRead(), true, 'the outbox has room');
  link.outbox.append(Buffer.alloc(2000));
  link.outbox.flush();
  intake.answering(answersBytesMax);
  assert.equal(isRead(), true);
  intake.answering(1);
  assert.equal(isRead(), false);
  intake.drained();
  assert.equal(isRead(), true);
  intake.answering(answersBytesMax);
  assert.equal(isRead(), true, 'the count began anew');
});

test('so much work is done for a client at a time, then the others are read first', () => {
  const { intake, isRead } = setUp();
  const waiting: (() => void)[] = [];
  const watch = { isPollLong: false, afterPoll: (act: () => void): number => waiting.push(act) };
  for (let time = 0; time < 2; time++) {
    for (let count = 1; count < workMax; count++) intake.worked(1, watch);
    assert.equal(isRead(), true);
    intake.worked(1, watch);
    assert.equal(isRead(), false);
    assert.equal(intake.isStopped, true);
    intake.worked(workMax, watch);
    assert.equal(waiting.length, 1);
    waiting.pop()?.();
    assert.equal(isRead(), true);
    assert.equal(intake.isStopped, false);
  }
});

test('what could not be acted on comes again, first, when reading goes on', () => {
  const { intake, socket, link, run } = setUp();
  const seen: string[] = [];
  link.start({
    isTakingLarge: false,
    onBytes(buffer, start, end) {
      intake.received();
      const at = intake.isStopped ? start : Math.min(end, start + 2);
      seen.push(buffer.toString('latin1', start, at));
      if (seen.length === 1) intake.holdForLogin();
      intake.giveBack(buffer, at, end);
    },
    onClosed: () => {},
    onDrained: () => {},
    onUnsent: () => {},
  });
  socket.receive(Buffer.from('abcd'));
  socket.receive(Buffer.from('ef'));
  run();
  assert.deepEqual(seen, ['ab']);
  assert.equal(link.receivedBytes, 2);
  intake.releaseAfterLogin();
  run();
  assert.deepEqual(seen, ['ab', 'cd', 'ef']);
  assert.equal(link.receivedBytes, 6);
});

test('silence counts from the last bytes or from when reading began again, and not while nothing is read', () => {
  const { intake, clock, socket } = setUp();
  const after = (millis: number): boolean => {
    clock.advance(millis);
    clock.refresh();
    return intake.isSilent(clock.nowMillis, 100);
  };
  assert.equal(after(100), false);
  assert.equal(after(1), true);
  socket.receive(Buffer.from('x'));
  assert.equal(after(100), false);
  intake.hold();
  assert.equal(after(1000), false);
  intake.release();
  assert.equal(after(100), false);
  assert.equal(after(1), true);
});

test('when input was acted on for long whoever fills a read waits until the others were looked at, and what it sent is acted on', () => {
  const { intake, isRead } = setUp();
  const waiting: (() => void)[] = [];
  const watch = { isPollLong: false, afterPoll: (act: () => void): number => waiting.push(act) };
  intake.hasRead(100 * fullReadBytes, watch);
  assert.equal(isRead(), true, 'it was not long yet');
  watch.isPollLong = true;
  intake.hasRead(fullReadBytes - 1, watch);
  assert.equal(isRead(), true, 'nothing is left of what it sent');
  for (let time = 0; time < 2; time++) {
    intake.hasRead(fullReadBytes, watch);
    intake.hasRead(fullReadBytes, watch);
    assert.equal(isRead(), false);
    assert.equal(intake.isStopped, false);
    assert.equal(waiting.length, 1);
    waiting.pop()?.();
    assert.equal(isRead(), true);
  }
});
