import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answerDifferences } from './answer-differences.ts';
import type { KnownAnswer } from './known-differences.ts';
import { playAnswers, type RecordedAnswer } from './scenario.ts';
import { withManagement } from './with-management.ts';

const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded', 'rabbitmq-3.10.provisioning.recorded.json'), 'utf8'),
) as readonly RecordedAnswer[];

const known: ReadonlyMap<string, KnownAnswer> = new Map([
  [
    'PUT /api/permissions/pro%2Fvision/pro.hash {"configure":"(","write":"","read":""}',
    {
      status: 400,
      body: '{"error":"bad_request","reason":["invalid_regexp","(","missing )"]}',
      reason: 'RabbitMQ writes texts of Erlang as lists of numbers',
    },
  ],
]);

/** Reasons as they are meant: RabbitMQ escapes them for HTML, and Erlang breaks long terms into lines. (docs/DIFFERENCES.md) */
function asMeant(answer: RecordedAnswer): RecordedAnswer {
  const body = answer.body.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll(/\\n +/g, '');
  return { ...answer, body };
}

test('what programs that furnish a broker send is answered as RabbitMQ 3.10 answers it', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const steps = recorded.map(answer => answer.step);
    const answers = await playAnswers({ http, amqpPort: broker.port, statisticsTimeoutMillis: 0 }, steps);
    assert.deepEqual(answerDifferences(recorded.map(asMeant), answers, known), []);
  });
});
