import { authAttempts } from '../auth-attempts.ts';
import type { ConnectionInfo } from '../../core/connection-registry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { deliverNames, queueDeliverAt } from '../../core/statistics/columns.ts';
import { clusterName } from '../http/views/overview-view.ts';
import { memoryView } from '../http/views/memory-view.ts';
import type { ConnectionChannel } from '../http/views/channel-view.ts';
import { nameOf } from '../http/views/channel-view.ts';
import type { Services } from '../services.ts';
import { channelFamilies, connectionFamilies } from './connection-families.ts';
import { fullName, header, labels, number, type Family, type ObjectFamily, type Prefix } from './metric.ts';
import { type NodeFamily, nodeFamilies, ownFamilies } from './node-families.ts';
import { protocolFamilies, series } from './protocol-families.ts';
import { queueFamilies } from './queue-families.ts';
import { type Totals, TotalsCounter } from './totals.ts';

/** Pages are made in pieces: null means that others may have their turn. */
export type Piece = string | null;

/** What restricts /metrics/detailed. */
export interface DetailedFilter {
  readonly families: ReadonlySet<string>;
  /** Null: all. */
  readonly vhosts: ReadonlySet<string> | null;
}

/** Objects looked at, or lines written, before others get their turn. */
const sliceCount = 1000;

/** The page a series is on: dashboards choose by it. [RabbitMQ 4.1: rabbitmq_identity_info] */
type Endpoint = 'aggregated' | 'per-object' | 'detailed' | 'memory-breakdown';

/** /metrics: sums over all objects. */
export function* aggregatedPage(services: Services): Generator<Piece, void, undefined> {
  yield startTime();
  yield* nodePart(services, 'rabbitmq_', nodeFamilies);
  yield* nodePart(services, 'rabbitmq_', ownFamilies);
  yield authentications(services, 'rabbitmq_');
  const queues = queueFamilies(services);
  const counter = new TotalsCounter(services);
  const sums = new Float64Array(queues.length);
  const uses: number[] = [];
  let oldest = 0;
  let firstTimestamp = NaN;
  for (const queue of slices(allQueues(services, null))) {
    if (queue === null) {
      yield null;
      continue;
    }
    counter.add(queue);
    for (let i = 0; i < queues.length; i++) {
      const family = queues[i] as ObjectFamily<Queue>;
      if (family.isNotSummed !== true) sums[i] = (sums[i] as number) + family.value(queue);
      else if (family.name === 'queue_consumer_utilisation' && queue.consumerCount > 0) uses.push(family.value(queue));
      else if (family.name === 'queue_oldest_message_age_seconds') oldest = Math.max(oldest, family.value(queue));
      else if (family.name === 'queue_head_message_timestamp') firstTimestamp = earlier(firstTimestamp, family.value(queue));
    }
  }
  const totals = counter.totals();
  for (const [index, family] of queues.entries()) {
    if (family.isNotSummed !== true && family.group !== 'queue_delivery_metrics') yield single('rabbitmq_', family, sums[index] ?? 0);
  }
  const use = uses.length === 0 ? 0 : uses.reduce((a, b) => a + b, 0) / uses.length;
  yield single('rabbitmq_', { name: 'queue_consumer_capacity', type: 'gauge', help: 'Mean over the queues with consumers' }, use);
  yield single('rabbitmq_', { name: 'queue_consumer_utilisation', type: 'gauge', help: 'Mean over the queues with consumers' }, use);
  yield single(
    'rabbitmq_',
    { name: 'queue_oldest_message_age_seconds', isOwn: true, type: 'gauge', help: 'Age of the oldest first message of a queue' },
    oldest,
  );
  yield single(
    'rabbitmq_',
    { name: 'queue_head_message_timestamp', type: 'gauge', help: 'Earliest timestamp of a first message' },
    firstTimestamp,
  );
  yield* summedObjects(services, totals);
  yield single(
    'rabbitmq_',
    { name: 'queue_messages_published_total', type: 'counter', help: 'Messages published to queues' },
    published(totals),
  );
  yield* countsPart(services, totals, 'aggregated');
  yield* protocolFamilies(services, totals);
}

/** /metrics/per-object: a series per queue, channel and connection. */
export function* perObjectPage(services: Services): Generator<Piece, void, undefined> {
  yield* nodePart(
    services,
    'rabbitmq_',
    nodeFamilies.filter(family => family.group !== null),
  );
  yield* nodePart(services, 'rabbitmq_', ownFamilies);
  yield authentications(services, 'rabbitmq_');
  const counter = new TotalsCounter(services);
  for (const queue of slices(allQueues(services, null))) {
    if (queue === null) yield null;
    else counter.add(queue);
  }
  const totals = counter.totals();
  const families = queueFamilies(services).filter(family => family.group !== 'queue_delivery_metrics');
  yield* queuePart(services, 'rabbitmq_', families, null);
  yield* queueInfoPart(services, 'rabbitmq_', null);
  yield* publishedPart(services, 'rabbitmq_', null);
  yield* channelPart(services, 'rabbitmq_', channelFamilies);
  yield* connectionPart(services, 'rabbitmq_', connectionFamilies);
  yield* countsPart(services, totals, 'per-object');
  yield* protocolFamilies(services, totals);
}

