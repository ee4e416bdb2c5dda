import type { FieldTable } from '../../src/base/field-table.ts';
import { long, longstr } from '../../src/base/field-table.ts';
import type { MetadataChange } from '../../src/core/ports/metadata-journal.ts';
import { metaRedelivered, priorityOf } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import * as requests from '../support/amqp-requests.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../src/wire/amqp091/properties.ts';
import { Random } from '../support/random.ts';
import { type Arrival, LedgerClient } from './durable-client.ts';
import { Copy, Ledger, type LedgerQueue } from './durable-ledger.ts';
import { makeBody, readBody } from './message-body.ts';
import type { ShadowEntries, ShadowLog } from './shadow-log.ts';
import { SimFiles } from '../support/sim-files.ts';
import type { PowerLoss } from '../support/sim-platter.ts';
import { replayedDefinitions, SimNode, type SimNodeOptions } from './sim-node.ts';

const confirmChannel = 1;
const consumeChannel = 2;
const adminChannel = 3;
const txChannel = 4;

/** Queues that may be declared, and with what. d0 and d1 take dead letters and stay for ever. */
const names = ['q0', 'q1', 'q2', 'q3', 'q4', 'a0', 't0', 'n0'] as const;
const deadNames = ['d0', 'd1'] as const;

interface Unacked {
  readonly deliveryTag: number;
  readonly queue: LedgerQueue;
  readonly messageId: number;
}

interface Unconfirmed {
  readonly tag: number;
  readonly event: number;
  readonly copies: readonly Copy[];
}

/** One client of the world, with what it has under way. */
class Session {
  readonly client: LedgerClient;
  unconfirmed: Unconfirmed[] = [];
  lastPublishTag = 0;
  unacked: Unacked[] = [];
  readonly consumers = new Map<string, LedgerQueue>();
  readonly noAck = new Set<string>();
  readonly gets: LedgerQueue[] = [];
  txPublishes: (() => Copy[])[] = [];
  txUnacked: Unacked[] = [];
  lastConsumer = 0;

  constructor(node: SimNode, world: World) {
    this.client = new LedgerClient(node, {
      arrived: arrival => world.arrived(this, arrival),
      confirmed: (channel, tag, multiple) => world.confirmed(this, channel, tag, multiple),
      cancelled: tag => void this.consumers.delete(tag),
      answered: token => {
        if (typeof token === 'function') (token as () => void)();
      },
    });
  }
}

