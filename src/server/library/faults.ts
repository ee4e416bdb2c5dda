import type { BrokerCore } from '../../core/broker.ts';
import type { AlarmSource } from '../../core/alarms.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { FrontEnd } from '../../protocols/amqp091/front-end.ts';
import { type Client, clients } from './clients.ts';
import { type Duration, durationMillis } from './duration.ts';
import type { SlowLog } from './slow-log.ts';

/** Which connections a fault concerns: all, or those whose name or client-given name is this, or for which the function says so. */
export type Which = string | ((connection: { readonly name: string; readonly givenName: string | null; readonly user: string }) => boolean);

/** The first bytes of something that announces more than ever comes: of AMQP a method frame, of the others a message. */
const halfFrame = Buffer.from([1, 0, 0, 0, 0, 0, 50, 0, 60]);
const halfPublish = Buffer.from([0x30, 50, 0, 20]);
const halfMessage = Buffer.from('MESSAGE\ndesti');

/**
 * Faults on purpose, to see how a program takes them. Each does what the fault does in earnest: nothing is acknowledged that is not done,
 * and what is lost is what would be.
 */
export class Faults {
  readonly #core: BrokerCore;
  readonly #frontEnd: FrontEnd;
  readonly #log: SlowLog;
  #isRefusing = false;
  #nackCount = 0;
  #repeatCount = 0;
  readonly #repeated = new WeakSet<Queue>();
  readonly #raised = new Set<AlarmSource>();
  readonly #paused = new Set<Queue>();

  /** @internal */
  constructor(core: BrokerCore, frontEnd: FrontEnd, log: SlowLog) {
    this.#core = core;
    this.#frontEnd = frontEnd;
    this.#log = log;
  }

  /** Ends every new connection at once, as if nobody listened, until `acceptConnections`. Those there are stay. */
  refuseConnections(): void {
    this.#isRefusing = true;
  }

  acceptConnections(): void {
    this.#isRefusing = false;
  }

  /** @internal */
  get isRefusing(): boolean {
    return this.#isRefusing;
  }

  /** Drops TCP connections without a word, as a network does. Returns how many. */
  dropConnections(which?: Which): number {
    const chosen = this.#connections(which);
    for (const connection of chosen) connection.link.destroy();
    return chosen.length;
  }

  /** Cuts connections off in the middle of a frame. Returns how many. */
  cutMidFrame(which?: Which): number {
    const chosen = this.#connections(which);
    for (const connection of chosen) {
      const { link, protocol } = connection;
      link.outbox.append(protocol.includes('MQTT') ? halfPublish : protocol.includes('STOMP') ? halfMessage : halfFrame);
      connection.link.end();
      setImmediate(() => connection.link.destroy());
    }
    return chosen.length;
  }

  /** Closes connections with 320 CONNECTION_FORCED, as an operator does. Returns how many. */
  closeConnections(which?: Which, text = 'Closed via management plugin'): number {
    this.#core.turn.begin();
    const chosen = this.#connections(which);
    for (const connection of chosen) connection.close('CONNECTION_FORCED', text);
    return chosen.length;
  }

  /** Confirms, tx.commit-ok and answers to durable declarations come so much later; 0 ends it. */
  delayConfirms(by: Duration): void {
    this.#log.delayBy(durationMillis(by));
  }

  /** No confirm comes until `delayConfirms` is called again. */
  holdConfirms(): void {
    this.#log.delayBy(Infinity);
  }

  /** Refuses the next messages that clients publish: basic.nack in confirm mode, silently dropped otherwise. */
  nackPublishes(count: number): void {
    if (!Object.hasOwn(this.#core.publisher, 'nack')) this.#armNacks();
    this.#nackCount = count;
  }

  /** The next acknowledgements get lost: the messages are delivered again, as redelivered. */
  deliverTwice(count: number): void {
    this.#repeatCount = count;
    for (const vhost of this.#core.vhosts.values()) for (const queue of vhost.queues.values()) this.#armRepeats(queue);
  }

  /** Sets an alarm: publishers are blocked, consumers go on. */
  raiseAlarm(source: AlarmSource): void {
    this.#raised.add(source);
    this.#core.turn.begin();
    this.#core.alarms.set(source);
  }

  clearAlarm(source: AlarmSource): void {
    this.#raised.delete(source);
    this.#core.turn.begin();
    this.#core.alarms.clear(source);
  }

  /** As when free disk space is below its limit. */
  fillDisk(): void {
    this.raiseAlarm('disk');
  }

  /** The queue takes messages and hands none out, to consumers or basic.get. @throws RangeError when there is no such queue */
  pauseQueue(name: string, vhost = '/'): void {
    const queue = this.#queue(vhost, name);
    if (this.#paused.has(queue)) return;
    this.#paused.add(queue);
    queue.pump = () => false;
    queue.take = () => false;
  }

  /** @throws RangeError when there is no such queue */
  resumeQueue(name: string, vhost = '/'): void {
    this.#resume(this.#queue(vhost, name));
  }

  /** Ends all faults that last. */
  clear(): void {
    this.acceptConnections();
    this.#log.delayBy(0);
    this.#nackCount = 0;
    this.#repeatCount = 0;
    for (const source of this.#raised) this.clearAlarm(source);
    for (const queue of this.#paused) this.#resume(queue);
  }

  #resume(queue: Queue): void {
    if (!this.#paused.delete(queue)) return;
    // What hid the queue's own.
    Reflect.deleteProperty(queue, 'pump');
    Reflect.deleteProperty(queue, 'take');
    this.#core.turn.begin();
    this.#core.turn.queueReady(queue);
  }

  #armNacks(): void {
    const { publisher } = this.#core;
    const publish = publisher.publish.bind(publisher);
    publisher.publish = (vhost, exchange, route, p) => {
      if (this.#nackCount === 0 || p.publisher === null) return publish(vhost, exchange, route, p);
      this.#nackCount--;
      p.isRefused = true;
      return 1;
    };
    Object.defineProperty(publisher, 'nack', { value: true });
  }

  #armRepeats(queue: Queue): void {
    if (this.#repeated.has(queue)) return;
    this.#repeated.add(queue);
    const settle = queue.settle.bind(queue);
    queue.settle = (entry, outcome) => {
      if (outcome !== 'accepted' || this.#repeatCount === 0) return settle(entry, outcome);
      this.#repeatCount--;
      settle(entry, 'returned');
    };
  }

  #queue(vhost: string, name: string): Queue {
    const queue = this.#core.vhosts.get(vhost)?.queues.get(name);
    if (queue === undefined) throw new RangeError(`no queue '${name}' in vhost '${vhost}'`);
    return queue;
  }

  #connections(which: Which | undefined): Client[] {
    const all = clients(this.#core, this.#frontEnd);
    if (which === undefined) return all;
    return all.filter(connection => {
      const { name, givenName, user } = connection.describe();
      return typeof which === 'string' ? name === which || givenName === which : which({ name, givenName, user });
    });
  }
}
