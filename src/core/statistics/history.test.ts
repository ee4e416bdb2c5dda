import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Columns, History } from './history.ts';
import { retentions } from './retention.ts';
import { Series } from './series.ts';

describe('a series', () => {
  test('keeps nothing while the value stays what it was', () => {
    const series = new Series(10, 7);
    for (let tick = 0; tick < 100; tick++) series.push(tick, 7);
    assert.equal(series.isKept, false);
    assert.equal(series.value(50), 7);
  });

  test('answers with what was known at a tick', () => {
    const series = new Series(100, 0);
    for (let tick = 0; tick < 60; tick++) series.push(tick, tick < 20 ? 0 : tick);
    assert.equal(series.value(10), 0);
    assert.equal(series.value(19), 0);
    for (let tick = 20; tick < 60; tick++) assert.equal(series.value(tick), tick);
    assert.equal(series.value(99), 59, 'after the newest, the newest');
  });

  test('forgets the oldest values when it is full', () => {
    const series = new Series(16, 0);
    for (let tick = 0; tick < 1000; tick++) series.push(tick, tick + 1);
    for (let tick = 985; tick < 1000; tick++) assert.equal(series.value(tick), tick + 1);
    assert.ok(series.value(5) > 980, 'what is no longer known is answered with the oldest that is');
  });

  test('gives its memory back when nothing has changed for as long as it keeps values', () => {
    const series = new Series(16, 0);
    series.push(1, 5);
    assert.equal(series.isKept, true);
    for (let tick = 2; tick < 30; tick++) series.push(tick, 5);
    assert.equal(series.isKept, false);
    assert.equal(series.value(29), 5);
    series.push(30, 6);
    assert.equal(series.value(30), 6);
    assert.equal(series.value(20), 5);
  });
});

describe('a history', () => {
  const columns = new Columns(['count', 'idle']);
  const kept = retentions(1000, [
    [1000, 10_000],
    [5000, 60_000],
  ]);

  function counting(ticks: number): History {
    const history = new History(columns, kept, 0);
    for (let tick = 1; tick <= ticks; tick++) history.push(tick, Float64Array.of(tick * 10, 0));
    return history;
  }

  test('tells the latest value and how much it rose', () => {
    const history = counting(7);
    assert.equal(history.latest(columns.index('count')), 70);
    assert.equal(history.lastRise(columns.index('count')), 10);
    assert.equal(history.lastRise(columns.index('idle')), 0);
    assert.equal(history.lastChangeTick, 7);
  });

  test('has the fine samples for what is near and the coarse ones for what is far', () => {
    const history = counting(50);
    assert.equal(history.valueAgo(0, 0), 500);
    assert.equal(history.valueAgo(0, 3), 470);
    assert.equal(history.valueAgo(0, 10), 400);
    assert.equal(history.valueAgo(0, 20), 300);
    assert.equal(history.valueAgo(0, 23), 250, 'between two coarse samples the earlier one');
  });

  test('starts at zero for what was before it', () => {
    const history = counting(5);
    assert.equal(history.valueAgo(0, 5), 0);
    assert.equal(history.valueAgo(0, 100), 0);
    assert.equal(history.valueAgo(1, 3), 0);
  });
});

test('a history in which nothing has happened begins with the first number that is not zero', () => {
  const history = new History(new Columns(['count', 'other']), retentions(1000, [[1000, 10_000]]), 4);
  for (let tick = 5; tick < 9; tick++) history.push(tick, Float64Array.of(0, 0));
  assert.deepEqual(
    [history.latestTick, history.lastChangeTick, history.latest(1), history.lastRise(1), history.valueAgo(1, 2)],
    [8, 4, 0, 0, 0],
  );
  history.push(9, Float64Array.of(0, 3));
  history.push(10, Float64Array.of(0, 5));
  assert.deepEqual([history.lastChangeTick, history.latest(1), history.lastRise(1)], [10, 5, 2]);
  assert.deepEqual([history.valueAgo(1, 1), history.valueAgo(1, 2), history.valueAgo(0, 0)], [3, 0, 0]);
});

test('retentions are multiples of the sampling interval, the finest first', () => {
  assert.deepEqual(
    retentions(5000, [
      [60_000, 3_600_000],
      [5000, 605_000],
      [7000, 10_000],
    ]),
    [
      { intervalMillis: 5000, count: 122 },
      { intervalMillis: 60_000, count: 61 },
    ],
  );
  assert.deepEqual(retentions(1000, []), [{ intervalMillis: 1000, count: 2 }]);
});
