import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationSchedule } from './rotation-schedule.ts';

/** Local time. */
function at(text: string): number {
  return new Date(text).getTime();
}

function next(notation: string, after: string): string {
  const date = new Date(rotationSchedule(notation)(at(after)));
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

for (const [notation, after, expected] of [
  ['$D0', '2026-11-20T18:30', '2026-11-21T00:00'],
  ['$D23', '2026-11-20T18:30', '2026-11-20T23:00'],
  ['$D23', '2026-11-20T23:00', '2026-11-21T23:00'],
  ['$H', '2026-11-20T18:30', '2026-11-20T19:00'],
  ['$H45', '2026-11-20T18:30', '2026-11-20T18:45'],
  ['$H15', '2026-12-31T23:30', '2027-01-01T00:15'],
  ['$W0', '2026-11-20T18:30', '2026-11-22T00:00'],
  ['$W5D16', '2026-11-20T18:30', '2026-11-27T16:00'],
  ['$W5D19', '2026-11-20T18:30', '2026-11-20T19:00'],
  ['$M1', '2026-11-20T18:30', '2026-12-01T00:00'],
  ['$M31D6', '2027-02-01T00:00', '2027-02-28T06:00'],
  ['$M15D6', '2026-12-20T00:00', '2027-01-15T06:00'],
] as const) {
  test(`after ${after} the schedule ${notation} has ${expected}`, () => {
    assert.equal(next(notation, after), expected);
  });
}
