import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownDifferences } from './known-differences.ts';
import { playAnswers, playForms, type RecordedAnswer, type Recording } from './scenario.ts';
import { differences } from './shape.ts';
import { withManagement } from './with-management.ts';

const recording = JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', 'rabbitmq-3.10.recorded.json'), 'utf8')) as Recording;

test('every list and object has the fields that RabbitMQ 3.10 gives it', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const forms = await playForms({ http, amqpPort: broker.port, statisticsTimeoutMillis: 5000 });
    const problems = forms.flatMap((form, index) => {
      const expected = recording.forms[index];
      assert.equal(form.path, expected?.path, 'the scenario has changed since the recording');
      if (form.status !== expected?.status) return [`${form.path}: status ${form.status} in place of ${expected?.status}`];
      return differences(expected.shape, form.shape).map(problem => `${form.path}: ${problem}`);
    });
    assert.deepEqual(problems, []);
  });
});

test('requests are answered as RabbitMQ 3.10 answers them', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const steps = recording.answers.map(answer => answer.step);
    const answers = await playAnswers({ http, amqpPort: broker.port, statisticsTimeoutMillis: 5000 }, steps);
    const problems = answers.flatMap((answer, index) => compare(recording.answers[index] as RecordedAnswer, answer));
    assert.deepEqual(problems, []);
  });
});

function compare(expected: RecordedAnswer, actual: RecordedAnswer): string[] {
  const known = knownDifferences.get(expected.step);
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
