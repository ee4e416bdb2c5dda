import { ClosedError } from '../../support/fast-client.ts';
import type { Site, Work } from './site.ts';
import type { Kind } from './topology.ts';
import { administrate } from './work/administrate.ts';
import { consume } from './work/consume.ts';
import { receive, send } from './work/mqtt.ts';
import { publish } from './work/publish.ts';
import { readStream } from './work/read-stream.ts';
import { retrying, returning, returningAll, returningToQuorum, takingHeld } from './work/returning.ts';
import { sendByStomp, takeByStomp } from './work/stomp.ts';
import { transact } from './work/transact.ts';

/** Who is at work, by the kind of traffic; publishers are for all that goes by AMQP. */
const works: Readonly<Record<Kind, readonly Work[]>> = {
  classic: [administrate, transact, returning, consume],
  quorum: [returningToQuorum, returningAll],
  stream: [readStream, readStream],
  retry: [retrying],
  delay: [takingHeld],
  'mqtt-1': [site => send(site, site.memory.mqtt[1]), site => receive(site, site.memory.mqtt[1])],
  'mqtt-2': [site => send(site, site.memory.mqtt[2]), site => receive(site, site.memory.mqtt[2])],
  stomp: [sendByStomp, takeByStomp],
};

/** Clients that publish, consume, reject, purge, delete and transact until the broker is gone. */
export class Load {
  readonly #site: Site;
  readonly #work: Promise<void>[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  start(): void {
    const { size } = this.#site;
    const all: Work[] = size.kinds.flatMap(kind => works[kind]);
    for (let id = 0; id < size.publishers; id++) all.push(site => publish(site, id));
    // Whatever is still connecting when the broker dies is over as well.
    this.#work.push(...all.map(work => work(this.#site).catch((error: unknown) => this.#failed(error))));
  }

  /** The broker is gone. Resolves when all clients have noticed. */
  async end(): Promise<void> {
    this.#site.end();
    await Promise.all(this.#work);
  }

  #failed(error: unknown): void {
    // 320: a clean stop says that it stops.
    if (error instanceof ClosedError && error.replyCode !== 320)
      this.#site.ledger.violation('unexpected', `the broker refused: ${error.message}`);
  }
}
