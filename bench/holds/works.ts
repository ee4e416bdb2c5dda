// What is large and asked for at once: each is made ready, then done while the broker's longest hold is watched.
import { BenchClient } from '../macro/client.ts';
import { method, publish, shortstr, u16, u32, u64, u8 } from '../macro/frames.ts';
import { api, pause } from './measure.ts';

/** Where a work is done, and how much of it. */
export interface Site {
  readonly port: number;
  readonly httpPort: number;
  /** 1 for what the table says; less for a quick look. */
  readonly scale: number;
}

export interface Work {
  readonly name: string;
  readonly what: string;
  /** Makes it ready; resolves with what is to be measured. */
  prepare(site: Site): Promise<() => Promise<unknown>>;
  /** Takes away what is left. */
  clean?(site: Site): Promise<unknown>;
}

const durable = 2;
const exclusive = 4;
const declareFrame = (queue: string, bits: number): Buffer => method(1, 50, 10, u16(0), shortstr(queue), u8(bits), u32(0));
const consumeFrame = (queue: string, tag: string, bits: number): Buffer =>
  method(1, 60, 20, u16(0), shortstr(queue), shortstr(tag), u8(bits), u32(0));
const count = (site: Site, whole: number): number => Math.max(1, Math.floor(whole * site.scale));
const vhost = (name: string): string => encodeURIComponent(name);

/** Sends methods with 200 in flight until all are answered. */
async function pipeline(client: BenchClient, total: number, make: (index: number) => Buffer): Promise<void> {
  let [sent, answered] = [0, 0];
  await new Promise<void>(resolve => {
    const fill = (): void => {
      const batch: Buffer[] = [];
      while (sent < total && sent - answered < 200) batch.push(make(sent++));
      if (batch.length > 0) client.socket.write(Buffer.concat(batch));
    };
    client.start({
      onMethod() {
        if (++answered === total) resolve();
        else if (sent - answered <= 100) fill();
      },
      onBody() {},
    });
    fill();
  });
}

/** Publishes so many messages to a queue and waits until it has them all. */
async function fillQueue(site: Site, queue: string, total: number, bytes: number, isPersistent: boolean): Promise<void> {
  const client = await BenchClient.open(site.port);
  const one = publish('', queue, Buffer.alloc(bytes), isPersistent, client.frameBytesMax);
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => one));
  for (let sent = 0; sent < total; sent += 1000) {
    if (!client.socket.write(batch)) await new Promise(resolve => client.socket.once('drain', resolve));
  }
  await untilReady(client, queue, total);
  client.socket.destroy();
}

function untilReady(client: BenchClient, queue: string, total: number): Promise<void> {
  return untilCount(client, queue, ready => ready >= total);
}

async function untilCount(client: BenchClient, queue: string, isEnough: (ready: number) => boolean): Promise<void> {
  for (;;) {
    const reply = await client.call(declareFrame(queue, 1), 50, 11);
    if (isEnough(reply.readUInt32BE(1 + Buffer.byteLength(queue)))) return;
    await pause(20);
  }
}

async function definitionsOf(site: Site, vhostName: string, total: number, users = 0): Promise<unknown> {
  const name = (index: number): string => `orders.${index % 97}.queue-${index}`;
  const each = Array.from({ length: count(site, total) }, (_, index) => index);
  const userNames = Array.from({ length: users === 0 ? 0 : count(site, users) }, (_, index) => `user-${index}`);
  await api(site.httpPort, 'PUT', `/api/vhosts/${vhost(vhostName)}`, {});
  await api(site.httpPort, 'PUT', `/api/permissions/${vhost(vhostName)}/guest`, { configure: '.*', write: '.*', read: '.*' });
  return {
    users: userNames.map(user => ({ name: user, password_hash: 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR', tags: [] })),
    permissions: userNames.map(user => ({ user, vhost: vhostName, configure: `^${user}`, write: '.*', read: '^(amq\\.|orders)' })),
    queues: each.map(index => ({
      name: name(index),
      vhost: vhostName,
      durable: true,
      auto_delete: false,
      arguments: index % 3 === 0 ? { 'x-message-ttl': 60_000 } : {},
    })),
    bindings: each.map(index => ({
      source: 'amq.topic',
      vhost: vhostName,
      destination: name(index),
      destination_type: 'queue',
      routing_key: `a.${index}.#`,
      arguments: {},
    })),
  };
}

async function openClients(site: Site, total: number, isPublishing: boolean, vhostName = '/'): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  while (clients.length < total) {
    const batch = Math.min(50, total - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => BenchClient.open(site.port, '127.0.0.1', vhostName)))));
  }
  if (isPublishing) for (const client of clients) client.socket.write(publish('', 'nobody', Buffer.alloc(1), false, client.frameBytesMax));
  return clients;
}

