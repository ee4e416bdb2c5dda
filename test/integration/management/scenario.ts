// One course of events, played to RabbitMQ when it is recorded and to this broker when it is compared with the recording: some AMQP traffic,
// then the form of every list, then requests whose answers must be equal to the letter.
import { type FieldTable, longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Answer, HttpClient } from './http-client.ts';
import { type Shape, shapeOf } from './shape.ts';

export interface RecordedForm {
  readonly path: string;
  readonly status: number;
  readonly shape: Shape;
}

export interface RecordedAnswer {
  readonly step: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Recording {
  readonly forms: readonly RecordedForm[];
  readonly answers: readonly RecordedAnswer[];
}

export interface Stage {
  readonly http: HttpClient;
  readonly amqpPort: number;
  readonly statisticsTimeoutMillis: number;
}

export async function play(stage: Stage, answerSteps: readonly Step[]): Promise<Recording> {
  const forms = await playForms(stage);
  const answers = await playAnswers(stage, answerSteps);
  return { forms, answers };
}

/** Plays the traffic and reads the form of every list. */
export async function playForms(stage: Stage): Promise<RecordedForm[]> {
  const { http } = stage;
  const nodeName = ((await http.get('/api/overview?columns=node')).json as { node: string }).node;
  const client = await AmqpDriver.connect({ port: stage.amqpPort, clientProperties: clientProperties() });
  const consumer = await AmqpDriver.connect({ port: stage.amqpPort });
  try {
    await traffic(client, consumer);
    await waitUntil(async () => isCounted(http), {
      timeoutMillis: stage.statisticsTimeoutMillis,
      intervalMillis: 100,
      message: 'statistics',
    });
    const connections = (await http.get('/api/connections')).json as { name: string }[];
    const connection = encodeURIComponent(connections[0]?.name ?? '');
    const channels = (await http.get('/api/channels')).json as { name: string }[];
    const channel = encodeURIComponent(channels[0]?.name ?? '');
    const forms: RecordedForm[] = [];
    for (const path of formPaths) {
      const real = path.replace('{node}', nodeName).replace('{connection}', connection).replace('{channel}', channel);
      const answer = await http.get(real);
      forms.push({ path, status: answer.status, shape: shapeOf(answer.json) });
    }
    return forms;
  } finally {
    await client.end();
    await consumer.end();
    await cleanUp(http);
  }
}

const formPaths: readonly string[] = [
  '/api/overview',
  '/api/overview?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5',
  '/api/cluster-name',
  '/api/nodes',
  '/api/nodes/{node}',
  '/api/nodes/{node}/memory',
  '/api/nodes/{node}?memory=true&binary=true',
  '/api/extensions',
  '/api/definitions',
  '/api/definitions/%2F',
  '/api/feature-flags',
  '/api/connections',
  '/api/connections/{connection}',
  '/api/connections/{connection}?data_rates_age=60&data_rates_incr=5',
  '/api/connections/{connection}/channels',
  '/api/connections/username/guest',
  '/api/vhosts/%2F/connections',
  '/api/channels',
  '/api/channels/{channel}',
  '/api/channels/{channel}?msg_rates_age=60&msg_rates_incr=5',
  '/api/vhosts/%2F/channels',
  '/api/consumers',
  '/api/consumers/%2F',
  '/api/exchanges',
  '/api/exchanges/%2F',
  '/api/exchanges/%2F/form.topic',
  '/api/exchanges/%2F/form.topic/bindings/source',
  '/api/exchanges/%2F/form.topic/bindings/destination',
  '/api/exchanges?page=1&page_size=5&name=form&use_regex=false',
  '/api/queues',
  '/api/queues/%2F',
  '/api/queues/%2F/form.consumed',
  '/api/queues/%2F/form.filled',
  '/api/queues/%2F/form.filled?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5',
  '/api/queues/%2F/form.exclusive',
  '/api/queues/%2F/form.filled/bindings',
  '/api/queues?disable_stats=true',
  '/api/queues?disable_stats=true&enable_queue_totals=true',
  '/api/queues?page=1&page_size=2&name=form&use_regex=true',
  '/api/bindings',
  '/api/bindings/%2F',
  '/api/bindings/%2F/e/form.topic/q/form.filled',
  '/api/vhosts',
  '/api/vhosts/%2F',
  '/api/vhosts/%2F/permissions',
  '/api/vhosts/%2F/topic-permissions',
  '/api/users',
  '/api/users/guest',
  '/api/users/guest/permissions',
  '/api/users/without-permissions',
  '/api/permissions',
  '/api/permissions/%2F/guest',
  '/api/topic-permissions',
  '/api/parameters',
  '/api/global-parameters',
  '/api/policies',
  '/api/operator-policies',
  '/api/vhost-limits',
  '/api/user-limits',
  '/api/whoami',
  '/api/auth/attempts/{node}',
  '/api/auth/attempts/{node}/source',
];

function clientProperties(): FieldTable {
  return new Map([
    ['product', longstr('form')],
    ['version', longstr('1')],
    ['platform', longstr('test')],
    ['information', longstr('none')],
    ['connection_name', longstr('form client')],
    ['capabilities', { type: 'F', value: new Map([['basic.nack', { type: 't', value: true }]]) }],
  ]);
}

async function traffic(client: AmqpDriver, consumer: AmqpDriver): Promise<void> {
  await client.openChannel(1);
  await client.call(exchangeDeclare(1, { exchange: 'form.topic', type: 'topic', durable: true }), methods.ExchangeDeclareOk);
  for (const queue of ['form.filled', 'form.consumed']) {
    await client.call(queueDeclare(1, { queue, durable: true }), methods.QueueDeclareOk);
    await client.call(queueBind(1, { queue, exchange: 'form.topic', routingKey: 'form.*' }), methods.QueueBindOk);
  }
  await client.call(queueDeclare(1, { queue: 'form.exclusive', exclusive: true }), methods.QueueDeclareOk);
  await client.call(methods.encodeConfirmSelect(1, { nowait: false }), methods.ConfirmSelectOk);
  await consumer.openChannel(1);
  await consumer.call(methods.encodeBasicQos(1, { prefetchSize: 0, prefetchCount: 10, global: false }), methods.BasicQosOk);
  const subscription = { noLocal: false, exclusive: false, nowait: false, arguments: new Map() };
  await consumer.call(
    methods.encodeBasicConsume(1, { queue: 'form.consumed', consumerTag: 'form', noAck: false, ...subscription }),
    methods.BasicConsumeOk,
  );
  for (let i = 0; i < 5; i++) {
    client.publish(1, {
      exchange: 'form.topic',
      routingKey: 'form.a',
      body: 'hello',
      properties: { deliveryMode: 2, timestamp: 1_700_000_000 },
    });
  }
  client.publish(1, { exchange: 'form.topic', routingKey: 'nowhere', mandatory: true, body: 'lost' });
  for (let i = 0; i < 4; i++) {
    const delivery = await consumer.nextDelivery(1);
    if (delivery.kind !== 'deliver') throw new Error(`unexpected ${delivery.kind}`);
    if (i < 3) consumer.send(methods.encodeBasicAck(1, { deliveryTag: delivery.args.deliveryTag, multiple: false }));
  }
  await client.nextDelivery(1);
  client.send(methods.encodeBasicGet(1, { queue: 'form.filled', noAck: false }));
  const got = await client.nextDelivery(1);
  if (got.kind !== 'get-ok') throw new Error(`unexpected ${got.kind}`);
  client.send(methods.encodeBasicReject(1, { deliveryTag: got.args.deliveryTag, requeue: true }));
}

/** Whether the statistics know of the traffic, of both its channels. */
async function isCounted(http: HttpClient): Promise<boolean> {
  const overview = (await http.get('/api/overview')).json as { message_stats?: Record<string, number> };
  const stats = overview.message_stats ?? {};
  const connections = (await http.get('/api/connections')).json as { recv_oct?: number; channels?: number }[];
  const channels = (await http.get('/api/channels')).json as { message_stats?: Record<string, number>; idle_since?: string }[];
  const queues = (await http.get('/api/queues')).json as { idle_since?: string }[];
  const queue = (await http.get('/api/queues/%2F/form.filled')).json as { message_stats?: Record<string, number>; messages?: number };
  return (
    stats['publish'] !== undefined &&
    stats['deliver_get'] !== undefined &&
    connections.length === 2 &&
    connections.every(each => (each.recv_oct ?? 0) > 0 && each.channels === 1) &&
    channels.length === 2 &&
    channels.every(each => each.message_stats?.['deliver_get'] !== undefined) &&
    queue.message_stats?.['deliver_get'] !== undefined &&
    queue.messages === 5 &&
    // What nothing happens to is seen to be idle a sample later.
    [...channels, ...queues].every(each => each.idle_since !== undefined)
  );
}

async function cleanUp(http: HttpClient): Promise<void> {
  await http.delete('/api/queues/%2F/form.filled');
  await http.delete('/api/queues/%2F/form.consumed');
  await http.delete('/api/exchanges/%2F/form.topic');
}

/** A request: `METHOD PATH [BODY]`, with `user=NAME` before it when it is not guest's. */
export type Step = string;

/** Plays requests and keeps their answers, without what differs from one run to the next. */
export async function playAnswers(stage: Stage, steps: readonly Step[]): Promise<RecordedAnswer[]> {
  const answers: RecordedAnswer[] = [];
  const nodeName = ((await stage.http.get('/api/overview?columns=node')).json as { node: string }).node;
  for (const step of steps) {
    const match = /^(?:user=(\S+) )?(\S+) (\S+)(?: (.*))?$/s.exec(step);
    if (match === null) throw new Error(`no step: ${step}`);
    const [, user, method = '', path = '', body] = match;
    const credentials = user === 'nobody' ? null : user === undefined ? 'guest:guest' : user.includes(':') ? user : `${user}:${user}`;
    const answer = await stage.http.request(method, path.replaceAll('{node}', nodeName), {
      user: credentials,
      ...(body === undefined ? {} : { body: body.replaceAll('{node}', nodeName) }),
    });
    answers.push({ step, status: answer.status, headers: keptHeaders(answer), body: normalised(answer.text, nodeName) });
  }
  return answers;
}

function keptHeaders(answer: Answer): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['allow', 'content-type', 'location', 'www-authenticate']) {
    const value = answer.headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}

/** Hashes of passwords are random, and nodes have their own names. */
function normalised(text: string, nodeName: string): string {
  return text.replaceAll(nodeName, '{node}').replace(/"password_hash":"[^"]{10,}"/g, '"password_hash":"{hash}"');
}
