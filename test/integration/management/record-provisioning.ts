// Records what RabbitMQ answers to provisioning-steps.ts:
//   node test/integration/management/record-provisioning.ts HTTP-PORT [rabbitmq-3.10]
// The broker has the plugins rabbitmq_shovel_management and rabbitmq_federation_management.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpClient } from './http-client.ts';
import { provisioningSteps } from './provisioning-steps.ts';
import { playAnswers } from './scenario.ts';

const [httpPort, name = 'rabbitmq-3.10'] = process.argv.slice(2);
const http = new HttpClient(Number(httpPort));
const answers = await playAnswers({ http, amqpPort: 0, statisticsTimeoutMillis: 0 }, provisioningSteps);
http.close();
const file = join(import.meta.dirname, 'recorded', `${name}.provisioning.recorded.json`);
writeFileSync(file, `[\n${answers.map(answer => JSON.stringify(answer)).join(',\n')}\n]\n`);
