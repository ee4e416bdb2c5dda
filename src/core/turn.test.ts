import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, ManualScheduler } from '../../test/support/fake-clock.ts';
import { TimerQueue } from '../base/timer-queue.ts';
import { ConfirmLedger } from './confirm-ledger.ts';
import { limits } from './limits.ts';
import { volatileLog } from './ports/commit-log.ts';
import { Turn } from './turn.ts';

test('a poll is long from so many milliseconds after its first input on, until every socket was looked at', () => {
  const clock = new FakeClock();
  const scheduler = new ManualScheduler();
  const turn = new Turn(clock, scheduler, new TimerQueue(), new ConfirmLedger(volatileLog));
  const read = (): void => {
    turn.begin();
    turn.ingested(limits.turnIngestBytes);
  };
  for (let poll = 0; poll < 2; poll++) {
    clock.advance(1000);
    read();
    assert.equal(turn.isPollLong, false, 'no input, however long there was none, is no long poll');
    clock.advance(limits.pollMillis - 0.1);
    read();
    assert.equal(turn.isPollLong, false);
    clock.advance(0.1);
    read();
    assert.equal(turn.isPollLong, true);
    assert.equal(scheduler.runTurn(), true);
    assert.equal(turn.isPollLong, false);
  }
});