/** /metrics/detailed: what is asked for. Without a family there is nothing but who the node is. */
export function* detailedPage(services: Services, { families, vhosts }: DetailedFilter): Generator<Piece, void, undefined> {
  const prefix: Prefix = 'rabbitmq_detailed_';
  const isWanted = (group: string | null): boolean => group !== null && families.has(group);
  yield* nodePart(
    services,
    prefix,
    nodeFamilies.filter(family => isWanted(family.group)),
  );
  if (isWanted('auth_attempt_metrics')) yield authentications(services, prefix);
  yield* queuePart(
    services,
    prefix,
    queueFamilies(services).filter(family => isWanted(family.group)),
    vhosts,
  );
  if ([...families].some(family => family.startsWith('queue_'))) yield* queueInfoPart(services, prefix, vhosts);
  if (isWanted('channel_queue_exchange_metrics') || isWanted('queue_exchange_metrics')) yield* publishedPart(services, prefix, vhosts);
  if (isWanted('exchange_metrics')) yield* exchangePart(services, prefix, vhosts);
  yield* channelPart(
    services,
    prefix,
    channelFamilies.filter(family => isWanted(family.group)),
  );
  yield* connectionPart(
    services,
    prefix,
    connectionFamilies.filter(family => isWanted(family.group)),
  );
  yield* clusterPart(services, families, vhosts);
  yield identities(services, 'detailed');
}

/** /metrics/memory-breakdown */
export function* memoryPage(services: Services): Generator<Piece, void, undefined> {
  for (const [name, value] of Object.entries(memoryView(services))) {
    if (typeof value !== 'number') continue;
    yield single('rabbitmq_', { name: `memory_${name}_bytes`, type: 'gauge', help: `Memory of ${name}` }, value);
  }
  yield identities(services, 'memory-breakdown');
}

function* nodePart(services: Services, prefix: Prefix, families: readonly NodeFamily[]): Generator<Piece, void, undefined> {
  for (const family of families) yield single(prefix, family, family.value(services));
}

function* queuePart(
  services: Services,
  prefix: Prefix,
  families: readonly ObjectFamily<Queue>[],
  vhosts: ReadonlySet<string> | null,
): Generator<Piece, void, undefined> {
  if (families.length === 0) return;
  const queues: Queue[] = [];
  const names: string[] = [];
  for (const queue of slices(allQueues(services, vhosts))) {
    if (queue === null) {
      yield null;
      continue;
    }
    queues.push(queue);
    names.push(labels({ vhost: queue.vhostName, queue: queue.name }));
  }
  yield* objectPart(prefix, families, queues, names);
}

/** What queues are, to join other series with. [RabbitMQ 4.1: queue_info] */
function* queueInfoPart(services: Services, prefix: Prefix, vhosts: ReadonlySet<string> | null): Generator<Piece, void, undefined> {
  const full = `${prefix}queue_info`;
  yield header(full, { name: 'queue_info', type: 'gauge', help: 'Type of the queue; this node is the leader of all' });
  for (const queue of slices(allQueues(services, vhosts))) {
    if (queue === null) {
      yield null;
      continue;
    }
    const pairs = { vhost: queue.vhostName, queue: queue.name, queue_type: queue.type.internalName, membership: 'leader' };
    yield `${full}${labels(pairs)} 1\n`;
  }
}

function* channelPart(
  services: Services,
  prefix: Prefix,
  families: readonly ObjectFamily<ConnectionChannel>[],
): Generator<Piece, void, undefined> {
  if (families.length === 0) return;
  const channels = allChannels(services);
  const names = channels.map(where => labels({ channel: nameOf(where), vhost: where.connection.vhostName }));
  yield* objectPart(prefix, families, channels, names);
}

function* connectionPart(
  services: Services,
  prefix: Prefix,
  families: readonly ObjectFamily<ConnectionInfo>[],
): Generator<Piece, void, undefined> {
  if (families.length === 0) return;
  const connections = [...services.core.connections];
  const names = connections.map(connection => labels({ channel: connection.name, vhost: connection.vhostName }));
  yield* objectPart(prefix, families, connections, names);
}

