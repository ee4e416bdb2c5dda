// Loopback ports: finding free ones, and waiting until a broker answers on one.
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * Ports that were free a moment ago. All are held together before any is given back, so they differ.
 * @throws Error when the machine has none to give
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

/** Whether a broker greets on this port: a port that is merely open may belong to a broker that is still booting. */
export function speaksAmqp(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    // connection.start: a method frame (type 1) on channel 0
    socket.once('data', bytes => finish(bytes[0] === 1 && bytes[1] === 0 && bytes[2] === 0));
  });
}

/** Whether anything accepts connections on this port. */
export function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
