// Records what RabbitMQ answers to the course of events of scenario.ts:
//   node test/integration/management/record.ts AMQP-PORT HTTP-PORT [rabbitmq-3.10]
// The broker must be a fresh one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerSteps } from './answer-steps.ts';
import { HttpClient } from './http-client.ts';
import { play } from './scenario.ts';
import { walk } from './walk.ts';

const [amqpPort, httpPort, name = 'rabbitmq-3.10'] = process.argv.slice(2);
const http = new HttpClient(Number(httpPort));
const stage = { http, amqpPort: Number(amqpPort), statisticsTimeoutMillis: 60_000 };
const recording = await play(stage, answerSteps);
const seen = await walk(stage);
http.close();
const lines = [
  '{',
  '"forms": [',
  recording.forms.map(form => JSON.stringify(form)).join(',\n'),
  '],',
  '"answers": [',
  recording.answers.map(answer => JSON.stringify(answer)).join(',\n'),
  ']',
  '}',
];
const directory = join(import.meta.dirname, 'recorded');
writeFileSync(join(directory, `${name}.walk.recorded.json`), `[\n${seen.map(each => JSON.stringify(each)).join(',\n')}\n]\n`);
writeFileSync(join(directory, `${name}.recorded.json`), `${lines.join('\n')}\n`);
