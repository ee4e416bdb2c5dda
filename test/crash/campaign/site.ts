import { FastClient, type FastEvents } from '../../support/fast-client.ts';
import { FastMqtt, type MqttEvents } from '../../support/fast-mqtt.ts';
import { FastStomp } from '../../support/fast-stomp.ts';
import type { Random } from '../../support/random.ts';
import type { Ledger } from './ledger.ts';
import type { Memory } from './memory.ts';
import type { Ports } from './ports.ts';
import { type Kind, kinds } from './topology.ts';

/** How much there is to do. */
export interface LoadSize {
  readonly publishers: number;
  /** Messages of one write, and unconfirmed ones of one publisher. */
  readonly batch: number;
  readonly window: number;
  readonly kinds: readonly Kind[];
}

export const fullLoad: LoadSize = { publishers: 3, batch: 120, window: 1500, kinds };

/** What the clients of one life of a broker share. */
export class Site {
  readonly ports: Ports;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly memory: Memory;
  readonly size: LoadSize;
  /** The broker is gone: nobody sends any more. */
  isOver = false;
  readonly #clients: { destroy(): void }[] = [];

  constructor(ports: Ports, ledger: Ledger, random: Random, memory: Memory, size: LoadSize = fullLoad) {
    this.ports = ports;
    this.ledger = ledger;
    this.random = random;
    this.memory = memory;
    this.size = size;
  }

  async amqp(events: Partial<FastEvents> = {}): Promise<FastClient> {
    return this.#add(await FastClient.connect(this.ports.amqp, { delivered() {}, confirmed() {}, ...events }));
  }

  async mqtt(clientId: string, events: Partial<MqttEvents>): Promise<FastMqtt> {
    return this.#add(await FastMqtt.connect(this.ports.mqtt, clientId, { published() {}, acked() {}, ...events }));
  }

  async stomp(onFrame: Parameters<typeof FastStomp.connect>[1]): Promise<FastStomp> {
    return this.#add(await FastStomp.connect(this.ports.stomp, onFrame));
  }

  /** Whether queues of a kind are declared and looked at: classic ones always are, for what others need of them. */
  has(kind: Kind): boolean {
    return kind === 'classic' || this.size.kinds.includes(kind);
  }

  /** Messages that one of the slower protocols has under way. */
  get narrowWindow(): number {
    return Math.ceil(this.size.window / 10);
  }

  /** All clients go. */
  end(): void {
    this.isOver = true;
    for (const client of this.#clients) client.destroy();
  }

  #add<Client extends { destroy(): void }>(client: Client): Client {
    this.#clients.push(client);
    if (this.isOver) client.destroy();
    return client;
  }
}

/** A client at work: resolves when its connection is over. */
export type Work = (site: Site) => Promise<void>;
