import type { KnownAnswer } from './known-differences.ts';
import type { RecordedAnswer } from './scenario.ts';

/** Where answers are not those that were recorded, and are not known to differ; and what is known to differ but does not. */
export function answerDifferences(
  expected: readonly RecordedAnswer[],
  actual: readonly RecordedAnswer[],
  known: ReadonlyMap<string, KnownAnswer>,
): string[] {
  return actual.flatMap((answer, index) => compare(expected[index] as RecordedAnswer, answer, known));
}

function compare(expected: RecordedAnswer, actual: RecordedAnswer, allKnown: ReadonlyMap<string, KnownAnswer>): string[] {
  const known = allKnown.get(expected.step);
  const facts = (answer: RecordedAnswer): string => `${answer.status} ${JSON.stringify(answer.headers)} ${canonical(answer.body)}`;
  if (facts(expected) === facts(actual)) {
    return known === undefined ? [] : [`${expected.step}: is equal, take it from the known differences`];
  }
  if (known !== undefined && canonical(actual.body) === canonical(known.body) && actual.status === known.status) return [];
  return [`${expected.step}\n  RabbitMQ: ${facts(expected)}\n  WarrenMQ: ${facts(actual)}`];
}

/** JSON with sorted keys; the order of keys means nothing. */
function canonical(body: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(body)));
  } catch {
    return body;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