function* objectPart<Item>(
  prefix: Prefix,
  families: readonly ObjectFamily<Item>[],
  items: readonly Item[],
  names: readonly string[],
): Generator<Piece, void, undefined> {
  for (const family of families) {
    const name = fullName(prefix, family);
    let text = header(name, family);
    for (let i = 0; i < items.length; i++) {
      text += `${name}${names[i] as string} ${number(family.value(items[i] as Item))}\n`;
      if ((i + 1) % sliceCount !== 0) continue;
      yield text;
      text = '';
    }
    yield text;
  }
}

/** How much was published to each queue. */
function* publishedPart(services: Services, prefix: Prefix, vhosts: ReadonlySet<string> | null): Generator<Piece, void, undefined> {
  const name = `${prefix}queue_messages_published_total`;
  let text = header(name, { name, type: 'counter', help: 'Messages published to a queue' });
  for (const queue of slices(allQueues(services, vhosts))) {
    if (queue === null) {
      yield text;
      text = '';
      continue;
    }
    text += `${name}${labels({ queue_vhost: queue.vhostName, queue: queue.name })} ${queue.counters.published}\n`;
  }
  yield text;
}

function* exchangePart(services: Services, prefix: Prefix, vhosts: ReadonlySet<string> | null): Generator<Piece, void, undefined> {
  const counts = [
    ['exchange_messages_published_total', 'Messages published to an exchange', 'publishedIn'],
    ['exchange_messages_unroutable_returned_total', 'Mandatory messages that reached no queue', 'returnedUnroutable'],
    ['exchange_messages_unroutable_dropped_total', 'Other messages that reached no queue', 'droppedUnroutable'],
  ] as const;
  for (const [family, help, counter] of counts) {
    let text = header(`${prefix}${family}`, { name: family, type: 'counter', help });
    for (const vhost of services.core.vhosts.values()) {
      if (vhosts !== null && !vhosts.has(vhost.name)) continue;
      for (const exchange of vhost.exchanges.values()) {
        text += `${prefix}${family}${labels({ vhost: vhost.name, exchange: exchange.name })} ${exchange.counters[counter]}\n`;
        if (text.length < 64 * 1024) continue;
        yield text;
        text = '';
      }
    }
    yield text;
  }
}

/** rabbitmq_cluster_*: what is the same on all nodes. */
function* clusterPart(
  services: Services,
  families: ReadonlySet<string>,
  vhosts: ReadonlySet<string> | null,
): Generator<Piece, void, undefined> {
  const shown = [...services.core.vhosts.values()].filter(vhost => vhosts === null || vhosts.has(vhost.name));
  if (families.has('vhost_status'))
    yield series(
      'cluster_vhost_status',
      'gauge',
      '1 while a virtual host is up',
      shown.map(vhost => [{ vhost: vhost.name }, 1]),
    );
  for (const [group, name, help] of [
    ['exchange_names', 'cluster_exchange_name', 'Exchanges'],
    ['exchange_bindings', 'cluster_exchange_bindings', 'Bindings of an exchange'],
  ] as const) {
    if (!families.has(group)) continue;
    yield header(`rabbitmq_${name}`, { name, type: 'gauge', help });
    for (const vhost of shown) {
      let text = '';
      for (const exchange of vhost.exchanges.values()) {
        const value = group === 'exchange_names' ? 1 : exchange.bindings.size;
        text += `rabbitmq_${name}${labels({ vhost: vhost.name, exchange: exchange.name, type: exchange.type.name })} ${value}\n`;
      }
      yield text;
    }
  }
}

/** The smaller one; NaN stands for none. */
function earlier(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return b < a ? b : a;
}

/** Channels and connections, summed; counters as what the whole node has counted, which never falls. */
function* summedObjects(services: Services, totals: Totals): Generator<Piece, void, undefined> {
  const { published: publishedCount, confirmed, returnedUnroutable, droppedUnroutable } = totals.traffic;
  const counters: Readonly<Record<string, number>> = {
    channel_messages_published_total: publishedCount,
    channel_messages_confirmed_total: confirmed,
    channel_messages_unroutable_returned_total: returnedUnroutable,
    channel_messages_unroutable_dropped_total: droppedUnroutable,
    channel_get_ack_total: delivered(totals, 'get'),
    channel_get_total: delivered(totals, 'get_no_ack'),
    channel_messages_delivered_ack_total: delivered(totals, 'deliver'),
    channel_messages_delivered_total: delivered(totals, 'deliver_no_ack'),
    channel_messages_redelivered_total: delivered(totals, 'redeliver'),
    channel_messages_acked_total: delivered(totals, 'ack'),
    channel_get_empty_total: delivered(totals, 'get_empty'),
  };
  const channels = allChannels(services);
  for (const family of channelFamilies) {
    const known = counters[family.name];
    yield single('rabbitmq_', family, known ?? channels.reduce((sum, where) => sum + family.value(where), 0));
  }
  const { node } = services.statistics;
  const octets: Readonly<Record<string, string>> = {
    connection_incoming_bytes_total: 'recv_oct',
    connection_outgoing_bytes_total: 'send_oct',
  };
  const connections = [...services.core.connections];
  for (const family of connectionFamilies) {
    const column = octets[family.name];
    const live = connections.reduce((sum, connection) => sum + family.value(connection), 0);
    // Of connections that are gone the latest sample knows.
    yield single('rabbitmq_', family, column === undefined ? live : Math.max(live, node.latest(node.columns.index(column))));
  }
}

