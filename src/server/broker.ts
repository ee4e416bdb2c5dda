import { join } from 'node:path';
import { InternalBackend } from '../auth/internal-backend.ts';
import { LoginThrottle, type LoginThrottleLimits, ThrottledBackend } from '../auth/login-throttle.ts';
import type { CertificateLogin } from '../auth/client-certificate.ts';
import { BrokerCore } from '../core/broker.ts';
import type { AuthBackend } from '../core/ports/auth-backend.ts';
import { type Logger, silentLogger } from '../core/ports/logger.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { CommitLog } from '../core/ports/commit-log.ts';
import type { Scheduler } from '../core/ports/scheduler.ts';
import type { BrokerSettings } from '../core/settings.ts';
import { AdmissionControl, connectionsMaxWithin } from '../net/admission.ts';
import type { Link } from '../net/link.ts';
import { Listener, type ListenerOptions } from '../net/listener.ts';
import { openFilesMax } from '../net/open-files.ts';
import { FrontEnd } from '../protocols/amqp091/front-end.ts';
import type { MqttOptions } from '../protocols/mqtt/options.ts';
import type { StompOptions } from '../protocols/stomp/options.ts';
import type { JournalStore } from '../store/journal/journal-store.ts';
import { MemoryCommits } from '../store/streams/memory-commits.ts';
import type { StreamStore } from '../store/streams/stream-store.ts';
import { DataDir } from './data-dir.ts';
import { type DiskLimit, DiskMonitor, freeDiskBytes, fullDiskLimit } from './disk-monitor.ts';
import { addFirstObjects, defaultFirstObjects, type FirstObjects } from './first-objects.ts';
import { ServerLogger } from './logging/server-logger.ts';
import { LoopScheduler } from './loop-scheduler.ts';
import { type MemoryLimit, MemoryMonitor } from './memory-monitor.ts';
import { openFullDisk, openStore, openStreams, recoverStore, type StoreOptions } from './open-store.ts';
import type { ProtocolFrontEnd } from './protocol-front-end.ts';
import { exchangeTypes, messageFormats, protocols, queueTypes } from './registry.ts';
import { SystemClock } from './system-clock.ts';

/** How a broker in the calling process is to be. All of it is optional. */
export interface BrokerOptions {
  /** Where AMQP listens; default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Several listeners, of any protocol, or one with TLS, PROXY protocol or WebSocket, in place of `host` and `port`. */
  readonly listeners?: readonly Partial<ListenerOptions>[];
  /** The first user; default guest / guest. */
  readonly user?: string;
  readonly password?: string;
  /** The first virtual host; default "/". */
  readonly vhost?: string;
  /** Tags and permissions of the first user; default: an administrator who may do everything. */
  readonly first?: Partial<Omit<FirstObjects, 'user' | 'password' | 'vhost'>>;
  /**
   * Definitions as RabbitMQ exports them: JSON texts, or what JSON.parse makes of them. When they have users, a new broker has these and
   * not the first user and virtual host.
   */
  readonly definitions?: readonly unknown[];
  /** Passes definitions over that are the same as those imported last, so that they do not undo what was changed since. */
  readonly skipsUnchangedDefinitions?: boolean;
  /** Whether a new broker has the first user and virtual host, whatever definitions say. */
  readonly hasFirstObjects?: boolean;
  readonly settings?: Partial<BrokerSettings>;
  /** How listeners of the protocol `stomp` behave. */
  readonly stomp?: Partial<StompOptions>;
  /** Called with each virtual host that is added, but for those that a data directory had already. @internal */
  readonly onVhostAdded?: (core: BrokerCore, vhost: string) => void;
  /** Which name in a client's certificate is its user, for the mechanism EXTERNAL. */
  readonly certificateLogin?: CertificateLogin;
  /** Of the user in `settings.anonymousUser`. */
  readonly anonymousPassword?: string;
  /** How MQTT is served, where a listener has the protocol 'mqtt'. */
  readonly mqtt?: Partial<MqttOptions>;
  readonly loginThrottle?: Partial<LoginThrottleLimits>;
  readonly logger?: Logger;
  /** Directory for durable queues, persistent messages and definitions; without it everything is in memory. */
  readonly dataDir?: string;
  /** Blocks publishers when the process needs more memory; without it they never are. */
  readonly memory?: MemoryLimit;
  /** Blocks publishers when the disk of the data directory is full. */
  readonly disk?: DiskLimit;
  /** For tests: how the journal keeps its files. @internal */
  readonly store?: StoreOptions;
  /** Called when the data directory failed (a write or sync error): nothing more is acknowledged. Default: the process exits with 70. */
  readonly onFatal?: (error: Error) => void;
}

