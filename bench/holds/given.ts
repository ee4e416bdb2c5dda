// What large works are done on: queues with very many messages, bindings or consumers, and very many clients.
import { BenchClient } from '../macro/client.ts';
import { method, publish, shortstr, u16, u32, u8 } from '../macro/frames.ts';
import { api, pause } from './measure.ts';

/** Where a work is done, and how much of it. */
export interface Site {
  readonly port: number;
  readonly httpPort: number;
  /** 1 for what the table says; less for a quick look. */
  readonly scale: number;
}

export const durable = 2;
export const exclusive = 4;
export const declareFrame = (queue: string, bits: number): Buffer => method(1, 50, 10, u16(0), shortstr(queue), u8(bits), u32(0));
export const consumeFrame = (queue: string, tag: string, bits: number): Buffer =>
  method(1, 60, 20, u16(0), shortstr(queue), shortstr(tag), u8(bits), u32(0));
export const count = (site: Site, whole: number): number => Math.max(1, Math.floor(whole * site.scale));
const vhost = (name: string): string => encodeURIComponent(name);

/** Sends methods with 200 in flight until all are answered. */
export async function pipeline(client: BenchClient, total: number, make: (index: number) => Buffer): Promise<void> {
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
export async function fillQueue(site: Site, queue: string, total: number, bytes: number, isPersistent: boolean): Promise<void> {
  const client = await BenchClient.open(site.port);
  const one = publish('', queue, Buffer.alloc(bytes), isPersistent, client.frameBytesMax);
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => one));
  for (let sent = 0; sent < total; sent += 1000) {
    if (!client.socket.write(batch)) await new Promise(resolve => client.socket.once('drain', resolve));
  }
  await untilReady(client, queue, total);
  client.socket.destroy();
}

export function untilReady(client: BenchClient, queue: string, total: number): Promise<void> {
  return untilCount(client, queue, ready => ready >= total);
}

export async function untilCount(client: BenchClient, queue: string, isEnough: (ready: number) => boolean): Promise<void> {
  for (;;) {
    const reply = await client.call(declareFrame(queue, 1), 50, 11);
    if (isEnough(reply.readUInt32BE(1 + Buffer.byteLength(queue)))) return;
    await pause(20);
  }
}

export async function definitionsOf(site: Site, vhostName: string, total: number, users = 0): Promise<unknown> {
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

export async function openClients(site: Site, total: number, isPublishing: boolean, vhostName = '/'): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  while (clients.length < total) {
    const batch = Math.min(50, total - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => BenchClient.open(site.port, '127.0.0.1', vhostName)))));
  }
  if (isPublishing) for (const client of clients) client.socket.write(publish('', 'nobody', Buffer.alloc(1), false, client.frameBytesMax));
  return clients;
}

export const leave = async (clients: readonly BenchClient[]): Promise<void> => {
  for (const client of clients) client.socket.destroy();
  await pause(500);
};

/** A channel with so many unacknowledged messages of a queue. */
export async function withUnacked(site: Site, queue: string, total: number): Promise<BenchClient> {
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

export async function boundExchange(site: Site, type: string, total: number): Promise<BenchClient> {
  const client = await BenchClient.open(site.port);
  await client.call(method(1, 40, 10, u16(0), shortstr('held'), shortstr(type), u8(durable), u32(0)), 40, 11);
  for (let index = 0; index < 10; index++) await client.declareQueue(`held-${index}`, true);
  await pipeline(client, total, index =>
    method(1, 50, 20, u16(0), shortstr(`held-${index % 10}`), shortstr('held'), shortstr(`key.${index}.a`), u8(0), u32(0)),
  );
  return client;
}

export async function withoutQueues(site: Site, names: readonly string[]): Promise<void> {
  const client = await BenchClient.open(site.port);
  for (const name of names) await client.deleteQueue(name);
  client.socket.destroy();
}
