import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../broker.ts';
import type { ChannelInfo, ConnectionInfo } from '../connection-registry.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Queue } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import {
  channelColumns,
  churnNames,
  connectionColumns,
  deliverNames,
  exchangeColumns,
  queueColumns,
  queueDeliverAt,
  readExchange,
  readQueue,
  readTraffic,
  trafficDeliverAt,
  vhostColumns,
  vhostLengthsAt,
  vhostOctetsAt,
} from './columns.ts';
import { Columns, History } from './history.ts';
import type { RetentionPolicies } from './retention.ts';

/** Objects sampled before others get their turn: well under a millisecond. */
const sliceObjects = 2000;
/** One that was never sampled counts as so many: its history has to be made. */
const newObjectWork = 20;
/** Between two slices of one sample. */
const sliceMillis = 1;

/** Numbers about the machine, which only an adapter can read. */
export interface NodeFigures {
  readonly names: readonly string[];
  /** Writes one number per name, from `at` on. */
  read(into: Float64Array, at: number): void;
}

/** What became of messages in all queues of one type, those that are gone included. */
export interface QueueTypeTotals {
  /** In the order of `deliverNames`, behind what was published. */
  readonly messages: Float64Array;
}

const noFigures: NodeFigures = { names: [], read() {} };

interface VhostSample {
  readonly vhost: Vhost;
  readonly history: History;
  /** Sums since the vhost is sampled, also of queues and connections that are gone by now. */
  readonly totals: Float64Array;
}

/**
 * Samples the counters that queues, exchanges, channels, connections and virtual hosts keep, at a fixed interval, for rates and charts.
 * It reads, in slices, and changes nothing: the data plane does not know of it. [RabbitMQ docs: management, statistics interval]
 */
export class Statistics {
  readonly sampleMillis: number;
  readonly retention: RetentionPolicies;
  readonly node: History;
  readonly #core: BrokerCore;
  readonly #figures: NodeFigures;
  readonly #timer: CallbackTimer;
  readonly #histories = new WeakMap<object, History>();
  readonly #vhosts = new Map<string, VhostSample>();
  readonly #nodeTotals: Float64Array;
  readonly #typeTotals = new Map<string, QueueTypeTotals>();
  readonly #values = new Float64Array(64);
  /** Objects sampled since others had their turn. */
  #sliceWork = 0;
  #sweep: Generator<undefined, void, undefined> | null = null;
  #dueMillis = 0;
  #isStarted = false;
  /** Number of the latest complete sample. */
  tick = 0;
  /** When that was, in Unix milliseconds. */
  tickWallMillis: number;

  constructor(core: BrokerCore, retention: RetentionPolicies, figures: NodeFigures = noFigures) {
    const first = retention.basic[0];
    if (first === undefined || retention.global[0]?.intervalMillis !== first.intervalMillis) throw new RangeError('no common interval');
    this.sampleMillis = first.intervalMillis;
    this.retention = retention;
    this.#core = core;
    this.#figures = figures;
    this.#timer = new CallbackTimer(nowMillis => this.#onTimer(nowMillis));
    this.tickWallMillis = core.clock.wallMillis;
    this.#nodeTotals = new Float64Array(vhostColumns.names.length);
    const nodeColumns = new Columns([...vhostColumns.names, ...churnNames, ...figures.names]);
    this.node = new History(nodeColumns, retention.global, 0);
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#core.turn.begin();
    this.#dueMillis = this.#core.clock.nowMillis + this.sampleMillis;
    this.#core.timers.set(this.#timer, this.#dueMillis);
  }

  stop(): void {
    this.#isStarted = false;
    this.#core.timers.clear(this.#timer);
  }

  /** What was sampled of an object; undefined when it is too young. */
  of(object: Queue | Exchange | ChannelInfo | ConnectionInfo): History | undefined {
    return this.#histories.get(object);
  }

  vhost(name: string): History | undefined {
    return this.#vhosts.get(name)?.history;
  }

  /** Sums per queue type, as of the latest sample. */
  typeTotals(): ReadonlyMap<string, QueueTypeTotals> {
    return this.#typeTotals;
  }

  /** Takes a whole sample at once. The timer does it in slices. */
  sample(): void {
    for (const _slice of this.#sampleAll()) {
      // All slices, one after the other.
    }
  }

