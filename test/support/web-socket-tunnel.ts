import { once } from 'node:events';
import net from 'node:net';
import { WebSocket } from 'ws';
import type { Random } from './random.ts';

/** A port of this machine behind which everything goes to a broker inside a WebSocket, for clients that know sockets only. */
export interface WebSocketTunnel {
  readonly port: number;
  close(): void;
}

/** Sends messages of up to `messageBytesMax`, in frames that end wherever chance will have it. */
export async function webSocketTunnel(url: string, subProtocol: string, random: Random, messageBytesMax: number): Promise<WebSocketTunnel> {
  const carry = async (client: net.Socket): Promise<void> => {
    const webSocket = new WebSocket(url, subProtocol, { maxPayload: 0 });
    client.on('error', () => webSocket.terminate());
    webSocket.on('error', () => client.destroy());
    webSocket.on('message', (data: Buffer) => void client.write(data));
    webSocket.on('close', () => client.end());
    client.on('close', () => webSocket.close());
    client.pause();
    await once(webSocket, 'open');
    /** Bytes that the message which is being sent has already. */
    let sentBytes = 0;
    const finish = (): void => {
      if (sentBytes > 0 && webSocket.readyState === WebSocket.OPEN) webSocket.send('', { binary: true, fin: true });
      sentBytes = 0;
    };
    let silence: NodeJS.Timeout | undefined;
    client.on('data', data => {
      clearTimeout(silence);
      for (let at = 0; at < data.length; ) {
        const countMax = random.chance(0.2) ? random.between(1, 50) : 100_000;
        const end = Math.min(data.length, at + countMax, at + messageBytesMax - sentBytes);
        webSocket.send(data.subarray(at, end), { binary: true, fin: false });
        sentBytes += end - at;
        if (sentBytes === messageBytesMax) finish();
        at = end;
      }
      // A message has no length of its own: it ends when nothing more comes.
      silence = setTimeout(finish, 5);
    });
    client.resume();
  };
  const server = net.createServer(client => void carry(client));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => server.close(),
  };
}
