// What is large and asked for at once: each is made ready, then done while the broker's longest hold is watched.
import { BenchClient } from '../macro/client.ts';
import { method, shortstr, u16, u32, u64, u8 } from '../macro/frames.ts';
import {
  boundExchange,
  consumeFrame,
  count,
  declareFrame,
  definitionsOf,
  durable,
  exclusive,
  fillQueue,
  leave,
  openClients,
  pipeline,
  type Site,
  untilCount,
  untilReady,
  withoutQueues,
  withUnacked,
} from './given.ts';
import { api, pause } from './measure.ts';

export interface Work {
  readonly name: string;
  readonly what: string;
  /** Makes it ready; resolves with what is to be measured. */
  prepare(site: Site): Promise<() => Promise<unknown>>;
  /** Takes away what is left. */
  clean(site: Site): Promise<unknown>;
}

const nothingLeft = (): Promise<void> => Promise.resolve();

/** What is done, with what was made ready for it. */
function work<Given>(
  name: string,
  what: string,
  given: (site: Site) => Promise<Given>,
  act: (given: Given, site: Site) => Promise<unknown>,
  clean: (site: Site) => Promise<unknown> = nothingLeft,
): Work {
  return {
    name,
    what,
    async prepare(site) {
      const made = await given(site);
      return () => act(made, site);
    },
    clean,
  };
}

// --- what they are done on

const imported = (site: Site): Promise<unknown> => definitionsOf(site, 'imported', 10_000, 1000);
const asItIs = (): Promise<void> => Promise.resolve();

async function withQueue(site: Site): Promise<BenchClient> {
  const client = await BenchClient.open(site.port);
  await client.declareQueue('held', true);
  return client;
}

const filled =
  (isPersistent: boolean) =>
  async (site: Site): Promise<BenchClient> => {
    const client = await withQueue(site);
    await fillQueue(site, 'held', count(site, 1_000_000), 16, isPersistent);
    return client;
  };

const unacked =
  (total: number) =>
  (site: Site): Promise<BenchClient> =>
    withUnacked(site, 'held', count(site, total));

const bound =
  (type: string) =>
  (site: Site): Promise<BenchClient> =>
    boundExchange(site, type, count(site, 100_000));

async function consumed(site: Site): Promise<BenchClient> {
  const client = await withQueue(site);
  await pipeline(client, count(site, 10_000), index => consumeFrame('held', `c-${index}`, 0));
  return client;
}

async function publishers(site: Site): Promise<BenchClient[]> {
  const clients = await openClients(site, count(site, 8000), true);
  await pause(1000);
  return clients;
}

const tenQueues = Array.from({ length: 10 }, (_, index) => `held-${index}`);
const shardNames = (site: Site): string[] =>
  Array.from({ length: count(site, 4096) }, (_, index) => `sharding: held - rabbit@localhost - ${index}`);

// --- what is done

const importAll = (definitions: unknown, site: Site): Promise<unknown> => api(site.httpPort, 'POST', '/api/definitions', definitions);
const purge = (client: BenchClient): Promise<unknown> => client.call(method(1, 50, 30, u16(0), shortstr('held'), u8(0)), 50, 31);
const deleteQueue = (client: BenchClient): Promise<unknown> => client.deleteQueue('held');
const deleteExchange = (client: BenchClient): Promise<unknown> => client.call(method(1, 40, 20, u16(0), shortstr('held'), u8(0)), 40, 21);
const closeChannel = (client: BenchClient): Promise<unknown> =>
  client.call(method(1, 20, 40, u16(200), shortstr(''), u16(0), u16(0)), 20, 41);

/** The settlement of all there is, which is done when the next method is answered. */
const settleAll =
  (methodId: number) =>
  async (client: BenchClient): Promise<void> => {
    client.socket.write(method(1, 60, methodId, u64(0), u8(1)));
    await client.declareQueue('held', true);
  };

const putPolicy = (site: Site, target: string, definition: unknown): Promise<unknown> =>
  api(site.httpPort, 'PUT', '/api/policies/%2F/held', { pattern: '^held$', 'apply-to': target, definition });
const deletePolicy = (site: Site): Promise<unknown> => api(site.httpPort, 'DELETE', '/api/policies/%2F/held');