let left: readonly BenchClient[] = [];
const leave = async (clients: readonly BenchClient[]): Promise<void> => {
  for (const client of clients) client.socket.destroy();
  await pause(500);
};

/** A channel with so many unacknowledged messages of a queue. */
async function withUnacked(site: Site, queue: string, total: number): Promise<BenchClient> {
  const client = await BenchClient.open(site.port);
  await client.declareQueue(queue, true);
  await fillQueue(site, queue, total, 16, true);
  let received = 0;
  await new Promise<void>(resolve => {
    client.start({
      onMethod(classId, methodId) {
        if (classId === 60 && methodId === 60 && ++received === total) resolve();
      },
      onBody() {},
    });
    client.socket.write(consumeFrame(queue, 'c', 0));
  });
  return client;
}

async function boundExchange(site: Site, type: string, total: number): Promise<BenchClient> {
  const client = await BenchClient.open(site.port);
  await client.call(method(1, 40, 10, u16(0), shortstr('held'), shortstr(type), u8(durable), u32(0)), 40, 11);
  for (let index = 0; index < 10; index++) await client.declareQueue(`held-${index}`, true);
  await pipeline(client, total, index =>
    method(1, 50, 20, u16(0), shortstr(`held-${index % 10}`), shortstr('held'), shortstr(`key.${index}.a`), u8(0), u32(0)),
  );
  return client;
}

async function withoutQueues(site: Site, names: readonly string[]): Promise<void> {
  const client = await BenchClient.open(site.port);
  for (const name of names) await client.deleteQueue(name);
  client.socket.destroy();
}

const tenQueues = Array.from({ length: 10 }, (_, index) => `held-${index}`);
const deleteExchange = (name: string): Buffer => method(1, 40, 20, u16(0), shortstr(name), u8(0));

function exchangeDeletion(type: string): Work {
  return {
    name: `exchange-${type}`,
    what: `deletes a ${type} exchange with 100,000 bindings`,
    async prepare(site) {
      const client = await boundExchange(site, type, count(site, 100_000));
      return () => client.call(deleteExchange('held'), 40, 21);
    },
    clean: site => withoutQueues(site, tenQueues),
  };
}

function longQueue(name: string, what: string, bytes: number, isPersistent: boolean, end: (client: BenchClient) => Promise<unknown>): Work {
  return {
    name,
    what,
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await client.declareQueue('held', true);
      await fillQueue(site, 'held', count(site, 1_000_000), bytes, isPersistent);
      return () => end(client);
    },
    clean: site => withoutQueues(site, ['held']),
  };
}

/** The policy leaves `left` messages in the queue. */
function policyWork(name: string, what: string, left: number, definition: unknown): Work {
  return {
    name,
    what,
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await client.declareQueue('held', true);
      await fillQueue(site, 'held', count(site, 1_000_000), 16, false);
      await client.declareQueue('held-dead', true);
      return async () => {
        await api(site.httpPort, 'PUT', '/api/policies/%2F/held', { pattern: '^held$', 'apply-to': 'queues', definition });
        await untilCount(client, 'held', ready => ready === left);
      };
    },
    async clean(site) {
      await api(site.httpPort, 'DELETE', '/api/policies/%2F/held');
      await withoutQueues(site, ['held', 'held-dead']);
    },
  };
}

const purge = (client: BenchClient): Promise<unknown> => client.call(method(1, 50, 30, u16(0), shortstr('held'), u8(0)), 50, 31);
const settleAll = (methodId: number, ...parts: Buffer[]): Buffer => method(1, 60, methodId, u64(0), ...parts);