export interface WorldResult {
  readonly publishes: number;
  readonly confirms: number;
  readonly deliveries: number;
  readonly starts: number;
  readonly moved: number;
  readonly fetched: number;
  readonly segmentsRemoved: number;
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
  #lastMessage = 0;
  #starts = 0;
  #moved = 0;
  #fetched = 0;
  #segmentsRemoved = 0;
  /** What the last life recorded, and lives that ended before they served, with the definitions they began with. */
  #references: { readonly shadow: ShadowLog; readonly definitions: readonly MetadataChange[] }[] = [];
  #definitionsFound: readonly MetadataChange[] = [];
  #isClean = true;
  /** The last start died, perhaps before it could say that it began. */
  #mayBeClean = false;
  readonly #deletedIds = new Set<number>();
  readonly #declaredIds = new Set<number>();
  /** The ledger's number of each queue, by the broker's. */
  readonly #ledgerIds = new Map<number, number>();
  #lastQueue = 0;
  /** Flags of entries before a clean stop. */
  #flagsBefore = new Map<string, boolean>();
  readonly trace: string[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#files = new SimFiles(this.random);
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
      segmentsRemoved: this.#segmentsRemoved,
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
        this.#references.push({ shadow: node.shadow, definitions: node.core.metadataSnapshot() });
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
      this.#declareFirst();
      return;
    }
  }

  /** Compares what was found with what had to be; returns what is to be called when the node serves, and clients have seen it. */
  #audit(node: SimNode, entries: ShadowEntries): () => void {
    const { report } = node;
    this.trace.push(
      `start ${this.#starts} at ${this.#now}: ${report.entries} entries, ${report.frames} frames, ${report.tornBytes} torn${report.wasClean ? ', clean' : ''}`,
    );
    if (report.damaged.length > 0) throw new Error(`damage was reported where there is none: ${report.damaged.join('; ')}`);
    if (this.#references.length > 0) {
      // The mark of a clean stop says that all before it is there.
      if (report.wasClean) this.#references[0]?.shadow.allDurable();
      this.#checkReferences(node, entries);
      if (report.wasClean !== this.#isClean && !this.#mayBeClean)
        throw new Error(`the stop before is taken for ${report.wasClean ? '' : 'un'}clean`);
    }
    const ids = new Set([...node.queues.values()].map(queue => this.#ledgerId(queue)));
    for (const id of ids) if (this.#deletedIds.has(id)) throw new Error(`the deleted queue ${this.ledger.queues.get(id)?.name} is back`);
    for (const id of this.#declaredIds) if (!ids.has(id)) throw new Error(`queue ${this.ledger.queues.get(id)?.name} is lost`);
    const messages = this.#messagesIn(node);
    const now = this.#now;
    this.ledger.audit(messages, report.wasClean, now, false);
    node.shadow.startWith(entries);
    this.#definitionsFound = node.core.metadataSnapshot();
    this.#isClean = false;
    return () => this.ledger.audit(messages, report.wasClean, now, true);
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
      const list: number[] = [];
      messages.set(this.#ledgerId(queue), list);
      queue.forEachReady(entry => {
        const messageId = readBody(node.bodyOf(entry));
        list.push(messageId);
        const isFlagged = (entry.meta & metaRedelivered) !== 0;
        const before = this.#flagsBefore.get(`${queue.id}/${priorityOf(entry.meta)}/${entry.sequence}`) ?? false;
        if (isFlagged !== (node.report.wasClean ? before : true))
          throw new Error(`message ${messageId} of queue ${queue.name} is ${isFlagged ? '' : 'not '}flagged as redelivered`);
        return true;
      });
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
    // What was on its way to clients comes back flagged though no client saw it.
    for (const copy of this.ledger.copies.values()) copy.mayBeFlagged = true;
    for (const session of this.#sessions) {
      if (this.random.chance(0.5)) session.client.socket.hangUp();
      else session.client.socket.reset();
    }
    node.settle();
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

  /** The number by which the ledger knows a queue: a queue's own may be given again when the queue did not outlive a crash. */
  #ledgerId(queue: { readonly id: number; readonly name: string }): number {
    const id = this.#ledgerIds.get(queue.id) ?? 0;
    if (this.ledger.queues.get(id)?.name !== queue.name) throw new Error(`queue ${queue.name} is there and nobody declared it`);
    return id;
  }

  #known(queue: { readonly id: number; readonly name: string } | undefined): LedgerQueue | undefined {
    return queue === undefined ? undefined : this.ledger.queues.get(this.#ledgerId(queue));
  }

  /** The process is gone; or the power was cut, and with it what was not synced. */
  #die(node: SimNode): void {
    if (node.failures.length > 0) throw new Error(`the store failed: ${node.failures[0]?.message}`);
    this.#now = node.broker.clock.millis + this.random.between(0, 50);
    for (const [id] of this.ledger.queues) if (!this.#isDurable(id)) this.#declaredIds.delete(id);
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

  #isDurable(queueId: number): boolean {
    return this.ledger.queues.get(queueId)?.isDurable ?? false;
  }

  #count(node: SimNode): void {
    this.#moved += node.store.cleaner?.movedBytes ?? 0;
    this.#fetched += node.store.journal.pager.fetchCount;
    this.#segmentsRemoved += node.store.journal.segments.first;
  }

  // --- a life

  #live(actions: number): void {
    const node = this.#node as SimNode;
    for (let count = 0; count < actions && !this.#files.isFrozen; count++) {
      this.#act(node);
      for (let steps = this.random.skewed(40); steps > 0; steps--) node.step();
      if (this.random.chance(0.2)) node.advance(this.random.pick([1, 5, 12, 12, 60, 1500]));
      if (this.#files.isFrozen) return;
      for (const session of this.#sessions) session.client.poll();
      node.broker.check();
      if (node.failures.length > 0) throw new Error(`the store failed: ${node.failures[0]?.message}`);
    }
  }

  #act(node: SimNode): void {
    const session = this.random.pick(this.#sessions);
    const what = this.random.weighted({
      publish: 40,
      burst: 6,
      ack: 20,
      nack: 5,
      reject: 4,
      consume: 6,
      get: 4,
      cancel: 2,
      tx: 6,
      declare: 4,
      reshape: 2,
      delete: 1,
      purge: 1,
      bind: 3,
      drop: 1,
      settle: 4,
    });
    switch (what) {
      case 'publish':
        this.#publish(session, node);
        return;
      case 'burst':
        for (let count = this.random.between(5, 40); count > 0 && !this.#files.isFrozen; count--) this.#publish(session, node);
        return;
      case 'ack':
        this.#settleOne(session, 'ack');
        return;
      case 'nack':
        this.#settleOne(session, 'nack');
        return;
      case 'reject':
        this.#settleOne(session, 'reject');
        return;
      case 'consume':
        this.#consume(session, node);
        return;
      case 'get':
        this.#get(session, node);
        return;
      case 'cancel': {
        const [tag] = session.consumers.keys();
        if (tag !== undefined) {
          this.ledger.nextEvent();
          session.client.call(requests.basicCancel(consumeChannel, tag), methods.BasicCancelOk, null);
        }
        return;
      }
      case 'tx':
        this.#transact(session, node);
        return;
      case 'declare':
        this.#declare(session, node, this.random.pick(names));
        return;
      case 'reshape':
        this.#reshape(session, node);
        return;
      case 'delete':
        this.#delete(session, node, this.random.pick(names));
        return;
      case 'purge':
        this.#purge(session, node, this.random.pick(names));
        return;
      case 'bind':
        this.#bind(session, node);
        return;
      case 'drop': {
        const index = this.#sessions.indexOf(session);
        this.#sessions.splice(index, 1);
        // What was on its way to the client comes back flagged though no client saw it.
        for (const copy of this.ledger.copies.values()) copy.mayBeFlagged = true;
        session.client.socket.reset();
        this.#connect();
        return;
      }
      case 'settle':
        node.settle();
    }
  }

  #connect(): void {
    const node = this.#node as SimNode;
    const session = new Session(node, this);
    if (!session.client.open(4)) return;
    session.client.send(requests.confirmSelect(confirmChannel, true));
    session.client.call(requests.basicQos(consumeChannel, this.random.pick([1, 3, 20])), methods.BasicQosOk, null);
    session.client.call(methods.encodeTxSelect(txChannel), methods.TxSelectOk, null);
    this.#sessions.push(session);
  }

  #declareFirst(): void {
    const node = this.#node as SimNode;
    const [session] = this.#sessions;
    if (session === undefined) return;
    for (const name of deadNames) this.#declare(session, node, name);
    session.client.call(
      requests.exchangeDeclare(adminChannel, { exchange: 'fan', type: 'fanout', durable: true }),
      methods.ExchangeDeclareOk,
      null,
    );
    for (const name of names) if (this.random.chance(0.5)) this.#declare(session, node, name);
    node.settle();
  }

  #declare(session: Session, node: SimNode, name: string): void {
    const existing = node.queues.get(name);
    const known = this.#known(existing);
    // A queue that exists is declared as it is; another one as chance has it.
    const args = existing === undefined ? this.#arguments(name) : existing.arguments;
    const event = this.ledger.nextEvent();
    const queueId = known?.id ?? ++this.#lastQueue;
    session.client.call(
      requests.queueDeclare(adminChannel, { queue: name, durable: name !== 't0', autoDelete: name === 'a0', arguments: args }),
      methods.QueueDeclareOk,
      () => {
        if (known === undefined && name !== 't0') this.ledger.durableUpTo(event);
        const now = node.queues.get(name);
        if (this.#isDurable(queueId) && name !== 'a0' && now !== undefined && this.#ledgerId(now) === queueId)
          this.#declaredIds.add(queueId);
      },
    );
    const queue = node.queues.get(name);
    if (queue === undefined) throw new Error(`queue ${name} was not declared`);
    if (known !== undefined) return;
    this.#ledgerIds.set(queue.id, queueId);
    const target = args.get('x-dead-letter-routing-key')?.value;
    this.ledger.queues.set(queueId, {
      id: queueId,
      name,
      isDurable: name !== 't0',
      priorityMax: Number(args.get('x-max-priority')?.value ?? 0),
      isOrdered: !args.has('x-queue-type'),
      isLimited: name === 'n0' || args.has('x-max-length'),
      deadLetterQueue: typeof target === 'string' ? target : null,
      takesDeadLetters: name.startsWith('d'),
    });
  }

  #arguments(name: string): FieldTable {
    const args: FieldTable = new Map();
    if (name.startsWith('d')) return args;
    if (name.startsWith('q')) this.#shape(args);
    if (name === 'n0') return args;
    if (this.random.chance(0.3)) {
      args.set('x-dead-letter-exchange', longstr(''));
      args.set('x-dead-letter-routing-key', longstr(this.random.pick(deadNames)));
    }
    if (this.random.chance(0.15)) args.set('x-max-length', long(this.random.between(0, 20)));
    if (this.random.chance(0.15)) args.set('x-message-ttl', long(this.random.between(0, 300)));
    return args;
  }

  /** A type, and priorities where it has any. */
  #shape(args: FieldTable): void {
    args.delete('x-queue-type');
    args.delete('x-delivery-limit');
    args.delete('x-max-priority');
    if (this.random.chance(0.3)) args.set('x-max-priority', long(3));
    else if (this.random.chance(0.4)) {
      args.set('x-queue-type', longstr('quorum'));
      // No message comes back so often here.
      args.set('x-delivery-limit', long(10_000));
    }
  }

  /** Declares a queue that is there with another type or other priorities. */
  #reshape(session: Session, node: SimNode): void {
    const name = this.random.pick(names);
    const queue = node.queues.get(name);
    if (!name.startsWith('q') || queue === undefined) return;
    // With messages under way it would be refused.
    if (queue.arguments.has('x-max-priority') && queue.messageCount + queue.dyingCount > queue.readyCount) return;
    const args = new Map(queue.arguments);
    this.#shape(args);
    args.set('x-on-conflict', longstr('migrate'));
    this.ledger.reshaped.add(this.#ledgerId(queue));
    const event = this.ledger.nextEvent();
    session.client.call(requests.queueDeclare(adminChannel, { queue: name, durable: true, arguments: args }), methods.QueueDeclareOk, () =>
      this.ledger.durableUpTo(event),
    );
  }

  #delete(session: Session, node: SimNode, name: string): void {
    const queue = node.queues.get(name);
    if (queue === undefined) return;
    const event = this.ledger.nextEvent();
    const id = this.#ledgerId(queue);
    this.#declaredIds.delete(id);
    session.client.call(requests.queueDelete(adminChannel, { queue: name }), methods.QueueDeleteOk, () => {
      if (queue.isDurable) this.ledger.durableUpTo(event);
      this.#deletedIds.add(id);
    });
  }

  #purge(session: Session, node: SimNode, name: string): void {
    const queue = node.queues.get(name);
    if (queue === undefined) return;
    this.ledger.nextEvent();
    for (const copy of this.ledger.copies.values()) if (copy.queueId === this.#ledgerId(queue)) copy.mayBeGone = true;
    session.client.call(requests.queuePurge(adminChannel, { queue: name }), methods.QueuePurgeOk, null);
  }

  #bind(session: Session, node: SimNode): void {
    const name = this.random.pick(names);
    if (!node.queues.has(name)) return;
    this.ledger.nextEvent();
    const routingKey = this.random.pick(['', 'k']);
    if (this.random.chance(0.7))
      session.client.call(requests.queueBind(adminChannel, { queue: name, exchange: 'fan', routingKey }), methods.QueueBindOk, null);
    else session.client.call(requests.queueUnbind(adminChannel, { queue: name, exchange: 'fan', routingKey }), methods.QueueUnbindOk, null);
  }

  // --- messages

  #publish(session: Session, node: SimNode): void {
    const send = this.#message(session, node, confirmChannel);
    if (send === null) return;
    const copies = send();
    session.unconfirmed.push({ tag: ++session.lastPublishTag, event: this.ledger.event, copies });
  }

  /** Sends a message when called; returns its copies. Null when there is nowhere to send it. */
  #message(session: Session, node: SimNode, channel: number): (() => Copy[]) | null {
    const isFanout = this.random.chance(0.3);
    const name = this.random.pick(names);
    if (!isFanout && !node.queues.has(name)) return null;
    const messageId = ++this.#lastMessage;
    const bytes = Number(this.random.weighted({ 16: 20, 100: 25, 1000: 15, 12_000: 15, 40_000: 10, 120_000: 8, 300_000: 5 }));
    const body = makeBody(messageId, bytes + this.random.below(200));
    const isPersistent = this.random.chance(0.85);
    const priority = this.random.chance(0.3) ? this.random.below(6) : 0;
    const ttl = this.random.chance(0.08) ? this.random.between(0, 200) : -1;
    const properties: Properties = {
      deliveryMode: isPersistent ? 2 : 1,
      ...(priority > 0 ? { priority } : {}),
      ...(ttl >= 0 ? { expiration: String(ttl) } : {}),
    };
    this.ledger.publishCount++;
    session.client.publish(channel, isFanout ? 'fan' : '', name, properties, body);
    const targets = new Set<Queue>();
    if (isFanout) {
      const bindings = node.core.vhosts.get('/')?.exchanges.get('fan')?.bindings.values() ?? [];
      for (const binding of bindings) if (binding.destination.kind === 'queue') targets.add(binding.destination);
    } else {
      targets.add(node.queues.get(name) as Queue);
    }
    // A message of a transaction is routed when it is published, and is in its queues when it is committed.
    if (channel === txChannel) return () => this.#copies(node, targets, messageId, isPersistent, priority, ttl);
    const copies = this.#copies(node, targets, messageId, isPersistent, priority, ttl);
    return () => copies;
  }

  #copies(node: SimNode, targets: ReadonlySet<Queue>, messageId: number, isPersistent: boolean, priority: number, ttl: number): Copy[] {
    const event = this.ledger.nextEvent();
    const copies: Copy[] = [];
    for (const { name } of targets) {
      const queue = node.queues.get(name);
      if (queue === undefined) continue;
      const queueTtl = Number(queue.arguments.get('x-message-ttl')?.value ?? Infinity);
      const expiresAt = node.broker.clock.nowMillis + Math.min(queueTtl, ttl < 0 ? Infinity : ttl);
      const copy = new Copy(
        this.#ledgerId(queue),
        messageId,
        event,
        (isPersistent || queue.keepsTransient) && queue.isDurable,
        priority,
        expiresAt,
      );
      copy.isTransient = !isPersistent;
      this.ledger.published(copy);
      copies.push(copy);
    }
    return copies;
  }

  #consume(session: Session, node: SimNode): void {
    const name = this.random.pick([...names, ...deadNames]);
    const queue = node.queues.get(name);
    const known = this.#known(queue);
    if (known === undefined || session.consumers.size > 4) return;
    const consumerTag = `c${++session.lastConsumer}`;
    const noAck = name === 'n0';
    session.consumers.set(consumerTag, known);
    if (noAck) session.noAck.add(consumerTag);
    this.ledger.nextEvent();
    session.client.call(requests.basicConsume(consumeChannel, { queue: name, consumerTag, noAck }), methods.BasicConsumeOk, null);
  }

  #get(session: Session, node: SimNode): void {
    const name = this.random.pick([...names, ...deadNames]);
    const queue = node.queues.get(name);
    const known = this.#known(queue);
    if (known === undefined) return;
    this.ledger.nextEvent();
    session.client.call(
      requests.basicGet(consumeChannel, name, name === 'n0'),
      methods.BasicGetOk,
      () => session.gets.push(known),
      methods.BasicGetEmpty,
    );
  }

  arrived(session: Session, arrival: Arrival): void {
    const queue = arrival.consumerTag === null ? session.gets.pop() : session.consumers.get(arrival.consumerTag);
    if (queue === undefined) {
      // Sent before the consumer was cancelled.
      throw new Error(`a delivery for nobody: ${JSON.stringify(arrival)}`);
    }
    const noAck = arrival.consumerTag === null ? queue.name === 'n0' : session.noAck.has(arrival.consumerTag);
    this.ledger.delivered(queue, arrival.messageId, arrival.isRedelivered, noAck);
    if (!noAck) session.unacked.push({ deliveryTag: arrival.deliveryTag, queue, messageId: arrival.messageId });
  }

  confirmed(session: Session, channel: number, tag: number, multiple: boolean): void {
    if (channel !== confirmChannel) throw new Error(`a confirm on channel ${channel}`);
    const isCovered = (each: Unconfirmed): boolean => (multiple ? each.tag <= tag : each.tag === tag);
    const covered = session.unconfirmed.filter(isCovered);
    if (covered.length === 0) throw new Error(`a confirm of publish ${tag}, which was confirmed or never made`);
    session.unconfirmed = session.unconfirmed.filter(each => !isCovered(each));
    for (const { event, copies } of covered) {
      this.ledger.confirmCount++;
      for (const copy of copies) copy.isSafe = true;
      // Only what is in the log is behind what came before it in the log.
      if (copies.some(copy => copy.isDurable)) this.ledger.durableUpTo(event);
    }
  }

  #settleOne(session: Session, how: 'ack' | 'nack' | 'reject'): void {
    if (session.unacked.length === 0) return;
    const index = this.random.below(session.unacked.length);
    const multiple = this.random.chance(0.3);
    const picked = session.unacked[index] as Unacked;
    const taken = multiple ? session.unacked.slice(0, index + 1) : [picked];
    session.unacked = session.unacked.filter(each => !taken.includes(each));
    this.ledger.nextEvent();
    if (how !== 'nack') for (const each of taken) this.ledger.settled(each.queue, each.messageId, how === 'reject');
    const tag = picked.deliveryTag;
    if (how === 'ack') session.client.send(requests.basicAck(consumeChannel, tag, multiple));
    else session.client.send(requests.basicNack(consumeChannel, tag, { multiple, requeue: how === 'nack' }));
  }

  #transact(session: Session, node: SimNode): void {
    if (session.txPublishes.length < 4 && this.random.chance(0.7)) {
      const send = this.#message(session, node, txChannel);
      if (send !== null) session.txPublishes.push(send);
      return;
    }
    const publishes = session.txPublishes;
    session.txPublishes = [];
    if (this.random.chance(0.2)) {
      session.client.call(methods.encodeTxRollback(txChannel), methods.TxRollbackOk, null);
      return;
    }
    // The messages go to the queues in the order in which they were published, all at the commit.
    const copies = publishes.flatMap(publish => publish());
    const event = this.ledger.nextEvent();
    session.client.call(methods.encodeTxCommit(txChannel), methods.TxCommitOk, () => {
      for (const copy of copies) copy.isSafe = true;
      if (copies.some(copy => copy.isDurable)) this.ledger.durableUpTo(event);
    });
  }

  // --- the end

  /** Consumes everything; then nothing may be missing, and the disk must be nearly empty. */
  async #drain(): Promise<void> {
    const node = this.#node as SimNode;
    const [session] = this.#sessions;
    if (session === undefined) throw new Error('no client');
    for (const other of this.#sessions.splice(1)) other.client.socket.reset();
    session.client.call(requests.basicQos(consumeChannel, 0), methods.BasicQosOk, null);
    for (const queue of [...node.queues.values()]) {
      const known = this.#known(queue) as LedgerQueue;
      const consumerTag = `drain-${queue.name}`;
      session.consumers.set(consumerTag, known);
      if (queue.name === 'n0') session.noAck.add(consumerTag);
      session.client.call(
        requests.basicConsume(consumeChannel, { queue: queue.name, consumerTag, noAck: queue.name === 'n0' }),
        methods.BasicConsumeOk,
        null,
      );
    }
    const messages = (): number => [...node.queues.values()].reduce((sum, queue) => sum + queue.messageCount, 0);
    for (let round = 0; messages() > 0; round++) {
      node.settle();
      session.client.poll();
      while (session.unacked.length > 0) this.#settleOne(session, 'ack');
      node.advance(20);
      if (round > 5000) throw new Error(`${messages()} messages are left in the queues and do not come`);
    }
    const empty = new Map([...node.queues.values()].map(queue => [this.#ledgerId(queue), []]));
    this.ledger.audit(empty, false, node.broker.clock.millis, true);
    for (let count = 0; count < 20; count++) {
      node.advance(600);
      node.settle();
    }
    this.#count(node);
    const { segments } = node.store.journal;
    if (segments.count > 2) throw new Error(`${segments.count} segments are left though no message is`);
    const loose = this.#files.list().filter(name => name.startsWith('loose'));
    if (loose.length > 0) throw new Error(`bodies are left though no message is: ${loose.join(', ')}`);
    await this.#stop(node);
    const again = new SimNode(this.#files.cutPower({ data: 'none', names: 'none' }), this.random, this.#now, this.#options);
    if (!again.report.wasClean || again.report.entries !== 0) throw new Error(`after a clean stop: ${JSON.stringify(again.report)}`);
  }
}
