import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answerDifferences } from './answer-differences.ts';
import { knownDifferences } from './known-differences.ts';
import { playAnswers, playForms, type Recording } from './scenario.ts';
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
    assert.deepEqual(answerDifferences(recording.answers, answers, knownDifferences), []);
  });
});