/** Where a broker gets its time from, and who may hold up its commits: the machine's, or what a test puts in their place. @internal */
export interface BrokerSeams {
  readonly clock: Clock;
  readonly scheduler: Scheduler & { stop(): void };
  /** What says that something is durable, in place of `log`. */
  log?(log: CommitLog): CommitLog;
}

/** How long clients have to take note of the end. */
const stopTimeoutMillis = 2000;
const stopPollMillis = 5;
/** How long a stop waits for the disk before it tells the clients. */
const commitTimeoutMillis = 2000;

/**
 * A broker in this process, on a real port.
 *
 *     const broker = await Broker.start();
 *     const connection = await amqplib.connect(broker.amqpUrl);
 *     ...
 *     await broker.stop();
 */
export class Broker {
  /** @internal */
  readonly core: BrokerCore;
  /** Null for a broker in memory. @internal */
  readonly dataDir: DataDir | null;
  /** @internal */
  readonly memoryMonitor: MemoryMonitor | null;
  /** @internal */
  readonly diskMonitor: DiskMonitor | null;
  readonly listeners: readonly Listener[];
  /** @internal */
  readonly frontEnd: FrontEnd;
  /** Who says whose a password is, for every protocol. @internal */
  readonly auth: AuthBackend;
  readonly #store: JournalStore | null;
  readonly #streams: StreamStore;
  #fullMonitor: DiskMonitor | null = null;
  readonly #scheduler: BrokerSeams['scheduler'];
  protected readonly options: BrokerOptions;
  /** Of protocols besides AMQP 0-9-1, once they are loaded. */
  readonly #frontEnds = new Map<string, ProtocolFrontEnd>();
  #isRecovered = false;
  #stopping: Promise<void> | null = null;

