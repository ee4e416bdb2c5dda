// Every endpoint that is read, asked for by users of every kind: who sees what. Played to RabbitMQ when it is recorded and to this broker when it is
// compared with the recording.
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { HttpClient } from './http-client.ts';
import type { Stage } from './scenario.ts';
import { openObjects } from './shape.ts';

/** What one user is answered at one path: of objects their keys, `a.b` where they are nested, of lists how many there are and the keys of all. */
export interface Seen {
  readonly user: string;
  readonly path: string;
  readonly status: number;
  readonly count: number | null;
  readonly keys: readonly string[];
}

/** Users by their tags; each may use the virtual host `walk`, nobody but the administrator `walk.other`. */
const users: Readonly<Record<string, string>> = {
  'walk-administrator': 'administrator',
  'walk-monitoring': 'monitoring',
  'walk-policymaker': 'policymaker',
  'walk-management': 'management',
  'walk-none': '',
};

const paths: readonly string[] = [
  '/api/overview',
  '/api/cluster-name',
  '/api/nodes',
  '/api/nodes/{node}',
  '/api/nodes/{node}/memory',
  '/api/extensions',
  '/api/feature-flags',
  '/api/definitions',
  '/api/definitions/walk',
  '/api/definitions/walk.other',
  '/api/connections',
  '/api/connections/{own}',
  '/api/connections/{other}',
  '/api/connections/{own}/channels',
  '/api/connections/{other}/channels',
  '/api/connections/username/walk-management',
  '/api/connections/username/walk-administrator',
  '/api/vhosts/walk/connections',
  '/api/vhosts/walk.other/connections',
  '/api/channels',
  '/api/channels/{own-channel}',
  '/api/channels/{other-channel}',
  '/api/vhosts/walk/channels',
  '/api/vhosts/walk.other/channels',
  '/api/consumers',
  '/api/consumers/walk',
  '/api/consumers/walk.other',
  '/api/exchanges',
  '/api/exchanges/walk',
  '/api/exchanges/walk.other',
  '/api/exchanges/walk/events',
  '/api/exchanges/walk.other/events',
  '/api/exchanges/walk/events/bindings/source',
  '/api/exchanges/walk/none',
  '/api/queues',
  '/api/queues/walk',
  '/api/queues/walk.other',
  '/api/queues/walk/orders',
  '/api/queues/walk.other/orders',
  '/api/queues/walk/orders/bindings',
  '/api/queues/walk/none',
  '/api/queues/none/orders',
  '/api/bindings',
  '/api/bindings/walk',
  '/api/bindings/walk.other',
  '/api/bindings/walk/e/events/q/orders',
  '/api/bindings/walk/e/events/q/orders/a.%2523',
  '/api/vhosts',
  '/api/vhosts/walk',
  '/api/vhosts/walk.other',
  '/api/vhosts/none',
  '/api/vhosts/walk/permissions',
  '/api/vhosts/walk/topic-permissions',
  '/api/users',
  '/api/users/walk-management',
  '/api/users/none',
  '/api/users/walk-management/permissions',
  '/api/users/walk-management/topic-permissions',
  '/api/users/without-permissions',
  '/api/permissions',
  '/api/permissions/walk/walk-management',
  '/api/permissions/walk/none',
  '/api/topic-permissions',
  '/api/topic-permissions/walk/walk-management',
  '/api/parameters',
  '/api/parameters/federation-upstream',
  '/api/parameters/federation-upstream/walk',
  '/api/parameters/federation-upstream/walk/none',
  '/api/global-parameters',
  '/api/global-parameters/cluster_name',
  '/api/policies',
  '/api/policies/walk',
  '/api/policies/walk.other',
  '/api/policies/walk/limits',
  '/api/policies/walk.other/limits',
  '/api/operator-policies',
  '/api/operator-policies/walk',
  '/api/operator-policies/walk/limits',
  '/api/vhost-limits',
  '/api/vhost-limits/walk',
  '/api/vhost-limits/walk.other',
  '/api/user-limits',
  '/api/user-limits/walk-management',
  '/api/user-limits/walk-administrator',
  '/api/whoami',
  '/api/auth',
  '/api/auth/attempts/{node}',
  '/api/auth/attempts/{node}/source',
  '/api/auth/hash_password/secret',
  '/api/healthchecks/node',
  '/api/health/checks/alarms',
  '/api/health/checks/local-alarms',
  '/api/health/checks/certificate-expiration/1/days',
  '/api/health/checks/certificate-expiration/1/hours',
  '/api/health/checks/port-listener/1',
  '/api/health/checks/port-listener/many',
  '/api/health/checks/protocol-listener/amqp',
  '/api/health/checks/protocol-listener/mqtt',
  '/api/health/checks/virtual-hosts',
  '/api/health/checks/node-is-quorum-critical',
  '/api/health/checks/node-is-mirror-sync-critical',
  '/api/health/checks/none',
  '/api/none',
];

async function put(http: HttpClient, path: string, body: unknown): Promise<void> {
  const { status, text } = await http.put(path, body);
  if (status !== 201 && status !== 204) throw new Error(`PUT ${path}: ${status} ${text}`);
}

