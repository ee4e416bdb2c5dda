import type { Duplex } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Broker as PlainBroker, type BrokerOptions as PlainOptions, type BrokerSeams } from '../broker.ts';
import type { Link } from '../../net/link.ts';
import type { DataDir } from '../data-dir.ts';
import { LoopScheduler } from '../loop-scheduler.ts';
import { SystemClock } from '../system-clock.ts';
import { keepDurable } from './crash.ts';
import { clients } from './clients.ts';
import { Faults } from './faults.ts';
import { forkVhost } from './fork.ts';
import { defaultHistoryLimits, History, type HistoryLimits } from './history.ts';
import { activityOf, idle, type IdleOptions } from './idle.ts';
import { connectInProcess } from './in-process.ts';
import { assertNodeVersion } from './node-version.ts';
import type { PublishedMessage } from './published-message.ts';
import { SlowLog } from './slow-log.ts';
import { blankSnapshot, type BrokerSnapshot, takeSnapshot } from './snapshot.ts';
import { VhostView } from './vhost-view.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How a broker in the calling process is to be. All of it is optional. */
export interface BrokerOptions extends PlainOptions {
  /**
   * 'virtual': time stands still until `broker.clock.advance` is called; or a VirtualClock of your own, for several brokers in one time.
   * Default: the machine's.
   */
  readonly clock?: 'system' | 'virtual' | VirtualClock;
  /** Whether the broker remembers what was published (see `published`), or how much of it. Default: true in memory, false with `dataDir`. */
  readonly history?: boolean | Partial<HistoryLimits>;
}

class LibrarySeams implements BrokerSeams {
  readonly virtualClock: VirtualClock | null;
  readonly clock: SystemClock | VirtualClock;
  readonly scheduler: LoopScheduler | VirtualClock;
  slowLog = new SlowLog();

  constructor(clock: BrokerOptions['clock'] = 'system') {
    this.virtualClock = clock === 'virtual' ? new VirtualClock() : clock === 'system' ? null : clock;
    this.clock = this.virtualClock ?? new SystemClock();
    this.scheduler = this.virtualClock ?? new LoopScheduler();
  }

  log(log: ConstructorParameters<typeof SlowLog>[0]): SlowLog {
    this.slowLog = new SlowLog(log);
    return this.slowLog;
  }
}

/**
 * A broker in this process, on a real port, that tests can look into: the same broker as on the command line.
 *
 *     await using broker = await Broker.start();
 *     const connection = await amqplib.connect(broker.amqpUrl);
 *     ...
 *     const [order] = await broker.vhost().queue('orders').received(1);
 */
export class Broker extends PlainBroker {
  /** Faults on purpose. */
  readonly faults: Faults;
  readonly #clock: VirtualClock | null;
  readonly #history: History | null;
  readonly #slowLog: SlowLog;
  #initialState: BrokerSnapshot | null = null;
  #forkCount = 0;

