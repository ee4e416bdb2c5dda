import { join } from 'node:path';
import { hashPassword } from '../auth/password.ts';
import { InternalBackend } from '../auth/internal-backend.ts';
import { defaultHashingAlgorithm, noUserLimits } from '../core/access/user.ts';
import { BrokerCore } from '../core/broker.ts';
import type { Logger } from '../core/ports/logger.ts';
import { silentLogger } from '../core/ports/logger.ts';
import type { BrokerSettings } from '../core/settings.ts';
import { AdmissionControl, connectionsMaxWithin } from '../net/admission.ts';
import { Listener } from '../net/listener.ts';
import { openFilesMax } from '../net/open-files.ts';
import { JournalStore } from '../store/journal/journal-store.ts';
import { NodeFiles } from '../store/journal/node-files.ts';
import { FrontEnd } from '../protocols/amqp091/front-end.ts';
import { LoopScheduler } from './loop-scheduler.ts';
import { exchangeTypes, messageFormats, queueTypes } from './registry.ts';
import { SystemClock } from './system-clock.ts';

/** How a broker in the calling process is to be. All of it is optional. */
export interface BrokerOptions {
  /** Where AMQP listens; default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The first user, an administrator with all permissions in `vhost`; default guest / guest. */
  readonly user?: string;
  readonly password?: string;
  /** The first virtual host; default "/". */
  readonly vhost?: string;
  readonly settings?: Partial<BrokerSettings>;
  readonly logger?: Logger;
  /** Directory for durable queues, persistent messages and definitions; without it everything is in memory. */
  readonly dataDir?: string;
  /** Called when the data directory failed (a write or sync error): nothing more is acknowledged. Default: the process exits with 70. */
  readonly onFatal?: (error: Error) => void;
}

/** How long clients have to take note of the end. */
const stopTimeoutMillis = 2000;

/**
 * A broker in this process, on a real port, in memory.
 *
 *     const broker = await Broker.start();
 *     const connection = await amqplib.connect(broker.amqpUrl);
 *     ...
 *     await broker.stop();
 */
export class Broker {
  readonly core: BrokerCore;
  readonly #store: JournalStore | null;
  readonly #listeners: Listener[];
  readonly #scheduler: LoopScheduler;
  readonly #options: BrokerOptions;
  #stopping: Promise<void> | null = null;

  private constructor(
    core: BrokerCore,
    store: JournalStore | null,
    listeners: Listener[],
    scheduler: LoopScheduler,
    options: BrokerOptions,
  ) {
    this.core = core;
    this.#store = store;
    this.#listeners = listeners;
    this.#scheduler = scheduler;
    this.#options = options;
  }

  /** Starts a broker; it serves when the promise resolves. Rejects with the system's error when the port cannot be used. */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const scheduler = new LoopScheduler();
    const logger = options.logger ?? silentLogger;
    const store =
      options.dataDir === undefined ? null : new JournalStore(new NodeFiles(join(options.dataDir, 'journal')), fatal(options, logger));
    const core = new BrokerCore({
      clock: new SystemClock(),
      scheduler,
      logger,
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(store === null ? {} : { durability: store.journal }),
    });
    const vhost = options.vhost ?? '/';
    const user = options.user ?? 'guest';
    const isBlank = store === null || store.isBlank;
    if (store !== null) recover(store, core, logger);
    if (isBlank) {
      core.addVhost({ name: vhost, description: 'Default virtual host', tags: [], defaultQueueType: null });
      core.access.addUser({
        name: user,
        passwordHash: hashPassword(options.password ?? 'guest', defaultHashingAlgorithm),
        hashingAlgorithm: defaultHashingAlgorithm,
        tags: ['administrator'],
        limits: noUserLimits,
      });
      core.access.putPermission({ user, vhost, configure: '.*', write: '.*', read: '.*' });
    }
    core.turn.run();
    const frontEnd = new FrontEnd(core, new InternalBackend(core.access, core.settings.loopbackUsers));
    const { settings } = core;
    const connectionsMax = connectionsMaxWithin(settings.connectionsMax, openFilesMax());
    const admission = new AdmissionControl({ ...settings, connectionsMax }, logger);
    const listener = new Listener(
      { host: options.host ?? '127.0.0.1', port: options.port ?? 0, outboxBytesMax: settings.outboxBytesMax },
      admission,
      link => frontEnd.accept(link),
    );
    await listener.start();
    return new Broker(core, store, [listener], scheduler, options);
  }

  /** The port AMQP is served on. */
  get port(): number {
    return (this.#listeners[0] as Listener).port;
  }

  /** What clients connect with. */
  get amqpUrl(): string {
    const { host = '127.0.0.1', user = 'guest', password = 'guest', vhost = '/' } = this.#options;
    const authority = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host.includes(':') ? `[${host}]` : host}:${this.port}`;
    return `amqp://${authority}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`;
  }

  /** Closes every connection with CONNECTION_FORCED and frees the port. Resolves when nothing is left. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    for (const connection of [...this.core.connections]) {
      connection.close('CONNECTION_FORCED', "broker forced connection closure with reason 'shutdown'");
    }
    this.core.turn.run();
    const deadline = performance.now() + stopTimeoutMillis;
    while (this.core.connections.size > 0 && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5));
    for (const listener of this.#listeners) listener.destroyAll();
    await new Promise(resolve => setImmediate(resolve));
    await this.#store?.stop(this.core);
    this.#scheduler.stop();
  }
}

/** Exit code of a process whose data directory failed. */
const fatalExitCode = 70;

function fatal(options: BrokerOptions, logger: Logger): (error: Error) => void {
  return error => {
    logger.error('store', `the data directory failed, nothing more is acknowledged: ${error.message}`);
    if (options.onFatal !== undefined) options.onFatal(error);
    else process.exit(fatalExitCode);
  };
}

/** Brings the broker to where it was, and tells what was found. */
function recover(store: JournalStore, core: BrokerCore, logger: Logger): void {
  const report = store.recover(core);
  logger.info(
    'store',
    `recovered ${report.entries} messages from ${report.frames} frames in ${Math.round(report.millis)} ms${report.wasClean ? '' : ' after an unclean stop'}`,
  );
  if (report.tornBytes > 0) logger.warning('store', `truncated ${report.tornBytes} bytes of an unfinished write at the end of the journal`);
  for (const damage of report.damaged) logger.error('store', `damage in the journal: ${damage}`);
  core.counters.damagedRecords += report.damaged.length;
}
