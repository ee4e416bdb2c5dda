// Deletes the queues and exchanges of a case, so that the next one finds the virtual host as it was.
import { encodeFrame, encodeMethod, frameMethod, type Argument } from './frames.ts';
import { methodsByName } from './method-table.ts';
import { Peer } from './peer.ts';
import type { Target } from './player.ts';
import { Signal } from './signal.ts';

const attemptsMax = 80;

export class Cleaner {
  static readonly #cleaners = new Map<string, Cleaner>();
  readonly #target: Target;
  readonly #signal = new Signal();
  #peer: Peer | null = null;

  private constructor(target: Target) {
    this.#target = target;
  }

  /** One cleaner, with one connection, per broker. */
  static at(target: Target): Cleaner {
    const key = `${target.host}:${target.port}`;
    let cleaner = Cleaner.#cleaners.get(key);
    if (cleaner === undefined) {
      cleaner = new Cleaner(target);
      Cleaner.#cleaners.set(key, cleaner);
    }
    return cleaner;
  }

  static leaveAll(): void {
    for (const cleaner of Cleaner.#cleaners.values()) cleaner.#peer?.destroy();
    Cleaner.#cleaners.clear();
  }

  async remove(queues: readonly string[], exchanges: readonly string[]): Promise<void> {
    for (const queue of queues) if (!queue.startsWith('amq.rabbitmq.')) await this.#delete('queue.delete', 'queue', queue);
    for (const exchange of exchanges)
      if (exchange !== '' && !exchange.startsWith('amq.')) await this.#delete('exchange.delete', 'exchange', exchange);
  }

  /** A queue may still be locked by a connection that is going away, so a refusal is tried again for a while. */
  async #delete(method: string, field: string, name: string): Promise<void> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const peer = await this.#connected();
      peer.events = [];
      send(peer, 1, method, new Map([[field, Buffer.from(name)]]));
      await this.#signal.until(() => peer.events.length > 0 || peer.isClosed, 5000);
      if (peer.events[0]?.kind === `${method}-ok`) return;
      peer.destroy();
      this.#peer = null;
      await this.#signal.until(() => false, 25);
    }
    throw new Error(`cannot delete ${name}`);
  }

  async #connected(): Promise<Peer> {
    if (this.#peer !== null && !this.#peer.isClosed) return this.#peer;
    const peer = new Peer('cleaner', this.#target.host, this.#target.port, () => this.#signal.notify());
    const expect = async (kind: string): Promise<void> => {
      await this.#signal.until(() => peer.events.length > 0 || peer.isClosed, 5000);
      const got = peer.events.shift();
      if (got?.kind !== kind) throw new Error(`cleaner expected ${kind}, got ${got?.text ?? 'nothing'}`);
    };
    peer.send(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1'));
    await expect('connection.start');
    send(
      peer,
      0,
      'connection.start-ok',
      new Map(
        [
          ['mechanism', 'PLAIN'],
          ['response', '\0guest\0guest'],
          ['locale', 'en_US'],
        ].map(([name = '', text = '']) => [name, Buffer.from(text)]),
      ),
    );
    await expect('connection.tune');
    send(
      peer,
      0,
      'connection.tune-ok',
      new Map(
        [
          ['channel-max', '10'],
          ['frame-max', '131072'],
          ['heartbeat', '0'],
        ].map(([name = '', text = '']) => [name, Buffer.from(text)]),
      ),
    );
    send(peer, 0, 'connection.open', new Map([['virtual-host', Buffer.from('/')]]));
    await expect('connection.open-ok');
    send(peer, 1, 'channel.open', new Map());
    await expect('channel.open-ok');
    this.#peer = peer;
    return peer;
  }
}

function send(peer: Peer, channel: number, name: string, given: ReadonlyMap<string, Argument>): void {
  const shape = methodsByName.get(name);
  if (shape !== undefined) peer.send(encodeFrame(frameMethod, channel, encodeMethod(shape, given)));
}