  /** @internal */
  protected constructor(
    options: BrokerOptions,
    dataDir: DataDir | null,
    seams: BrokerSeams = { clock: new SystemClock(), scheduler: new LoopScheduler() },
  ) {
    this.options = options;
    this.dataDir = dataDir;
    const logger = options.logger ?? silentLogger;
    const journalPath = dataDir === null ? '' : join(dataDir.path, 'journal');
    const fullDisk = dataDir === null ? null : openFullDisk(journalPath, options.store);
    this.#store = fullDisk === null ? null : openStore(journalPath, logger, options.onFatal, fullDisk, options.store);
    this.#streams = openStreams(dataDir === null ? null : join(dataDir.path, 'streams'), fullDisk, options.store);
    this.#scheduler = seams.scheduler;
    const commits = this.#store === null ? new MemoryCommits(this.#streams) : this.#store.journal;
    const log = seams.log?.(commits) ?? commits;
    this.core = new BrokerCore({
      clock: seams.clock,
      scheduler: this.#scheduler,
      logger,
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      // Here, and nowhere else, the core gets what makes it durable.
      ...(this.#store === null ? {} : { durability: this.#store.journal }),
      log,
      streams: this.#streams,
    });
    const { core } = this;
    this.#streams.attach(core);
    this.#store?.journal.join(this.#streams);
    if (logger instanceof ServerLogger) logger.publishTo((level, line, contentType) => core.publishLog(level, line, contentType));
    const { settings } = core;
    this.memoryMonitor = options.memory === undefined ? null : new MemoryMonitor(core, options.memory);
    this.diskMonitor =
      options.disk === undefined || dataDir === null
        ? null
        : new DiskMonitor(
            core,
            options.disk,
            () => freeDiskBytes(dataDir.path),
            () => fullDisk?.keepReserve(),
          );
    if (fullDisk !== null && dataDir !== null) {
      // Without a limit there is no reserve, and nothing to watch until the disk is full.
      const monitor = this.diskMonitor ?? new DiskMonitor(core, fullDiskLimit, () => freeDiskBytes(dataDir.path));
      fullDisk.onFull = error => {
        this.#store?.journal.segments.keepSpares(false);
        monitor.full(error);
      };
      fullDisk.onRoom = () => this.#store?.journal.segments.keepSpares(true);
      this.#fullMonitor = monitor;
    }
    const throttle = new LoginThrottle(options.loginThrottle);
    this.auth = new ThrottledBackend(new InternalBackend(core.access, settings.loopbackUsers), throttle, () => performance.now());
    this.frontEnd = new FrontEnd(core, this.auth, {
      ...(options.certificateLogin === undefined ? {} : { certificateLogin: options.certificateLogin }),
      ...(options.anonymousPassword === undefined ? {} : { anonymousPassword: options.anonymousPassword }),
    });
    const connectionsMax = connectionsMaxWithin(settings.connectionsMax, openFilesMax());
    const admission = new AdmissionControl({ ...settings, connectionsMax }, logger);
    const wanted = options.listeners ?? [{ host: options.host ?? '127.0.0.1', port: options.port ?? 0 }];
    this.listeners = wanted.map(
      listener =>
        new Listener({ outboxBytesMax: settings.outboxBytesMax, ...listener }, admission, link =>
          this.accept(listener.protocol ?? 'amqp', link),
        ),
    );
  }

  /**
   * Starts a broker; it serves when the promise resolves. Otherwise nothing of it is left. Rejects with a ListenError when an address
   * cannot be used, a TlsFileError for certificates, a DataDirError for the data directory, a DefinitionsError for definitions.
   */
  static start(options: BrokerOptions = {}): Promise<Broker> {
    return Broker.startAs(options, dataDir => new Broker(options, dataDir));
  }

  /** @internal */
  protected static async startAs<Kind extends Broker>(options: BrokerOptions, make: (dataDir: DataDir | null) => Kind): Promise<Kind> {
    const dataDir = options.dataDir === undefined ? null : await DataDir.open(options.dataDir);
    let broker: Kind;
    try {
      broker = make(dataDir);
    } catch (error) {
      await dataDir?.close();
      throw error;
    }
    try {
      await broker.#start();
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  /** The port AMQP is served on: that of the first listener right on TCP that has one. */
  get port(): number {
    return this.#tcpListener?.port ?? 0;
  }

  /** What clients connect with. */
  get amqpUrl(): string {
    return this.urlOf(this.options.vhost ?? '/');
  }

  /** What clients connect with to get into a virtual host. */
  protected urlOf(vhost: string): string {
    const { user = 'guest', password = 'guest' } = this.options;
    const listener = this.#tcpListener;
    const host = listener?.options.host ?? '127.0.0.1';
    const authority = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host.includes(':') ? `[${host}]` : host}:${this.port}`;
    const scheme = listener?.options.tls ? 'amqps' : 'amqp';
    return `${scheme}://${authority}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`;
  }

  /** Reads the certificates of TLS listeners anew, for connections from now on. Rejects when one cannot be used; then it stays as it was. */
  async reloadCertificates(): Promise<void> {
    for (const listener of this.listeners) await listener.reloadCertificates();
  }

  /** Takes no more connections; those there are stay. @internal */
  suspendListeners(): void {
    for (const listener of this.listeners) void listener.close();
  }

  /** Takes connections again. Rejects with a ListenError when an address was taken meanwhile. @internal */
  async resumeListeners(): Promise<void> {
    for (const listener of this.listeners) await listener.resume();
  }

  /** Closes every connection with CONNECTION_FORCED; resolves when they are gone. @internal */
  async closeConnections(): Promise<void> {
    const { core } = this;
    core.turn.begin();
    for (const connection of Array.from(core.connections)) {
      connection.close('CONNECTION_FORCED', "broker forced connection closure with reason 'shutdown'");
    }
    core.turn.run();
    const deadline = performance.now() + stopTimeoutMillis;
    while (core.connections.size > 0 && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, stopPollMillis));
    for (const listener of this.listeners) listener.destroyAll();
  }

  /** Deletes the queues and exchanges that a restart would not bring back. @internal */
  forgetTransient(): void {
    const { core } = this;
    core.turn.begin();
    for (const vhost of core.vhosts.values()) {
      for (const queue of [...vhost.queues.values()]) if (!queue.isDurable) vhost.removeQueue(queue);
      for (const exchange of [...vhost.exchanges.values()]) if (!exchange.isDurable) vhost.removeExchange(exchange);
    }
    core.turn.run();
  }

  /** Deletes everything and makes the first user and virtual host anew: a broker as in an empty data directory. @internal */
  async resetToFirstObjects(): Promise<void> {
    const { core } = this;
    core.turn.begin();
    for (const { name, description, tags, defaultQueueType } of [...core.vhosts.values()]) {
      core.addVhost({ name, description, tags, defaultQueueType, isProtectedFromDeletion: false });
      core.deleteVhost(name);
    }
    for (const { name } of [...core.access.users()]) core.access.deleteUser(name);
    // The name by which dashboards join their series stays.
    for (const { name } of core.parameters.globals()) if (name !== 'internal_cluster_id') core.parameters.deleteGlobal(name);
    this.#seed(true);
    core.turn.run();
    await core.committed();
  }

  /** Closes every connection with CONNECTION_FORCED, frees ports and data directory. Resolves when nothing is left. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Called when everything is as recovery and definitions make it, before anybody can connect. @internal */
  protected onStarted(): void {}

  /** Gives a new connection to its protocol. @internal */
  protected accept(protocol: string, link: Link): void {
    if (protocol === 'amqp') this.frontEnd.accept(link);
    else this.#frontEnds.get(protocol)?.accept(link);
  }

  get #tcpListener(): Listener | undefined {
    return this.listeners.find(({ options }) => options.protocol === 'amqp' && options.socketPath === null && options.webSocket === null);
  }