/** Two virtual hosts with something of everything; returns what undoes it. */
async function furnish({ http, amqpPort }: Stage): Promise<() => Promise<void>> {
  const all = { configure: '.*', write: '.*', read: '.*' };
  for (const vhost of ['walk', 'walk.other']) {
    await put(http, `/api/vhosts/${vhost}`, {});
    await put(http, `/api/permissions/${vhost}/guest`, all);
  }
  for (const [name, tags] of Object.entries(users)) {
    await put(http, `/api/users/${name}`, { password: name, tags });
    await put(http, `/api/permissions/walk/${name}`, all);
    await put(http, `/api/user-limits/${name}/max-channels`, { value: 100 });
  }
  await put(http, '/api/permissions/walk.other/walk-administrator', all);
  await put(http, '/api/topic-permissions/walk/walk-management', { exchange: 'amq.topic', write: '.*', read: '.*' });
  for (const vhost of ['walk', 'walk.other']) {
    await put(http, `/api/vhost-limits/${vhost}/max-queues`, { value: 100 });
    for (const kind of ['policies', 'operator-policies'])
      await put(http, `/api/${kind}/${vhost}/limits`, { pattern: '^none$', definition: { 'max-length': 5 }, 'apply-to': 'queues' });
  }
  const clients: AmqpDriver[] = [];
  for (const [user, vhost] of [
    ['walk-management', 'walk'],
    ['walk-administrator', 'walk.other'],
  ] as const) {
    const client = await AmqpDriver.connect({ port: amqpPort, user, password: user, vhost });
    clients.push(client);
    await client.openChannel(1);
    await client.call(exchangeDeclare(1, { exchange: 'events', type: 'topic', durable: true }), methods.ExchangeDeclareOk);
    await client.call(queueDeclare(1, { queue: 'orders', durable: true }), methods.QueueDeclareOk);
    await client.call(queueBind(1, { queue: 'orders', exchange: 'events', routingKey: 'a.#' }), methods.QueueBindOk);
    client.publish(1, { exchange: 'events', routingKey: 'a.b', properties: { deliveryMode: 2 } });
    await client.call(basicConsume(1, { queue: 'orders' }), methods.BasicConsumeOk);
    const delivery = await client.nextDelivery(1);
    if (delivery.kind !== 'deliver') throw new Error(`unexpected ${delivery.kind}`);
    client.send(methods.encodeBasicAck(1, { deliveryTag: delivery.args.deliveryTag, multiple: false }));
  }
  return async () => {
    for (const client of clients) await client.end();
    for (const name of Object.keys(users)) await http.delete(`/api/users/${name}`);
    for (const vhost of ['walk', 'walk.other']) await http.delete(`/api/vhosts/${vhost}`);
  };
}

/** Whether the statistics know of both connections, their channels and their queues. */
async function isCounted(http: HttpClient): Promise<boolean> {
  const list = async (path: string): Promise<Record<string, unknown>[]> => (await http.get(path)).json as Record<string, unknown>[];
  const channels = await list('/api/channels');
  const queues = (await list('/api/queues')).filter(({ name }) => name === 'orders');
  const isSampled = (object: Record<string, unknown>): boolean =>
    ((object['message_stats'] as Record<string, number> | undefined)?.['ack'] ?? 0) === 1;
  const connections = await list('/api/connections');
  const vhosts = (await list('/api/vhosts')).filter(({ name }) => (name as string).startsWith('walk'));
  const overview = (await http.get('/api/overview')).json as { message_stats?: Record<string, number> };
  return (
    overview.message_stats?.['ack'] !== undefined &&
    vhosts.every(vhost => vhost['messages'] !== undefined && vhost['message_stats'] !== undefined) &&
    [channels, queues].every(objects => objects.length === 2 && objects.every(isSampled)) &&
    connections.length === 2 &&
    connections.every(({ send_oct: sent, channels: count }) => (sent as number) > 0 && count === 1)
  );
}

export async function walk(stage: Stage): Promise<Seen[]> {
  const { http } = stage;
  const tidy = await furnish(stage);
  try {
    await waitUntil(() => isCounted(http), { timeoutMillis: stage.statisticsTimeoutMillis, intervalMillis: 100, message: 'statistics' });
    const names = (await http.get('/api/channels?columns=name,user,connection_details.name')).json as Record<string, unknown>[];
    const of = (user: string): Record<string, unknown> => names.find(each => each['user'] === user) ?? {};
    const text = (value: unknown): string => encodeURIComponent(typeof value === 'string' ? value : '');
    const connection = (user: string): string => text((of(user)['connection_details'] as Record<string, unknown>)['name']);
    const real: Readonly<Record<string, string>> = {
      '{node}': text(((await http.get('/api/overview')).json as Record<string, unknown>)['node']),
      '{own}': connection('walk-management'),
      '{other}': connection('walk-administrator'),
      '{own-channel}': text(of('walk-management')['name']),
      '{other-channel}': text(of('walk-administrator')['name']),
    };
    const seen: Seen[] = [];
    for (const user of Object.keys(users)) {
      for (const path of paths) {
        const asked = path.replace(/\{[a-z-]+\}/, name => real[name] ?? name);
        const { status, json } = await http.get(asked, { user: `${user}:${user}` });
        seen.push({ user, path, status, ...summary(json) });
      }
    }
    return seen;
  } finally {
    await tidy();
  }
}

function summary(json: unknown): { count: number | null; keys: string[] } {
  const keys = new Set<string>();
  addKeys(json, '', keys);
  return { count: Array.isArray(json) ? json.length : null, keys: [...keys].sort() };
}

/** Adds the keys of an object, or of all that a list has, with those of what is in them behind a point. */
function addKeys(value: unknown, before: string, keys: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) addKeys(item, before, keys);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    keys.add(before + key);
    if (!openObjects.has(key)) addKeys(item, `${before}${key}.`, keys);
  }
}