  private constructor(options: BrokerOptions, dataDir: DataDir | null, seams: LibrarySeams) {
    super(options, dataDir, seams);
    const { history = dataDir === null } = options;
    const { core, frontEnd } = this;
    this.#clock = seams.virtualClock;
    this.#history = history === false ? null : new History({ ...defaultHistoryLimits, ...(history === true ? {} : history) });
    this.faults = new Faults(core, frontEnd, seams.slowLog);
    this.#slowLog = seams.slowLog;
    seams.slowLog.start(core);
    seams.slowLog.publishedCount = () => this.#history?.count ?? 0;
    this.#clock?.observe({
      activity: () => activityOf(core),
      keepClientsAlive(nowMillis) {
        for (const { intake } of clients(core, frontEnd)) intake.lastReceivedMillis = nowMillis;
      },
    });
  }

  /**
   * Starts a broker; it serves when the promise resolves. Otherwise nothing of it is left. Rejects with a ListenError when an address
   * cannot be used, a TlsFileError for certificates, a DataDirError for the data directory, a DefinitionsError for definitions.
   */
  static override async start(options: BrokerOptions = {}): Promise<Broker> {
    assertNodeVersion(process.versions.node);
    return await PlainBroker.startAs(options, dataDir => new Broker(options, dataDir, new LibrarySeams(options.clock)));
  }

  /** The broker's time. @throws Error when it is the machine's */
  get clock(): VirtualClock {
    if (this.#clock === null) throw new Error("this broker's time is the machine's: start it with { clock: 'virtual' }");
    return this.#clock;
  }

  /** A virtual host to look at: its queues, messages, consumers. */
  vhost(name = '/'): VhostView {
    return new VhostView(this.core, this.#history, name, this.urlOf(name));
  }

  /** What was published since the start, a reset or a restored snapshot; the oldest first. @throws Error when the broker keeps no history */
  published(): readonly PublishedMessage[] {
    if (this.#history === null) throw new Error('this broker keeps no history: start it with { history: true }');
    return this.#history.messages();
  }

  /**
   * Resolves when nothing goes on: what was published is routed and confirmed, what can be delivered is delivered, and what was delivered
   * is settled. Rejects after `timeoutMillis` (5000) with what still waits.
   */
  idle(options: IdleOptions = {}): Promise<void> {
    return idle(this.core, options);
  }

  /** A new virtual host with the topology, policies and permissions of another ('/'), for one test. It goes with `delete` or `await using`. */
  async fork({ from = '/', name }: { readonly from?: string; readonly name?: string } = {}): Promise<VhostView> {
    const vhost = forkVhost(this.core, from, name ?? `fork-${++this.#forkCount}`);
    await this.core.committed();
    return this.vhost(vhost.name);
  }

  /** The state the broker is in: everything but connections, exclusive queues and held messages. */
  snapshot(): Promise<BrokerSnapshot> {
    return takeSnapshot(this.core);
  }

  /** Brings the broker back to a state, ends all faults and forgets the history; see BrokerSnapshot.restore. */
  async restore(snapshot: BrokerSnapshot): Promise<void> {
    this.faults.clear();
    snapshot.restore(this.core);
    this.#history?.clear();
    await this.core.committed();
  }

  /** Brings the broker back to the state it had when it had started, without messages; connections stay. */
  reset(): Promise<void> {
    return this.restore(this.#initialState as BrokerSnapshot);
  }

  /**
   * What a crash and a restart leave: connections end without a word; durable exchanges and queues stay with their persistent messages, of
   * which those that had been delivered come as redelivered. With `unsynced: 'lost'` so does the power: messages whose confirms a fault holds
   * up are gone. The broker serves again at once. How it comes back from a disk is not part of this: that is `stop` or a kill, and `start`.
   */
  async crash({ unsynced = 'kept' }: { readonly unsynced?: 'kept' | 'lost' } = {}): Promise<void> {
    const history = this.#history;
    if (unsynced === 'lost' && history === null) throw new Error('this broker keeps no history: start it with { history: true }');
    const toldCount = unsynced === 'kept' ? Infinity : this.#slowLog.toldCount;
    this.faults.dropConnections();
    while (this.frontEnd.connectionCount > 0 || this.core.connections.size > 0) await nextRound();
    keepDurable(this.core, (queue, ref) => history !== null && history.numberOf(queue, ref) > toldCount);
    this.faults.clear();
    await this.core.committed();
  }

  /**
   * A connection to the broker without a socket: the client's end, which behaves as a net.Socket. `onConnect` is called when 'connect' is emitted,
   * as that of net.connect.
   */
  connectStream(onConnect?: () => void): Duplex {
    const stream = connectInProcess(link => this.accept('amqp', link), this.core.settings.outboxBytesMax);
    return onConnect === undefined ? stream : stream.once('connect', onConnect);
  }

  [inspect.custom](): string {
    const { vhosts, connections } = this.core;
    const queueCount = [...vhosts.values()].reduce((sum, vhost) => sum + vhost.queues.size, 0);
    return `Broker ${this.amqpUrl} (${vhosts.size} vhosts, ${queueCount} queues, ${connections.size} connections)`;
  }

  /** @internal */
  protected override accept(protocol: string, link: Link): void {
    if (this.faults.isRefusing) link.destroy();
    else super.accept(protocol, link);
  }

  /** @internal */
  protected override onStarted(): void {
    this.#initialState = blankSnapshot(this.core);
    this.#history?.start(this.core);
  }
}
