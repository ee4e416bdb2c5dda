import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { MetadataChange } from '../../src/core/ports/metadata-journal.ts';
import { metaRedelivered, priorityOf } from '../../src/core/queues/entry.ts';
import { StreamQueue } from '../../src/core/queues/stream/stream-queue.ts';
import * as requests from '../support/amqp-requests.ts';
import { Random } from '../support/random.ts';
import { SimFiles } from '../support/sim-files.ts';
import type { PowerLoss } from '../support/sim-platter.ts';
import { Ledger, type LedgerQueue } from './durable-ledger.ts';
import { DurableActs } from './durable-acts.ts';
import { DurableKept } from './durable-kept.ts';
import { DurableMessages } from './durable-messages.ts';
import { KnownQueues } from './durable-names.ts';
import { channelCount, confirmChannel, consumeChannel, Session, streamChannel, txChannel } from './durable-session.ts';
import { DurableStreams } from './durable-streams.ts';
import { DurableTopology } from './durable-topology.ts';
import type { ShadowEntries, ShadowLog } from './shadow-log.ts';
import { replayedDefinitions, SimNode, type SimNodeOptions } from './sim-node.ts';

export interface WorldResult {
  readonly publishes: number;
  readonly confirms: number;
  readonly deliveries: number;
  readonly starts: number;
  readonly moved: number;
  readonly fetched: number;
  /** Dropped as such. */
  readonly duplicates: number;
  /** Messages that were held until their time and came. */
  readonly delayed: number;
  /** Parts of queues' indexes that went to disk and came back. */
  readonly indexBlocks: number;
  readonly segmentsRemoved: number;
  /** Of streams. */
  readonly read: number;
  readonly retained: number;
}

/**
 * A broker's life on a simulated disk with clients that publish, consume, settle and declare at random, ended by crashes and clean stops at
 * random moments, and begun again. Two checkers look on: the shadow log knows what was recorded, the ledger what clients were told.
 */