  async #start(): Promise<void> {
    const { core } = this;
    const { definitions = [], skipsUnchangedDefinitions } = this.options;
    if (this.#store !== null) await recoverStore(this.#store, this.#streams, core);
    this.#isRecovered = true;
    const { onVhostAdded } = this.options;
    if (onVhostAdded !== undefined) core.virtualHosts.onAdded = ({ name }) => onVhostAdded(core, name);
    const isBlank = core.vhosts.size === 0 && core.access.userCount === 0;
    let hasUsers = false;
    if (definitions.length > 0) {
      const { importDefinitions } = await import('./import-definitions.ts');
      hasUsers = importDefinitions(core, definitions, skipsUnchangedDefinitions);
    }
    if (isBlank) this.#seed(this.options.hasFirstObjects ?? !hasUsers);
    core.sharding.start(core.vhosts.values());
    core.turn.run();
    this.onStarted();
    this.memoryMonitor?.start();
    await this.diskMonitor?.start();
    await this.#loadProtocols();
    for (const listener of this.listeners) await listener.start();
  }

  async #loadProtocols(): Promise<void> {
    for (const { options } of this.listeners) {
      const { protocol } = options;
      if (protocol === 'amqp' || this.#frontEnds.has(protocol)) continue;
      const load = protocols.get(protocol);
      if (load === undefined) throw new Error(`there is no protocol '${protocol}'`);
      this.#frontEnds.set(protocol, await load({ core: this.core, auth: this.auth, options: this.options }));
    }
  }

  #seed(isWanted: boolean): void {
    const { logger, access } = this.core;
    if (!isWanted) {
      logger.info('default', 'Will not seed default virtual host and user: have definitions to load...');
      const { user = defaultFirstObjects.user } = this.options;
      const what = 'with definitions no default user is made: add one to them, or with add_user';
      if (access.userCount === 0) logger.warning('default', `nobody can log in: the definitions have no users, and ${what}`);
      else if (user !== defaultFirstObjects.user && access.user(user) === undefined)
        logger.warning('default', `there is no user '${user}': ${what}`);
      return;
    }
    logger.info('default', 'Will seed default virtual host and user...');
    const { user, password, vhost, first } = this.options;
    addFirstObjects(this.core, {
      ...defaultFirstObjects,
      ...first,
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(vhost === undefined ? {} : { vhost }),
    });
  }

  async #stop(): Promise<void> {
    const { core } = this;
    const closed = this.listeners.map(listener => listener.close());
    this.memoryMonitor?.stop();
    const looked = this.#fullMonitor?.stop();
    await committed(core);
    await this.closeConnections();
    await Promise.all(closed);
    // What could not be read is left as it is: it must not be marked as cleanly stopped.
    if (this.#isRecovered) {
      core.works.finish();
      this.#streams.markClean();
      await this.#store?.stop(core);
    }
    this.#streams.close();
    this.#scheduler.stop();
    await looked;
    await this.dataDir?.close();
    // The event loop closes a listener's handle at the end of a round.
    for (let round = 0; round < 2; round++) await new Promise(resolve => setImmediate(resolve));
  }
}

/** Resolves when what was published so far is durable and confirmed, or after a while. */
async function committed(core: BrokerCore): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, commitTimeoutMillis);
  await Promise.race([core.committed(), timeout.promise]);
  clearTimeout(timer);
  core.turn.run();
}
