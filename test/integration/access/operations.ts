// What every operation of every protocol needs. [RabbitMQ docs: access control, "How Authorisation Works"]
import { longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import type { MqttDriver } from '../../support/mqtt-driver.ts';
import type { SimClient } from '../../support/sim-client.ts';
import type { StompDriver } from '../../support/stomp-driver.ts';
import type { Answer, HttpClient } from '../management/http-client.ts';
import type { Need, Operation } from './grants.ts';

/** A client with channel 1 open; `setUp` is what the operation takes back or ends, done by somebody who may. */
function amqp(name: string, needs: readonly Need[], ...frames: (Buffer | ((client: SimClient) => Buffer))[]): Operation<SimClient> {
  return {
    name,
    needs,
    run: client => {
      for (const frame of frames) client.send(typeof frame === 'function' ? frame(client) : frame);
      const closed = client.takeAll().find(each => each.method === methods.ChannelClose);
      if (closed?.method === methods.ChannelClose) return closed.args.replyText;
      client.call(requests.basicQos(1, 1), methods.BasicQosOk);
      return null;
    },
  };
}

const publish = (exchange: string) => (client: SimClient) => client.encodePublish(1, { exchange, routingKey: 'k', body: 'x' });
const deadLetter = new Map([['x-dead-letter-exchange', longstr('y')]]);
const alternate = new Map([['alternate-exchange', longstr('y')]]);

export const amqpOperations: readonly Operation<SimClient>[] = [
  amqp('queue.declare', ['configure n'], requests.queueDeclare(1, { queue: 'n' })),
  amqp('queue.declare of one that is there', ['configure q'], requests.queueDeclare(1, { queue: 'q', durable: true })),
  amqp('queue.declare passive', ['any q'], requests.queueDeclare(1, { queue: 'q', passive: true })),
  amqp(
    'queue.declare with a dead letter exchange',
    ['configure n', 'read n', 'write y'],
    requests.queueDeclare(1, { queue: 'n', arguments: deadLetter }),
  ),
  amqp(
    'queue.declare that changes the shape',
    ['configure q', 'read q', 'write y'],
    requests.queueDeclare(1, { queue: 'q', durable: true, arguments: new Map([...deadLetter, ['x-on-conflict', longstr('migrate')]]) }),
  ),
  amqp('queue.delete', ['configure q'], requests.queueDelete(1, { queue: 'q' })),
  amqp('queue.purge', ['read q'], requests.queuePurge(1, { queue: 'q' })),
  amqp('queue.bind', ['write q', 'read x'], requests.queueBind(1, { queue: 'q', exchange: 'x', routingKey: 'other' })),
  amqp('queue.unbind', ['write q', 'read x'], requests.queueUnbind(1, { queue: 'q', exchange: 'x', routingKey: 'k' })),
  amqp('exchange.declare', ['configure n'], requests.exchangeDeclare(1, { exchange: 'n', type: 'direct' })),
  amqp('exchange.declare passive', ['any x'], requests.exchangeDeclare(1, { exchange: 'x', type: 'topic', passive: true })),
  amqp(
    'exchange.declare with an alternate exchange',
    ['configure n', 'read n', 'write y'],
    requests.exchangeDeclare(1, { exchange: 'n', type: 'direct', arguments: alternate }),
  ),
  amqp('exchange.delete', ['configure x'], requests.exchangeDelete(1, { exchange: 'x' })),
  amqp('exchange.bind', ['write y', 'read x'], requests.exchangeBind(1, { destination: 'y', source: 'x', routingKey: 'other' })),
  amqp('exchange.unbind', ['write y', 'read x'], requests.exchangeUnbind(1, { destination: 'y', source: 'x', routingKey: 'k' })),
  amqp('basic.publish', ['write x'], publish('x')),
  amqp('basic.publish to the default exchange', ['write amq\\.default'], publish('')),
  amqp('basic.publish with confirms', ['write x'], requests.confirmSelect(1), publish('x')),
  amqp('basic.publish in a transaction', ['write x'], methods.encodeTxSelect(1), publish('x'), methods.encodeTxCommit(1)),
  amqp('basic.get', ['read q'], requests.basicGet(1, 'q', true)),
  amqp('basic.consume', ['read q'], requests.basicConsume(1, { queue: 'q' })),
  amqp('basic.consume of replies', [], requests.basicConsume(1, { queue: 'amq.rabbitmq.reply-to', noAck: true })),
];

const notAuthorized = 0x87;
const reason = (code: number | undefined): string | null => (code === notAuthorized ? 'not authorized' : null);

/** The client id is `c`; the broker is told not to disconnect who may not publish. */
function subscription(name: string, queue: string, filter: string, qos: 0 | 1): Operation<MqttDriver> {
  return {
    name,
    needs: [`configure ${queue}`, `write ${queue}`, `read ${queue}`, 'read amq\\.topic'],
    run: async client => reason(await client.subscribe(filter, qos)),
  };
}

export const mqttOperations: readonly Operation<MqttDriver>[] = [
  { name: 'PUBLISH', needs: ['write amq\\.topic'], run: async client => reason(await client.publishAndWait('k', 'x')) },
  {
    name: 'PUBLISH retained',
    needs: ['write amq\\.topic'],
    run: async client => reason(await client.publishAndWait('k', 'x', { isRetained: true })),
  },
  subscription('SUBSCRIBE with QoS 0', 'mqtt-subscription-cqos0', 'k/#', 0),
  subscription('SUBSCRIBE with QoS 1', 'mqtt-subscription-cqos1', 'k/#', 1),
  subscription('SUBSCRIBE to a share', 'mqtt-share-g/k', '$share/g/k', 1),
];

function stomp(name: string, needs: readonly Need[], command: 'SEND' | 'SUBSCRIBE', destination: string): Operation<StompDriver> {
  return {
    name: `${name} ${destination}`,
    needs,
    run: async client => {
      const headers: Record<string, string> = command === 'SEND' ? { destination } : { destination, id: '0' };
      client.send(command, { ...headers, receipt: 'r' }, command === 'SEND' ? 'x' : '');
      for (;;) {
        const { command: got, body } = await client.next();
        if (got === 'ERROR') return body.trim();
        if (got === 'RECEIPT') return null;
      }
    },
  };
}

const own = 'stomp-subscription-.*';
export const stompOperations: readonly Operation<StompDriver>[] = [
  { ...stomp('SEND', ['configure n', 'write amq\\.default'], 'SEND', '/queue/n'), isInSteps: true },
  stomp('SEND', ['write amq\\.default'], 'SEND', '/amq/queue/q'),
  stomp('SEND', ['write amq\\.topic'], 'SEND', '/topic/k'),
  stomp('SEND', ['write x'], 'SEND', '/exchange/x/k'),
  { ...stomp('SUBSCRIBE', ['configure n', 'read n'], 'SUBSCRIBE', '/queue/n'), isInSteps: true },
  stomp('SUBSCRIBE', ['read q'], 'SUBSCRIBE', '/amq/queue/q'),
  stomp('SUBSCRIBE', [`configure ${own}`, `write ${own}`, `read ${own}`, 'read amq\\.topic'], 'SUBSCRIBE', '/topic/k'),
  stomp('SUBSCRIBE', [`configure ${own}`, `write ${own}`, `read ${own}`, 'read x'], 'SUBSCRIBE', '/exchange/x/k'),
];

export interface ApiClient {
  readonly http: HttpClient;
  readonly vhost: string;
}

/** `path` is a route's, whose name parameters are in braces with what they stand for. */
function api(method: string, path: string, needs: readonly Need[], body?: unknown): Operation<ApiClient> & { readonly route: string } {
  return {
    name: `${method} ${path}`,
    route: `${method} ${path.replace(/\{(\w+)=[^}]*\}/g, ':$1')}`,
    needs,
    run: async ({ http, vhost }) => {
      const url = path.replace(':vhost', vhost).replace(/\{\w+=([^}]*)\}/g, '$1');
      return refusalOf(await http.request(method, url, { user: 'u:u', ...(body === undefined ? {} : { body }) }), `${method} ${url}`);
    },
  };
}