export class World {
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly #options: SimNodeOptions;
  #files: SimFiles;
  #node: SimNode | null = null;
  #now = 1000;
  #sessions: Session[] = [];
  #starts = 0;
  #moved = 0;
  #fetched = 0;
  #indexBlocks = 0;
  #segmentsRemoved = 0;
  /** What the last life recorded, and lives that ended before they served, with the definitions they began with. */
  #references: { readonly shadow: ShadowLog; readonly definitions: readonly MetadataChange[] }[] = [];
  #definitionsFound: readonly MetadataChange[] = [];
  #isClean = true;
  /** The last start died, perhaps before it could say that it began. */
  #mayBeClean = false;
  readonly #known = new KnownQueues(this.ledger);
  readonly #topology: DurableTopology;
  readonly #messages: DurableMessages;
  readonly #streams: DurableStreams;
  readonly #kept: DurableKept;
  readonly #acts: DurableActs;
  #lastSession = 0;
  /** Flags of entries before a clean stop. */
  #flagsBefore = new Map<string, boolean>();
  readonly trace: string[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#topology = new DurableTopology(this.random, this.ledger, this.#known);
    this.#messages = new DurableMessages(this.random, this.ledger, this.#known);
    this.#streams = new DurableStreams(this.random, this.ledger, this.#known);
    this.#kept = new DurableKept(this.random, this.ledger, this.#known, () => this.#messages.nextMessageId());
    this.#messages.onArrival = (session, queue, arrival) =>
      this.#kept.arrived(session, queue, arrival, session.client.node.broker.clock.millis);
    this.#files = new SimFiles(this.random);
    this.#acts = new DurableActs({
      random: this.random,
      ledger: this.ledger,
      topology: this.#topology,
      messages: this.#messages,
      streams: this.#streams,
      kept: this.#kept,
      isFrozen: () => this.#files.isFrozen,
      catchUp: node => {
        while (node.broker.step());
        this.#poll(node);
      },
      drop: session => this.#drop(session),
    });
    this.#options = {
      slabsPerSegment: this.random.pick([1, 2, 3]),
      bodyMemoryBytes: this.random.pick([2, 3, 64]) * 1024 * 1024,
      slackBytes: this.random.pick([0, 1, 4]) * 1024 * 1024,
    };
  }

  async run(): Promise<WorldResult> {
    const lives = this.random.between(2, 6);
    for (let life = 0; life < lives; life++) {
      await this.#start(true);
      this.#live(this.random.between(10, 150));
      await this.#end();
    }
    await this.#start(false);
    await this.#drain();
    return {
      publishes: this.ledger.publishCount,
      confirms: this.ledger.confirmCount,
      deliveries: this.ledger.deliveryCount,
      starts: this.#starts,
      moved: this.#moved,
      fetched: this.#fetched,
      duplicates: this.#kept.duplicates,
      delayed: [...this.ledger.queues.values()].reduce((sum, { delays }) => sum + (delays?.deliveries ?? 0), 0),
      indexBlocks: this.#indexBlocks,
      segmentsRemoved: this.#segmentsRemoved,
      read: this.#streams.deliveries,
      retained: this.#streams.retained,
    };
  }

  // --- lives and deaths

  /** Starts the node, perhaps after some starts that are cut short. */
  async #start(mayDie: boolean): Promise<void> {
    for (let attempts = mayDie && this.random.chance(0.3) ? this.random.between(1, 3) : 0; ; attempts--) {
      if (attempts > 0) this.#files.freezeAt = this.#files.operationCount + this.random.between(0, 14);
      this.#starts++;
      const node = new SimNode(this.#files, this.random, this.#now, this.#options);
      const entries = node.entries();
      const accept = this.#audit(node, entries);
      const isUp = await node.begin();
      if (!isUp) {
        this.trace.push('died while starting');
        // A power cut may take back that a start behind it had begun.
        this.#mayBeClean ||= node.report.wasClean;
        // Some of what it found, and of what it did, may be durable, or nothing.
        this.#references.push({ shadow: node.shadow, definitions: [...node.core.metadataSnapshot()] });
        this.#die(node);
        continue;
      }
      accept();
      this.#references = [{ shadow: node.shadow, definitions: this.#definitionsFound }];
      this.#files.freezeAt = Infinity;
      this.#mayBeClean = false;
      this.#node = node;
      this.#sessions = [];
      for (let count = this.random.between(1, 3); count > 0; count--) this.#connect();
      const [first] = this.#sessions;
      if (first !== undefined) {
        this.#topology.declareFirst(first, node);
        this.#kept.declareFirst(first);
        node.settle();
      }
      return;
    }
  }

  /** Compares what was found with what had to be; returns what is to be called when the node serves, and clients have seen it. */
  #audit(node: SimNode, entries: ShadowEntries): () => void {
    const { report } = node;
    this.trace.push(
      `start ${this.#starts} at ${this.#now}: ${report.entries} entries, ${report.frames} frames, ${report.tornBytes} torn${report.wasClean ? ', clean' : ''}`,
    );
    const damaged = [...report.damaged, ...node.streamsReport.damaged];
    if (damaged.length > 0) throw new Error(`damage was reported where there is none: ${damaged.join('; ')}`);
    if (this.#references.length > 0) {
      // The mark of a clean stop says that all before it is there.
      if (report.wasClean) this.#references[0]?.shadow.allDurable();
      this.#checkReferences(node, entries);
      if (report.wasClean !== this.#isClean && !this.#mayBeClean)
        throw new Error(`the stop before is taken for ${report.wasClean ? '' : 'un'}clean`);
    }
    const ids = new Set([...node.queues.values()].map(queue => this.#known.ledgerId(queue)));
    for (const id of ids) if (this.#known.deleted.has(id)) throw new Error(`the deleted queue ${this.ledger.queues.get(id)?.name} is back`);
    for (const id of this.#known.declared) if (!ids.has(id)) throw new Error(`queue ${this.ledger.queues.get(id)?.name} is lost`);
    const messages = this.#messagesIn(node);
    const now = this.#now;
    this.ledger.audit(messages, report.wasClean, now, false);
    const acceptKept = this.#kept.audit(node, messages);
    const acceptStreams = this.#streams.audit(node, node.broker.clock.wallNow);
    node.shadow.startWith(entries);
    this.#definitionsFound = [...node.core.metadataSnapshot()];
    this.#isClean = false;
    return () => {
      acceptStreams();
      acceptKept();
      this.ledger.audit(messages, report.wasClean, now, true);
    };
  }

  #checkReferences(node: SimNode, entries: ShadowEntries): void {
    const found = node.definitions();
    const problems: string[] = [];
    for (const { shadow, definitions } of this.#references) {
      try {
        const beginnings = shadow.beginningsThatGive(entries);
        if (beginnings.some(changes => replayedDefinitions([...definitions, ...changes]) === found)) return;
        const expected = replayedDefinitions([...definitions, ...(beginnings.at(-1) ?? [])]);
        problems.push(`the definitions are not what was recorded:\n${found}\nexpected\n${expected}`);
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    throw new Error(problems.join('\n'));
  }

  /** The messages of each queue in order, whose flags must be right. */
  #messagesIn(node: SimNode): Map<number, number[]> {
    const messages = new Map<number, number[]>();
    for (const queue of node.queues.values()) {
      const list: { readonly sequence: number; readonly messageId: number }[] = [];
      queue.forEachReady(entry => {
        const messageId = node.messageIdOf(entry);
        list.push({ sequence: entry.sequence, messageId });
        const isFlagged = (entry.meta & metaRedelivered) !== 0;
        const before = this.#flagsBefore.get(`${queue.id}/${priorityOf(entry.meta)}/${entry.sequence}`) ?? false;
        if (isFlagged !== (node.report.wasClean ? before : true))
          throw new Error(`message ${messageId} of queue ${queue.name} is ${isFlagged ? '' : 'not '}flagged as redelivered`);
        return true;
      });
      // What waits to be tried again has its place among the others.
      if (queue.retries !== null && queue.retries.heldCount > 0) {
        queue.retries.forEach(({ entry }) => list.push({ sequence: entry.sequence, messageId: node.messageIdOf(entry) }));
        list.sort((a, b) => a.sequence - b.sequence);
      }
      messages.set(
        this.#known.ledgerId(queue),
        list.map(({ messageId }) => messageId),
      );
    }
    return messages;
  }

  async #end(): Promise<void> {
    const node = this.#node as SimNode;
    const how = this.random.weighted({ crash: 5, operation: 5, clean: 3, cleanCrash: 1 });
    this.trace.push(`end at ${this.#now}: ${how}`);
    if (how === 'operation' && !this.#files.isFrozen) {
      this.#files.freezeAt = this.#files.operationCount + this.random.between(0, 12);
      this.#live(40);
    }
    if (how.startsWith('clean') && !this.#files.isFrozen) {
      if (how === 'cleanCrash') this.#files.freezeAt = this.#files.operationCount + this.random.between(0, 12);
      await this.#stop(node);
    }
    this.#count(node);
    this.#die(node);
  }

  async #stop(node: SimNode): Promise<void> {
    this.#mayBeFlagged();
    for (const session of this.#sessions) {
      if (this.random.chance(0.5)) session.client.socket.hangUp();
      else session.client.socket.reset();
    }
    node.settle();
    this.#kept.acted(node);
    this.#flagsBefore = new Map();
    for (const queue of node.queues.values()) {
      if (queue.isLogging)
        queue.forEachReady(entry => {
          this.#flagsBefore.set(`${queue.id}/${priorityOf(entry.meta)}/${entry.sequence}`, (entry.meta & metaRedelivered) !== 0);
          return true;
        });
    }
    this.#isClean = await node.stop();
    this.#mayBeClean = !this.#isClean;
    this.trace.push(this.#isClean ? 'stopped' : 'died while stopping');
  }

  /** The process is gone; or the power was cut, and with it what was not synced. */
  #die(node: SimNode): void {
    if (node.failures.length > 0) throw new Error(`the store failed: ${node.failures[0]?.message}`);
    if (node.isServing) this.#kept.acted(node);
    this.#now = node.broker.clock.millis + this.random.between(0, 50);
    for (const [id] of this.ledger.queues) if (!this.#known.isDurable(id)) this.#known.declared.delete(id);
    if (this.random.chance(0.4)) {
      this.#files = this.#files.kill();
      this.trace.push('killed');
      return;
    }
    const loss: PowerLoss = {
      data: this.random.pick(['none', 'all', 'random', 'prefix']),
      names: this.random.pick(['none', 'all', 'random', 'prefix']),
    };
    this.trace.push(`power cut: data ${loss.data}, names ${loss.names}`);
    this.#files = this.#files.cutPower(loss);
  }

  #count(node: SimNode): void {
    this.#moved += node.store.cleaner?.movedBytes ?? 0;
    this.#fetched += node.store.journal.pager.fetchCount;
    this.#indexBlocks += Math.min(node.core.indexPager.writtenTotal, node.core.indexPager.readTotal);
    this.#segmentsRemoved += node.store.journal.segments.first;
  }

  // --- a life

  #live(actions: number): void {
    const node = this.#node as SimNode;
    for (let count = 0; count < actions && !this.#files.isFrozen; count++) {
      this.#acts.act(this.random.pick(this.#sessions), node);
      // Whoever was read for long waits for the next turn; the ledger has what was sent in the order in which it was.
      while (this.#sessions.some(({ client }) => client.socket.unreadBytes > 0) && node.broker.step());
      this.#kept.acted(node);
      for (let steps = this.random.skewed(40); steps > 0; steps--) node.step();
      if (this.random.chance(0.2)) node.advance(this.random.pick([1, 5, 12, 12, 60, 1500]));
      if (this.#files.isFrozen) return;
      this.#poll(node);
      node.broker.check();
      if (node.failures.length > 0) throw new Error(`the store failed: ${node.failures[0]?.message}`);
      if (node.core.counters.damagedRecords > 0) throw new Error(`damage where there is none: ${node.logs.join('; ')}`);
    }
  }

  #poll(node: SimNode): void {
    for (const session of this.#sessions) session.client.poll();
    this.#kept.look(node, this.#sessions);
  }

  /** What was on its way to clients comes back flagged though no client saw it. */
  #mayBeFlagged(): void {
    for (const copy of this.ledger.copies.values()) copy.mayBeFlagged = true;
    for (const { delays } of this.ledger.queues.values()) delays?.mayBeFlagged();
  }

  #drop(session: Session): void {
    this.#sessions.splice(this.#sessions.indexOf(session), 1);
    this.#mayBeFlagged();
    session.client.socket.reset();
    this.#connect();
  }

  #connect(): void {
    const node = this.#node as SimNode;
    const session: Session = new Session(++this.#lastSession, node, {
      arrived: arrival => {
        if (arrival.channel === streamChannel) this.#streams.arrived(session, node, arrival);
        else this.#messages.arrived(session, arrival);
      },
      confirmed: (channel, tag, multiple) => this.#messages.confirmed(session, node, channel, tag, multiple),
    });
    if (!session.client.open(channelCount)) return;
    session.client.send(requests.confirmSelect(confirmChannel, true));
    session.client.call(requests.basicQos(consumeChannel, this.random.pick([1, 3, 20])), methods.BasicQosOk, null);
    session.client.call(requests.basicQos(streamChannel, this.random.pick([1, 3, 20])), methods.BasicQosOk, null);
    session.client.call(methods.encodeTxSelect(txChannel), methods.TxSelectOk, null);
    this.#sessions.push(session);
  }

  // --- the end

  /** Reads streams until nothing more comes, acknowledging all of it; then nothing may be missing. */
  #readToTheEnds(session: Session, node: SimNode): void {
    const { deliveries } = this.#streams;
    do {
      while (session.streamUnacked.length > 0) this.#streams.acknowledge(session);
      node.settle();
      session.client.poll();
    } while (session.streamUnacked.length > 0);
    this.#streams.checkEnds(session, node);
    this.#streams.checkLengths(node);
    this.trace.push(`${this.#streams.deliveries - deliveries} messages of streams were read at the end`);
  }

  /** Consumes everything; then nothing may be missing, and the disk must be nearly empty. */
  async #drain(): Promise<void> {
    const node = this.#node as SimNode;
    const [session] = this.#sessions;
    if (session === undefined) throw new Error('no client');
    for (const other of this.#sessions.splice(1)) other.client.socket.reset();
    session.client.call(requests.basicQos(consumeChannel, 0), methods.BasicQosOk, null);
    for (const queue of [...node.queues.values()]) {
      if (queue instanceof StreamQueue) {
        this.#streams.attach(session, node, queue, 'first', false);
        continue;
      }
      const known = this.#known.of(queue) as LedgerQueue;
      const consumerTag = `drain-${queue.name}`;
      session.consumers.set(consumerTag, known);
      if (queue.name === 'n0') session.noAck.add(consumerTag);
      session.client.call(
        requests.basicConsume(consumeChannel, { queue: queue.name, consumerTag, noAck: queue.name === 'n0' }),
        methods.BasicConsumeOk,
        null,
      );
    }
    this.#kept.letGo(node);
    const messages = (): number =>
      [...node.queues.values()].reduce((sum, queue) => sum + (queue.hasOwnLog ? 0 : queue.messageCount), this.#kept.waitingCount(node));
    for (let round = 0; messages() > 0; round++) {
      node.settle();
      this.#poll(node);
      // A message that was rejected in a life before may have come back, and have its group parked, since.
      if (round % 10 === 0) this.#kept.letGo(node);
      while (session.unacked.length > 0) this.#messages.settleOne(session, 'ack');
      node.advance(20);
      if (round > 5000) throw new Error(`${messages()} messages are left in the queues and do not come`);
    }
    this.#readToTheEnds(session, node);
    const empty = new Map([...node.queues.values()].map(queue => [this.#known.ledgerId(queue), []]));
    this.ledger.audit(empty, false, node.broker.clock.millis, true);
    this.#kept.checkDelaysAtEnd(node);
    for (let count = 0; count < 20; count++) {
      node.advance(600);
      node.settle();
    }
    this.#count(node);
    const { segments } = node.store.journal;
    // Values that are remembered are in the log, and as many dead bytes beside them as the cleaner puts up with.
    const spare = Math.ceil(this.#options.slackBytes / (this.#options.slabsPerSegment * 1024 * 1024));
    if (segments.count > 2 + (this.#kept.remembersValues(node) ? spare : 0))
      throw new Error(`${segments.count} segments are left though no message is`);
    const loose = this.#files.list().filter(name => name.startsWith('loose'));
    if (loose.length > 0) throw new Error(`bodies are left though no message is: ${loose.join(', ')}`);
    await this.#stop(node);
    const again = new SimNode(this.#files.cutPower({ data: 'none', names: 'none' }), this.random, this.#now, this.#options);
    if (!again.report.wasClean || again.report.entries !== 0) throw new Error(`after a clean stop: ${JSON.stringify(again.report)}`);
  }
}