// --- what takes away what is left

const withoutQueue = (site: Site): Promise<void> => withoutQueues(site, ['held']);
const withoutTenQueues = (site: Site): Promise<void> => withoutQueues(site, tenQueues);

async function withoutExchange(site: Site): Promise<void> {
  const client = await BenchClient.open(site.port);
  await deleteExchange(client);
  client.socket.destroy();
}

async function withoutNamed(site: Site, names: readonly string[]): Promise<void> {
  const client = await BenchClient.open(site.port);
  await pipeline(client, names.length, index => method(1, 50, 40, u16(0), shortstr(names[index] as string), u8(0)));
  client.socket.destroy();
}

/** A policy that leaves `left` messages in a long queue. */
function policyOfQueue(name: string, what: string, left: number, definition: unknown): Work {
  return work(
    name,
    what,
    async site => {
      const client = await filled(false)(site);
      await client.declareQueue('held-dead', true);
      return client;
    },
    async (client, site) => {
      await putPolicy(site, 'queues', definition);
      await untilCount(client, 'held', ready => ready === left);
    },
    async site => {
      await deletePolicy(site);
      await withoutQueues(site, ['held', 'held-dead']);
    },
  );
}

const exchangeDeletion = (type: string): Work =>
  work(`exchange-${type}`, `deletes a ${type} exchange with 100,000 bindings`, bound(type), deleteExchange, withoutTenQueues);

let left: readonly BenchClient[] = [];