function refusalOf({ status, json, text }: Answer, asked: string): string | null {
  // Publishing over HTTP tells what AMQP told it. [RabbitMQ: rabbit_mgmt_wm_exchange_publish]
  if (status === 401 || text.includes('403 ACCESS_REFUSED')) return String((json as { reason?: unknown }).reason);
  // What is asked for by an id need not be there: who may ask is told so.
  if (status < 300 || status === 404) return null;
  throw new Error(`${asked}: ${status} ${text}`);
}

const message = { properties: {}, routing_key: 'k', payload: 'x', payload_encoding: 'string' };
const queue = '/api/queues/:vhost/{name=q}';
const grouped = '/api/queues/:vhost/{name=g}';
const exchange = '/api/exchanges/:vhost/{name=x}';
const toQueue = '/api/bindings/:vhost/e/{source=x}/q/{destination=q}';
const toExchange = '/api/bindings/:vhost/e/{source=x}/e/{destination=y}';

export const apiOperations = [
  api('PUT', '/api/queues/:vhost/{name=n}', ['configure n'], {}),
  api('PUT', '/api/queues/:vhost/{name=n}', ['configure n', 'read n', 'write y'], { arguments: { 'x-dead-letter-exchange': 'y' } }),
  api('DELETE', queue, ['configure q']),
  api('PUT', `${queue}/pause`, ['configure q']),
  api('DELETE', `${queue}/pause`, ['configure q']),
  api('POST', `${queue}/shape`, ['configure q'], { arguments: { 'x-max-length': 10 } }),
  api('POST', `${queue}/shape`, ['configure q', 'read q', 'write y'], { arguments: { 'x-dead-letter-exchange': 'y' } }),
  api('DELETE', `${queue}/contents`, ['read q']),
  api('POST', `${queue}/get`, ['read q'], { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' }),
  api('GET', `${queue}/messages`, ['read q']),
  api('DELETE', `${queue}/messages/{id=1}`, ['read q']),
  api('POST', `${queue}/move`, ['read q', 'write y'], { exchange: 'y' }),
  api('POST', `${queue}/redrive`, ['read q'], { to: 'origin' }),
  api('GET', `${queue}/delayed`, ['read q']),
  api('GET', `${queue}/delayed/{id=1}`, ['read q']),
  api('PUT', `${queue}/delayed/{id=1}`, ['read q'], { delay: 60_000 }),
  api('DELETE', `${queue}/delayed/{id=1}`, ['read q']),
  api('GET', `${grouped}/groups`, ['read g']),
  api('POST', `${grouped}/groups/park`, ['read g'], { key: 'k' }),
  api('POST', `${grouped}/groups/unpark`, ['read g'], { key: 'k' }),
  api('PUT', '/api/exchanges/:vhost/{name=n}', ['configure n'], { type: 'direct' }),
  api('PUT', '/api/exchanges/:vhost/{name=n}', ['configure n', 'read n', 'write y'], { arguments: { 'alternate-exchange': 'y' } }),
  api('DELETE', exchange, ['configure x']),
  api('POST', `${exchange}/publish`, ['write x'], message),
  api('POST', '/api/exchanges/:vhost/{name=amq.default}/publish', ['write amq\\.default'], message),
  api('GET', `${exchange}/delayed`, ['read x']),
  api('GET', `${exchange}/delayed/{id=1}`, ['read x']),
  api('PUT', `${exchange}/delayed/{id=1}`, ['write x'], { delay: 60_000 }),
  api('DELETE', `${exchange}/delayed/{id=1}`, ['write x']),
  api('POST', toQueue, ['write q', 'read x'], { routing_key: 'other' }),
  api('DELETE', `${toQueue}/{props=k}`, ['write q', 'read x']),
  api('POST', toExchange, ['write y', 'read x'], { routing_key: 'other' }),
  api('DELETE', `${toExchange}/{props=k}`, ['write y', 'read x']),
  api('GET', '/api/mqtt/retained/:vhost', ['read amq\\.mqtt\\.retained']),
  api('DELETE', '/api/mqtt/retained/:vhost?topic=t', ['write amq\\.mqtt\\.retained']),
];