function delivered({ types }: Totals, name: (typeof deliverNames)[number]): number {
  let sum = 0;
  for (const { messages } of types.values()) sum += messages[queueDeliverAt + deliverNames.indexOf(name)] ?? 0;
  return sum;
}

function published({ types }: Totals): number {
  let sum = 0;
  for (const { messages } of types.values()) sum += messages[0] ?? 0;
  return sum;
}

function* countsPart(services: Services, totals: Totals, endpoint: Endpoint): Generator<Piece, void, undefined> {
  const { core } = services;
  yield single('rabbitmq_', { name: 'connections', type: 'gauge', help: 'Open connections' }, core.connections.size);
  yield single(
    'rabbitmq_',
    { name: 'channels', type: 'gauge', help: 'Open channels' },
    Math.max(0, core.counters.channelsOpened - core.counters.channelsClosed),
  );
  yield single('rabbitmq_', { name: 'consumers', type: 'gauge', help: 'Consumers' }, totals.consumers);
  yield single('rabbitmq_', { name: 'queues', type: 'gauge', help: 'Queues' }, totals.queues);
  yield identities(services, endpoint);
}

function startTime(): string {
  const name = 'process_start_time_seconds';
  return `${header(name, { name, type: 'gauge', help: 'When the process began' })}${name} ${Math.floor(Date.now() / 1000 - process.uptime())}\n`;
}

function single(prefix: Prefix, family: Family, value: number): string {
  const name = fullName(prefix, family);
  return `${header(name, family)}${name} ${number(value)}\n`;
}

function authentications(services: Services, prefix: Prefix): string {
  const attempts = authAttempts(services);
  const family = (name: string, help: string, value: (attempt: { succeeded: number; failed: number }) => number): string => {
    const full = `${prefix}${name}`;
    return (
      header(full, { name, type: 'counter', help }) +
      attempts.map(attempt => `${full}${labels({ protocol: attempt.protocol })} ${value(attempt)}\n`).join('')
    );
  };
  return (
    family('auth_attempts_total', 'Logins tried', ({ succeeded, failed }) => succeeded + failed) +
    family('auth_attempts_succeeded_total', 'Logins that succeeded', ({ succeeded }) => succeeded) +
    family('auth_attempts_failed_total', 'Logins that were refused', ({ failed }) => failed)
  );
}

/** Who the node is; dashboards join all other series with these. */
function identities(services: Services, endpoint: Endpoint): string {
  const { core } = services;
  const id = core.parameters.global('internal_cluster_id');
  const build = {
    rabbitmq_version: core.settings.productVersion,
    prometheus_plugin_version: core.settings.productVersion,
    prometheus_client_version: '4.9.1',
    erlang_version: process.versions.node,
    product_name: core.settings.product,
    product_version: core.settings.productVersion,
  };
  const identity = {
    rabbitmq_node: core.settings.nodeName,
    rabbitmq_cluster: clusterName(services),
    rabbitmq_cluster_permanent_id: typeof id === 'string' ? id : '',
    rabbitmq_endpoint: endpoint,
  };
  return (
    series('build_info', 'untyped', 'Versions', [[build, 1]]) +
    series('identity_info', 'untyped', 'Names of node and cluster', [[identity, 1]])
  );
}

function* allQueues(services: Services, vhosts: ReadonlySet<string> | null): Iterable<Queue> {
  for (const vhost of services.core.vhosts.values()) {
    if (vhosts === null || vhosts.has(vhost.name)) yield* vhost.queues.values();
  }
}

function allChannels(services: Services): ConnectionChannel[] {
  const channels: ConnectionChannel[] = [];
  for (const connection of services.core.connections)
    for (const channel of connection.channelInfos()) channels.push({ connection, channel });
  return channels;
}

/** The items, with a null in between now and then. */
function* slices<Item>(items: Iterable<Item>): Iterable<Item | null> {
  let count = 0;
  for (const item of items) {
    yield item;
    if (++count % sliceCount === 0) yield null;
  }
}