  #onTimer(nowMillis: number): void {
    this.#sweep ??= this.#sampleAll();
    if (this.#sweep.next().done !== true) {
      this.#core.timers.set(this.#timer, nowMillis + sliceMillis);
      return;
    }
    this.#sweep = null;
    // After a pause of the process the missed samples are not made up for.
    this.#dueMillis = Math.max(this.#dueMillis + this.sampleMillis, nowMillis + 1);
    this.#core.timers.set(this.#timer, this.#dueMillis);
  }

  *#sampleAll(): Generator<undefined, void, undefined> {
    const tick = this.tick + 1;
    const wallMillis = this.#core.clock.wallMillis;
    for (const vhost of this.#core.vhosts.values()) {
      const sample = this.#vhostSample(vhost, tick);
      const { totals } = sample;
      totals.fill(0, vhostLengthsAt, vhostOctetsAt);
      for (const queue of vhost.queues.values()) {
        this.#sampleQueue(queue, tick, totals);
        if (this.#isSliceOver()) yield;
      }
      for (const exchange of vhost.exchanges.values()) {
        readExchange(exchange, this.#values);
        this.#push(exchange, exchangeColumns, tick);
        if (this.#isSliceOver()) yield;
      }
    }
    for (const connection of this.#core.connections) {
      this.#sampleConnection(connection, tick);
      for (const channel of connection.channelInfos()) {
        readTraffic(channel.counters, this.#values);
        this.#push(channel, channelColumns, tick);
        if (this.#isSliceOver()) yield;
      }
      if (this.#isSliceOver()) yield;
    }
    this.#sampleTotals(tick);
    this.tick = tick;
    this.tickWallMillis = wallMillis;
  }

  #isSliceOver(): boolean {
    if (this.#sliceWork < sliceObjects) return false;
    this.#sliceWork = 0;
    return true;
  }

  #sampleQueue(queue: Queue, tick: number, totals: Float64Array): void {
    readQueue(queue, this.#values);
    const history = this.#push(queue, queueColumns, tick);
    const { messages } = this.#totalsOf(queue.type.name);
    add(messages, 0, history.lastRise(0));
    for (let i = 0; i < deliverNames.length; i++) {
      const rise = history.lastRise(queueDeliverAt + i);
      add(totals, trafficDeliverAt + i, rise);
      add(messages, queueDeliverAt + i, rise);
    }
    add(totals, vhostLengthsAt, queue.readyCount);
    add(totals, vhostLengthsAt + 1, queue.unackedCount);
  }

  #sampleConnection(connection: ConnectionInfo, tick: number): void {
    this.#values[0] = connection.receivedBytes;
    this.#values[1] = connection.sentBytes;
    const history = this.#push(connection, connectionColumns, tick);
    const sample = this.#vhosts.get(connection.vhostName);
    if (sample === undefined) return;
    for (let i = 0; i < 2; i++) add(sample.totals, vhostOctetsAt + i, history.lastRise(i));
  }

  #sampleTotals(tick: number): void {
    const totals = this.#nodeTotals;
    totals.fill(0, vhostLengthsAt, vhostOctetsAt);
    for (const [name, sample] of this.#vhosts) {
      if (this.#core.vhosts.get(name) !== sample.vhost) {
        this.#vhosts.delete(name);
        continue;
      }
      const { counters } = sample.vhost;
      sample.totals[0] = counters.published;
      sample.totals[1] = counters.confirmed;
      sample.totals[2] = counters.returnedUnroutable;
      sample.totals[3] = counters.droppedUnroutable;
      sample.history.push(tick, sample.totals);
      for (let column = 0; column < totals.length; column++) {
        const isLength = column >= vhostLengthsAt && column < vhostOctetsAt;
        add(totals, column, isLength ? (sample.totals[column] as number) : sample.history.lastRise(column));
      }
    }
    const values = this.#values;
    values.set(totals);
    const { counters } = this.#core;
    let at = totals.length;
    for (const value of [
      counters.connectionsOpened,
      counters.connectionsClosed,
      counters.channelsOpened,
      counters.channelsClosed,
      counters.queuesDeclared,
      counters.queuesCreated,
      counters.queuesDeleted,
    ])
      values[at++] = value;
    this.#figures.read(values, at);
    this.node.push(tick, values);
  }

  #totalsOf(typeName: string): QueueTypeTotals {
    let totals = this.#typeTotals.get(typeName);
    if (totals === undefined) {
      totals = { messages: new Float64Array(queueDeliverAt + deliverNames.length) };
      this.#typeTotals.set(typeName, totals);
    }
    return totals;
  }

  #vhostSample(vhost: Vhost, tick: number): VhostSample {
    let sample = this.#vhosts.get(vhost.name);
    if (sample?.vhost !== vhost) {
      const totals = new Float64Array(vhostColumns.names.length);
      sample = { vhost, history: new History(vhostColumns, this.retention.global, tick - 1), totals };
      this.#vhosts.set(vhost.name, sample);
    }
    return sample;
  }

  /** Notes `#values` for the object. What it counted before its first sample counts as having risen from zero. */
  #push(object: object, columns: Columns, tick: number): History {
    let history = this.#histories.get(object);
    if (history === undefined) {
      history = new History(columns, this.retention.basic, tick - 1);
      this.#histories.set(object, history);
      this.#sliceWork += newObjectWork;
    }
    this.#sliceWork++;
    history.push(tick, this.#values);
    return history;
  }
}

function add(totals: Float64Array, column: number, more: number): void {
  totals[column] = (totals[column] as number) + more;
}
