import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runs } from './runs.ts';

/** What is shown of messages that are added one by one, each given as its priority and its number. */
function shown(...messages: [priority: number, number: number][]): string[] {
  const seen: string[] = [];
  const runs = new Runs((priority, first, count) => seen.push(`${priority}: ${first} to ${first + count - 1}`));
  for (const [priority, number] of messages) runs.add(priority, number, 1);
  runs.end();
  return seen;
}

test('numbers that follow each other are one run, a gap ends it', () => {
  assert.deepEqual(shown([0, 1], [0, 2], [0, 3], [0, 5], [0, 6]), ['0: 1 to 3', '0: 5 to 6']);
  assert.deepEqual(shown(), []);
});

// A queue without levels has messages of all priorities. If it gets levels later, the log looks for each in the level of its own.
test('another priority ends a run', () => {
  assert.deepEqual(shown([0, 1], [0, 2], [5, 3], [5, 4], [0, 5]), ['0: 1 to 2', '5: 3 to 4', '0: 5 to 5']);
});
