// A TCP relay in front of the broker, so that a check can cut a client's connections without touching the broker.
import { connect, createServer } from 'node:net';

export class Relay {
  #target;
  #server = null;
  #port = 0;
  #sockets = new Set();
  /** Connections taken since the start. */
  connections = 0;

  /** @param {string} brokerUrl where to relay to */
  constructor(brokerUrl) {
    this.#target = new URL(brokerUrl);
  }

  /** The broker's URL by way of this relay. */
  get url() {
    const url = new URL(this.#target);
    url.host = `127.0.0.1:${this.#port}`;
    return url.href;
  }

  /** Accepts connections: on a free port at first, on the same port again after `refuse`. */
  async accept() {
    this.#server = createServer(client => {
      this.connections += 1;
      const broker = connect({ host: this.#target.hostname, port: Number(this.#target.port || 5672) });
      for (const [one, other] of [
        [client, broker],
        [broker, client],
      ]) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = this.#server.address().port;
  }

  /** Cuts every connection without a word, as a failing network does. */
  cut() {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Cuts every connection and takes no new one until `accept`. */
  async refuse() {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