export const works: readonly Work[] = [
  work('import', 'imports 10,000 queues, 10,000 bindings, 1,000 users with a permission each', imported, importAll),
  work('import-again', 'the same again, of which nothing is new', imported, importAll),
  work('export', 'exports 10,000 queues, 10,000 bindings, 1,000 users', asItIs, (_, site) => api(site.httpPort, 'GET', '/api/definitions')),
  work('policy', 'a policy that matches 10,000 queues, put and deleted', asItIs, async (_, { httpPort }) => {
    const definition = { 'max-length': 1000, 'dead-letter-exchange': 'amq.direct' };
    await api(httpPort, 'PUT', '/api/policies/imported/all', { pattern: '^orders', 'apply-to': 'queues', definition });
    await api(httpPort, 'DELETE', '/api/policies/imported/all');
  }),
  work('permission', 'changes a permission with 1,000 users in the virtual host', asItIs, (_, { httpPort }) =>
    api(httpPort, 'PUT', '/api/permissions/imported/user-1', { configure: '^x', write: '^(a|b)', read: '.*' }),
  ),
  work('users', 'deletes 1,000 users at once', asItIs, (_, site) => {
    const users = Array.from({ length: count(site, 1000) }, (_each, index) => `user-${index}`);
    return api(site.httpPort, 'POST', '/api/users/bulk-delete', { users });
  }),
  work(
    'vhost-connections',
    'deletes a virtual host with 10,000 bound queues and 500 connections',
    async site => {
      const clients = await openClients(site, count(site, 500), false, 'imported');
      for (const client of clients) client.onClosedByBroker = () => {};
      return clients;
    },
    async (clients, site) => {
      await api(site.httpPort, 'DELETE', '/api/vhosts/imported');
      await leave(clients);
    },
  ),
  work(
    'user-vhosts',
    'deletes a user with permissions in 1,000 virtual hosts',
    site => {
      const names = Array.from({ length: count(site, 1000) }, (_, index) => `many-${index}`);
      return api(site.httpPort, 'POST', '/api/definitions', {
        users: [{ name: 'everywhere', password_hash: '', tags: [] }],
        vhosts: names.map(name => ({ name })),
        permissions: names.map(name => ({ user: 'everywhere', vhost: name, configure: '.*', write: '.*', read: '.*' })),
      });
    },
    (_, site) => api(site.httpPort, 'DELETE', '/api/users/everywhere'),
    async site => {
      for (let index = 0; index < count(site, 1000); index++) await api(site.httpPort, 'DELETE', `/api/vhosts/many-${index}`);
    },
  ),
  work('purge', 'purges a queue of 1,000,000 persistent messages', filled(true), purge, withoutQueue),
  work('purge-transient', 'purges a queue of 1,000,000 transient messages', filled(false), purge, withoutQueue),
  work('delete', 'deletes a queue with 1,000,000 persistent messages', filled(true), deleteQueue),
  policyOfQueue('max-length', 'a policy that leaves 1 of 1,000,000 messages', 1, { 'max-length': 1 }),
  policyOfQueue('max-length-dead', 'the same, and dead-letters the others', 1, {
    'max-length': 1,
    'dead-letter-exchange': '',
    'dead-letter-routing-key': 'held-dead',
  }),
  policyOfQueue('message-ttl', 'a policy that lets 1,000,000 messages expire', 0, { 'message-ttl': 1 }),
  work(
    'shards',
    'a policy that gives an exchange 4,096 queues',
    async site => {
      const client = await BenchClient.open(site.port);
      await client.call(method(1, 40, 10, u16(0), shortstr('held'), shortstr('x-modulus-hash'), u8(durable), u32(0)), 40, 11);
    },
    (_, site) => putPolicy(site, 'exchanges', { 'shards-per-node': count(site, 4096) }),
    async site => {
      await deletePolicy(site);
      await withoutExchange(site);
      await withoutNamed(site, shardNames(site));
    },
  ),
  exchangeDeletion('direct'),
  exchangeDeletion('topic'),
  exchangeDeletion('fanout'),
  exchangeDeletion('headers'),
  work(
    'queue-bindings',
    'deletes a queue with 10,000 bindings',
    bound('topic'),
    client => client.deleteQueue('held-3'),
    async site => {
      await withoutTenQueues(site);
      await withoutExchange(site);
    },
  ),
  work(
    'exclusive',
    'a client leaves, and with it 100,000 exclusive queues',
    async site => {
      const client = await BenchClient.open(site.port);
      await pipeline(client, count(site, 99_000), index => declareFrame(`held-${index}`, exclusive));
      return client;
    },
    async client => {
      client.socket.end();
      await new Promise(resolve => client.socket.once('close', resolve));
    },
  ),
  work('leave', '8,000 clients leave at the same moment', publishers, leave),
  work('unacked-close', 'closes a channel with 100,000 unacknowledged messages', unacked(100_000), closeChannel, withoutQueue),
  work(
    'unacked-leave',
    'a client leaves with 1,000,000 unacknowledged messages',
    unacked(1_000_000),
    async (client, site) => {
      client.socket.destroy();
      await untilReady(await BenchClient.open(site.port), 'held', count(site, 1_000_000));
    },
    withoutQueue,
  ),
  work('ack-all', 'acknowledges 1,000,000 messages at once', unacked(1_000_000), settleAll(80), withoutQueue),
  work('nack-all', 'rejects 1,000,000 messages at once for good', unacked(1_000_000), settleAll(120), withoutQueue),
  work('consumers', 'closes a channel with 10,000 consumers of one queue', consumed, closeChannel, withoutQueue),
  work('consumed-queue', 'deletes a queue with 10,000 consumers', consumed, deleteQueue),
  work(
    'alarm',
    'an alarm with 8,000 connections that publish, and its end',
    publishers,
    async (clients, { httpPort }) => {
      await api(httpPort, 'PUT', '/api/nodes/rabbit@localhost/disk-free-limit', { absolute: 1e15 });
      await pause(500);
      await api(httpPort, 'PUT', '/api/nodes/rabbit@localhost/disk-free-limit', { absolute: 1 });
      await pause(500);
      left = clients;
    },
    async () => {
      await leave(left);
      await pause(3000);
    },
  ),
  work(
    'snapshot',
    'the journal puts down 90,000 queues while one more is declared',
    async site => {
      const client = await BenchClient.open(site.port);
      await pipeline(client, count(site, 90_000), index => declareFrame(`held-${index}`, durable));
      await pause(1000);
      return client;
    },
    async (client, site) => {
      // At most half a minute passes from one to the next.
      await client.declareQueue('one-more', true);
      await pause(40_000 * Math.min(1, site.scale * 2));
    },
    site =>
      withoutNamed(
        site,
        Array.from({ length: count(site, 90_000) }, (_, index) => `held-${index}`),
      ),
  ),
];
