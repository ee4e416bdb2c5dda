import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from './limits.ts';
import { allAtOnce, SteppedWork, type Steps } from './stepped-work.ts';

class Polls {
  #waiting: (() => void)[] = [];

  afterPoll(act: () => void): void {
    this.#waiting.push(act);
  }

  /** All sockets were looked at; false when nobody waited for that. */
  next(): boolean {
    const acts = this.#waiting.splice(0);
    for (const act of acts) act();
    return acts.length > 0;
  }
}

function* counting(steps: number, log: string[], name: string, cost = 1): Steps<string> {
  for (let i = 0; i < steps; i++) {
    log.push(name);
    yield cost;
  }
  return name;
}

interface Made {
  readonly works: SteppedWork;
  readonly polls: Polls;
  readonly log: string[];
  readonly done: string[];
  readonly time: { millis: number };
  start(steps: number, name: string): void;
}

function make(): Made {
  const time = { millis: 0 };
  const polls = new Polls();
  const works = new SteppedWork(polls, () => time.millis);
  const [log, done]: [string[], string[]] = [[], []];
  const start = (steps: number, name: string): void =>
    works.start(
      counting(steps, log, name),
      result => void done.push(result),
      error => assert.fail(error as Error),
    );
  return { works, polls, log, done, time, start };
}

describe('stepped work', () => {
  test('is done at once when it is small, up to what a poll allows', () => {
    const { works, polls, done, start } = make();
    start(limits.turnWork - 1, 'a');
    assert.deepEqual([done, works.count], [['a'], 0]);
    polls.next();
    start(limits.turnWork, 'b');
    assert.deepEqual([done, works.count], [['a'], 1]);
    polls.next();
    assert.deepEqual([done, works.count], [['a', 'b'], 0]);
  });

  test('does between two polls what it may, and no more', () => {
    const { polls, log, done, start } = make();
    start(3 * limits.turnWork + 1, 'a');
    const perPoll = [log.length];
    while (done.length === 0) {
      const before = log.length;
      assert.ok(polls.next());
      perPoll.push(log.length - before);
    }
    assert.deepEqual(perPoll, [limits.turnWork, limits.turnWork, limits.turnWork, 1]);
    polls.next();
    assert.equal(polls.next(), false, 'nothing is left to wake up for');
  });

  test('ends for this time when its steps take longer than they said', () => {
    const { works, polls, time } = make();
    let count = 0;
    function* slow(): Steps {
      for (; count < 1000; count++) {
        time.millis += 0.05;
        yield 1;
      }
    }
    works.start(
      slow(),
      () => {},
      error => assert.fail(error as Error),
    );
    const perPoll = [count];
    for (let before = count; works.count > 0; before = count) {
      assert.ok(polls.next());
      perPoll.push(count - before);
    }
    const [first = 0] = perPoll;
    assert.ok(first * 0.05 >= limits.turnWorkMillis && first * 0.05 < limits.turnWorkMillis + 2, `${first} steps`);
    assert.ok(perPoll.every(steps => steps * 0.05 < limits.turnWorkMillis + 2));
  });

  test('lets works take turns, so that small ones do not wait for large ones', () => {
    const { works, polls, log, done, start } = make();
    start(10 * limits.turnWork, 'large');
    start(100, 'small');
    assert.deepEqual(done, ['small'], 'the share of who comes is enough');
    start(limits.turnWork, 'other');
    for (let i = 0; i < 3; i++) polls.next();
    assert.deepEqual(done, ['small', 'other']);
    assert.equal(works.count, 1);
    const before = log.length;
    polls.next();
    assert.equal(log.length - before, limits.turnWork);
  });

  test('gives each of very many works their share sometime', () => {
    const { works, polls, done, start } = make();
    for (let i = 0; i < 100; i++) start(limits.turnWork, `work ${i}`);
    let count = 0;
    for (; works.count > 0; count++) assert.ok(polls.next());
    assert.equal(new Set(done).size, 100);
    assert.ok(count <= 110, `${count} polls`);
  });

  test('tells of a step that fails, which ends that work and no other', () => {
    const { works, polls, done, start } = make();
    const failures: unknown[] = [];
    function* failing(): Steps {
      yield limits.turnWork;
      throw new Error('no more');
    }
    works.start(
      failing(),
      () => assert.fail('it is not done'),
      error => failures.push((error as Error).message),
    );
    start(limits.turnWork, 'other');
    while (works.count > 0) polls.next();
    assert.deepEqual([failures, done], [['no more'], ['other']]);
  });

  test('what is begun by the end of another is not forgotten', async () => {
    const { works, polls } = make();
    const log: string[] = [];
    const both = works.run(counting(limits.turnWork + 1, log, 'a')).then(name => works.run(counting(limits.turnWork + 1, log, `${name}b`)));
    for (let i = 0; i < 10; i++) {
      polls.next();
      await Promise.resolve();
    }
    assert.equal(await both, 'ab');
    assert.equal(log.length, 2 * limits.turnWork + 2);
  });

  test('can be done all at once', () => {
    const log: string[] = [];
    assert.equal(allAtOnce(counting(10_000, log, 'a')), 'a');
    assert.equal(log.length, 10_000);
  });
});