export const works: readonly Work[] = [
  {
    name: 'import',
    what: 'imports 10,000 queues, 10,000 bindings, 1,000 users with a permission each',
    async prepare(site) {
      const definitions = await definitionsOf(site, 'imported', 10_000, 1000);
      return () => api(site.httpPort, 'POST', '/api/definitions', definitions);
    },
  },
  {
    name: 'import-again',
    what: 'the same again, of which nothing is new',
    async prepare(site) {
      const definitions = await definitionsOf(site, 'imported', 10_000, 1000);
      return () => api(site.httpPort, 'POST', '/api/definitions', definitions);
    },
  },
  {
    name: 'export',
    what: 'exports 10,000 queues, 10,000 bindings, 1,000 users',
    prepare: site => Promise.resolve(() => api(site.httpPort, 'GET', '/api/definitions')),
  },
  {
    name: 'policy',
    what: 'a policy that matches 10,000 queues, put and deleted',
    prepare: site =>
      Promise.resolve(async () => {
        const definition = { 'max-length': 1000, 'dead-letter-exchange': 'amq.direct' };
        await api(site.httpPort, 'PUT', '/api/policies/imported/all', { pattern: '^orders', 'apply-to': 'queues', definition });
        await api(site.httpPort, 'DELETE', '/api/policies/imported/all');
      }),
  },
  {
    name: 'permission',
    what: 'changes a permission with 1,000 users in the virtual host',
    prepare: site =>
      Promise.resolve(() =>
        api(site.httpPort, 'PUT', '/api/permissions/imported/user-1', { configure: '^x', write: '^(a|b)', read: '.*' }),
      ),
  },
  {
    name: 'users',
    what: 'deletes 1,000 users at once',
    prepare: site => {
      const users = Array.from({ length: count(site, 1000) }, (_, index) => `user-${index}`);
      return Promise.resolve(() => api(site.httpPort, 'POST', '/api/users/bulk-delete', { users }));
    },
  },
  {
    name: 'vhost-connections',
    what: 'deletes a virtual host with 10,000 bound queues and 500 connections',
    async prepare(site) {
      const clients = await openClients(site, count(site, 500), false, 'imported');
      for (const client of clients) client.onClosedByBroker = () => {};
      return async () => {
        await api(site.httpPort, 'DELETE', '/api/vhosts/imported');
        await leave(clients);
      };
    },
  },
  {
    name: 'user-vhosts',
    what: 'deletes a user with permissions in 1,000 virtual hosts',
    async prepare(site) {
      const names = Array.from({ length: count(site, 1000) }, (_, index) => `many-${index}`);
      await api(site.httpPort, 'POST', '/api/definitions', {
        users: [{ name: 'everywhere', password_hash: '', tags: [] }],
        vhosts: names.map(name => ({ name })),
        permissions: names.map(name => ({ user: 'everywhere', vhost: name, configure: '.*', write: '.*', read: '.*' })),
      });
      return () => api(site.httpPort, 'DELETE', '/api/users/everywhere');
    },
    async clean(site) {
      for (let index = 0; index < count(site, 1000); index++) await api(site.httpPort, 'DELETE', `/api/vhosts/many-${index}`);
    },
  },
  longQueue('purge', 'purges a queue of 1,000,000 persistent messages', 16, true, purge),
  longQueue('purge-transient', 'purges a queue of 1,000,000 transient messages', 16, false, purge),
  longQueue('delete', 'deletes a queue with 1,000,000 persistent messages', 16, true, client => client.deleteQueue('held')),
  policyWork('max-length', 'a policy that leaves 1 of 1,000,000 messages', 1, { 'max-length': 1 }),
  policyWork('max-length-dead', 'the same, and dead-letters the others', 1, {
    'max-length': 1,
    'dead-letter-exchange': '',
    'dead-letter-routing-key': 'held-dead',
  }),
  policyWork('message-ttl', 'a policy that lets 1,000,000 messages expire', 0, { 'message-ttl': 1 }),
  {
    name: 'shards',
    what: 'a policy that gives an exchange 4,096 queues',
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await client.call(method(1, 40, 10, u16(0), shortstr('held'), shortstr('x-modulus-hash'), u8(durable), u32(0)), 40, 11);
      const definition = { 'shards-per-node': count(site, 4096) };
      return () => api(site.httpPort, 'PUT', '/api/policies/%2F/held', { pattern: '^held$', 'apply-to': 'exchanges', definition });
    },
    async clean(site) {
      await api(site.httpPort, 'DELETE', '/api/policies/%2F/held');
      const client = await BenchClient.open(site.port);
      await client.call(deleteExchange('held'), 40, 21);
      const names = Array.from({ length: count(site, 4096) }, (_, index) => `sharding: held - rabbit@localhost - ${index}`);
      await pipeline(client, names.length, index => method(1, 50, 40, u16(0), shortstr(names[index] as string), u8(0)));
      client.socket.destroy();
    },
  },
  exchangeDeletion('direct'),
  exchangeDeletion('topic'),
  exchangeDeletion('fanout'),
  exchangeDeletion('headers'),
  {
    name: 'queue-bindings',
    what: 'deletes a queue with 10,000 bindings',
    async prepare(site) {
      const client = await boundExchange(site, 'topic', count(site, 100_000));
      return () => client.deleteQueue('held-3');
    },
    async clean(site) {
      await withoutQueues(site, tenQueues);
      const client = await BenchClient.open(site.port);
      await client.call(deleteExchange('held'), 40, 21);
      client.socket.destroy();
    },
  },
  {
    name: 'exclusive',
    what: 'a client leaves, and with it 100,000 exclusive queues',
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await pipeline(client, count(site, 99_000), index => declareFrame(`held-${index}`, exclusive));
      return async () => {
        client.socket.end();
        await new Promise(resolve => client.socket.once('close', resolve));
      };
    },
  },
  {
    name: 'leave',
    what: '8,000 clients leave at the same moment',
    async prepare(site) {
      const clients = await openClients(site, count(site, 8000), true);
      await pause(1000);
      return () => leave(clients);
    },
  },
  {
    name: 'unacked-close',
    what: 'closes a channel with 100,000 unacknowledged messages',
    async prepare(site) {
      const client = await withUnacked(site, 'held', count(site, 100_000));
      return () => client.call(method(1, 20, 40, u16(200), shortstr(''), u16(0), u16(0)), 20, 41);
    },
    clean: site => withoutQueues(site, ['held']),
  },
  {
    name: 'unacked-leave',
    what: 'a client leaves with 1,000,000 unacknowledged messages',
    async prepare(site) {
      const client = await withUnacked(site, 'held', count(site, 1_000_000));
      return async () => {
        client.socket.destroy();
        const other = await BenchClient.open(site.port);
        await untilReady(other, 'held', count(site, 1_000_000));
      };
    },
    clean: site => withoutQueues(site, ['held']),
  },
  {
    name: 'ack-all',
    what: 'acknowledges 1,000,000 messages at once',
    async prepare(site) {
      const client = await withUnacked(site, 'held', count(site, 1_000_000));
      return async () => {
        client.socket.write(settleAll(80, u8(1)));
        await client.declareQueue('held', true);
      };
    },
    clean: site => withoutQueues(site, ['held']),
  },
  {
    name: 'nack-all',
    what: 'rejects 1,000,000 messages at once for good',
    async prepare(site) {
      const client = await withUnacked(site, 'held', count(site, 1_000_000));
      return async () => {
        client.socket.write(settleAll(120, u8(1)));
        await client.declareQueue('held', true);
      };
    },
    clean: site => withoutQueues(site, ['held']),
  },
  {
    name: 'consumers',
    what: 'closes a channel with 10,000 consumers of one queue',
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await client.declareQueue('held', true);
      await pipeline(client, count(site, 10_000), index => consumeFrame('held', `c-${index}`, 0));
      return () => client.call(method(1, 20, 40, u16(200), shortstr(''), u16(0), u16(0)), 20, 41);
    },
    clean: site => withoutQueues(site, ['held']),
  },
  {
    name: 'consumed-queue',
    what: 'deletes a queue with 10,000 consumers',
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await client.declareQueue('held', true);
      await pipeline(client, count(site, 10_000), index => consumeFrame('held', `c-${index}`, 0));
      return () => client.deleteQueue('held');
    },
  },
  {
    name: 'alarm',
    what: 'an alarm with 8,000 connections that publish, and its end',
    async prepare(site) {
      const clients = await openClients(site, count(site, 8000), true);
      await pause(1000);
      return async () => {
        await api(site.httpPort, 'PUT', '/api/nodes/rabbit@localhost/disk-free-limit', { absolute: 1e15 });
        await pause(500);
        await api(site.httpPort, 'PUT', '/api/nodes/rabbit@localhost/disk-free-limit', { absolute: 1 });
        await pause(500);
        left = clients;
      };
    },
    clean: async () => {
      await leave(left);
      await pause(3000);
    },
  },
  {
    name: 'snapshot',
    what: 'the journal puts down 90,000 queues while one more is declared',
    async prepare(site) {
      const client = await BenchClient.open(site.port);
      await pipeline(client, count(site, 90_000), index => declareFrame(`held-${index}`, durable));
      await pause(1000);
      return async () => {
        // At most half a minute passes from one to the next.
        await client.declareQueue('one-more', true);
        await pause(40_000 * Math.min(1, site.scale * 2));
      };
    },
    async clean(site) {
      const client = await BenchClient.open(site.port);
      await pipeline(client, count(site, 90_000), index => method(1, 50, 40, u16(0), shortstr(`held-${index}`), u8(0)));
      client.socket.destroy();
    },
  },
];
