import { once } from 'node:events';
import net from 'node:net';

/** A socket to a broker that may be killed at any time: what happens then is that it is closed, and nothing is thrown. */
export abstract class FastConnection {
  readonly socket: net.Socket;
  isOpen = true;
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;

  protected constructor(socket: net.Socket) {
    this.socket = socket;
    this.closed = new Promise(resolve => socket.on('close', () => resolve()));
    void this.closed.then(() => (this.isOpen = false));
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', bytes => {
      if (this.isOpen) this.received(bytes);
    });
  }

  /** @throws Error when nobody listens */
  protected static async open(port: number): Promise<net.Socket> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  protected abstract received(bytes: Buffer): void;

  write(bytes: Uint8Array): void {
    if (this.isOpen) this.socket.write(bytes);
  }

  destroy(): void {
    this.isOpen = false;
    this.socket.destroy();
  }
}
