/** A message as the model has it. */
export interface ModelMessage {
  readonly id: number;
  readonly level: number;
  place: number;
  readonly bytes: number;
  /** 0: never. */
  readonly expiryMillis: number;
  redelivered: boolean;
  /** Where it stands among those that came back to a quorum queue; 0: it did not. */
  backPlace: number;
  returns: number;
}

export interface ModelConsumer {
  readonly name: string;
  readonly priority: number;
  /** 0: no limit. */
  readonly prefetch: number;
  readonly noAck: boolean;
  isActive: boolean;
  unacked: number;
}

export interface ModelSettings {
  /** Classic: by priority, then by place. Quorum: first what came back, then two of high priority for each of normal priority. */
  readonly order: 'classic' | 'quorum';
  readonly priorityMax: number;
  readonly ttlMillis: number;
  readonly lengthMax: number;
  readonly bytesMax: number;
  readonly overflow: string;
  readonly deliveryLimit: number;
  readonly isSingleActive: boolean;
}

/**
 * What a classic or a quorum queue is to do, as plainly as it can be said: one sorted array and no thought of speed. It does not say which of several
 * equal consumers gets a message: it is told (`deliverTo`) and says whether that was right.
 */
export class QueueModel {
  readonly settings: ModelSettings;
  readonly ready: ModelMessage[] = [];
  readonly unacked = new Map<number, ModelMessage>();
  readonly consumers: ModelConsumer[] = [];
  /** Who died and why, since it was last emptied. */
  dead: string[] = [];
  #lastPlace = 0;
  /** The one that was active, until it has settled what it has. */
  #leaving: ModelConsumer | null = null;
  /** How many were taken from a quorum queue since it was normal priority's turn. */
  #taken = 0;

  constructor(settings: ModelSettings) {
    this.settings = settings;
  }

  get readyBytes(): number {
    return this.ready.reduce((sum, message) => sum + message.bytes, 0);
  }

  /** Whether a message of so many bytes has no room. */
  isFullFor(bytes: number): boolean {
    return this.settings.overflow !== 'drop-head' && this.#isOver(bytes, 1);
  }

  /** Whether a message that comes back pushes out the head. */
  isTightFor(id: number): boolean {
    const message = this.unacked.get(id) as ModelMessage;
    return this.settings.overflow === 'drop-head' && this.#isOver(message.bytes, 1) && !this.#isReturnedTooOften(message);
  }

  get isTooLong(): boolean {
    return this.settings.overflow === 'drop-head' && this.#isOver(0, 0);
  }

  refuse(id: number): void {
    if (this.settings.overflow === 'reject-publish-dlx') this.dead.push(`${id} maxlen`);
  }

  push(id: number, priority: number, bytes: number, ttlMillis: number, now: number): void {
    const { priorityMax, ttlMillis: queueTtl } = this.settings;
    const ttl = Math.min(ttlMillis < 0 ? Infinity : ttlMillis, queueTtl < 0 ? Infinity : queueTtl);
    const expiryMillis = ttl === Infinity ? 0 : now + ttl;
    this.#insert({
      id,
      level: this.settings.order === 'quorum' ? (priority > 4 ? 1 : 0) : Math.min(priority, priorityMax),
      place: ++this.#lastPlace,
      bytes,
      expiryMillis,
      redelivered: false,
      backPlace: 0,
      returns: 0,
    });
  }

  dropHeads(): void {
    while (this.ready.length > 0 && this.isTooLong) this.#die(this.#shift() as ModelMessage, 'maxlen');
  }

  /** The next message for the consumer; throws when it is not this one's turn, or nothing is there. */
  deliverTo(consumer: ModelConsumer, now: number): ModelMessage {
    if (!this.#takers().includes(consumer)) throw new Error(`a delivery to ${consumer.name}, who has no credit or is not the first`);
    this.#dropOverdue(now);
    const message = this.#shift();
    if (message === undefined) throw new Error(`a delivery to ${consumer.name}, but nothing is ready`);
    if (!consumer.noAck) {
      this.unacked.set(message.id, message);
      consumer.unacked++;
    }
    return message;
  }

  /** Nothing can be handed out any more: throws when something can, and drops what has expired at the front. */
  rest(now: number): void {
    if (this.#takers().length > 0) {
      this.#dropOverdue(now);
      if (this.ready.length > 0) throw new Error(`${this.ready[0]?.id} was to be delivered`);
    }
    this.#dropExpired(now);
  }

  get(now: number, noAck: boolean): ModelMessage | null {
    for (let message = this.#shift(); message !== undefined; message = this.#shift()) {
      if (message.expiryMillis !== 0 && message.expiryMillis <= now) {
        this.#die(message, 'expired');
        continue;
      }
      if (!noAck) this.unacked.set(message.id, message);
      this.#dropExpired(now);
      return message;
    }
    return null;
  }

  settle(id: number, outcome: 'accepted' | 'rejected' | 'returned', now: number): void {
    const message = this.unacked.get(id) as ModelMessage;
    this.unacked.delete(id);
    if (outcome === 'rejected') this.#die(message, 'rejected');
    if (outcome !== 'returned') return;
    if (this.#isReturnedTooOften(message)) {
      this.#die(message, 'delivery_limit');
      return;
    }
    message.redelivered = true;
    message.returns++;
    if (this.settings.order === 'quorum') {
      const isToTheEnd = this.settings.deliveryLimit < 0;
      message.place = isToTheEnd ? ++this.#lastPlace : message.place;
      message.backPlace = isToTheEnd ? 0 : ++this.#lastPlace;
    }
    this.#insert(message);
    this.dropHeads();
    if (message.expiryMillis !== 0) this.#dropExpired(now);
  }

  #isReturnedTooOften(message: ModelMessage): boolean {
    const { deliveryLimit } = this.settings;
    return deliveryLimit >= 0 && message.returns >= deliveryLimit;
  }

  attach(consumer: ModelConsumer): void {
    consumer.isActive = !this.settings.isSingleActive || this.consumers.length === 0;
    this.consumers.push(consumer);
    const active = this.consumers.find(each => each.isActive);
    // In a quorum queue the active one gives way to one of a higher priority, once it has settled what it has.
    if (!this.settings.isSingleActive || this.settings.order !== 'quorum' || active === undefined || this.#first() === active) return;
    active.isActive = false;
    this.#leaving = active;
    this.#replace();
  }

  detach(consumer: ModelConsumer): void {
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    if (!this.settings.isSingleActive || (!consumer.isActive && consumer !== this.#leaving)) return;
    this.#leaving = null;
    this.#activateFirst();
  }

  /** A delivery of the consumer is settled. */
  gaveBack(consumer: ModelConsumer): void {
    consumer.unacked--;
    this.#replace();
  }

  #replace(): void {
    if (this.#leaving === null || this.#leaving.unacked > 0) return;
    this.#leaving = null;
    this.#activateFirst();
  }

  #activateFirst(): void {
    const first = this.#first();
    if (first !== undefined) first.isActive = true;
  }

  /** The first of those of the highest priority. */
  #first(): ModelConsumer | undefined {
    return [...this.consumers].sort((a, b) => b.priority - a.priority)[0];
  }

  purge(): number {
    let count = 0;
    while (this.#shift() !== undefined) count++;
    // Turns of the priorities begin anew.
    this.#taken = 0;
    return count;
  }

  /** Consumers that may get the next message: of the highest priority that has credit. */
  #takers(): ModelConsumer[] {
    const able = this.consumers.filter(each => each.isActive && (each.noAck || each.prefetch === 0 || each.unacked < each.prefetch));
    const highest = Math.max(...able.map(each => each.priority));
    return able.filter(each => each.priority === highest);
  }

  /** What expires in the very moment it could be delivered is delivered: a time to live of 0 means deliver or drop. */
  #dropOverdue(now: number): void {
    for (let head = this.ready[0]; head !== undefined && head.expiryMillis !== 0 && head.expiryMillis < now; head = this.ready[0]) {
      this.#die(this.#shift() as ModelMessage, 'expired');
    }
  }

  #dropExpired(now: number): void {
    for (let head = this.ready[0]; head !== undefined && head.expiryMillis !== 0 && head.expiryMillis <= now; head = this.ready[0]) {
      this.#die(this.#shift() as ModelMessage, 'expired');
    }
  }

  #insert(message: ModelMessage): void {
    this.ready.push(message);
    if (this.settings.order === 'classic') this.ready.sort((a, b) => b.level - a.level || a.place - b.place);
    else this.#sortInTurn();
  }

  #shift(): ModelMessage | undefined {
    const message = this.ready.shift();
    if (message !== undefined && message.backPlace === 0) this.#taken = (this.#taken + 1) % 3;
    return message;
  }

  #sortInTurn(): void {
    const sorted = this.ready.toSorted((a, b) => a.place - b.place);
    const back = sorted.filter(each => each.backPlace > 0).sort((a, b) => a.backPlace - b.backPlace);
    const high = sorted.filter(each => each.backPlace === 0 && each.level === 1);
    const normal = sorted.filter(each => each.backPlace === 0 && each.level === 0);
    this.ready.splice(0, Infinity, ...back);
    for (let taken = this.#taken; high.length + normal.length > 0; taken = (taken + 1) % 3) {
      const [h, n] = [high[0], normal[0]];
      const isNormalsTurn = n !== undefined && (h === undefined || (taken === 2 && n.place < h.place));
      this.ready.push((isNormalsTurn ? normal : high).shift() as ModelMessage);
    }
  }

  #isOver(bytes: number, count: number): boolean {
    const { lengthMax, bytesMax } = this.settings;
    return (lengthMax >= 0 && this.ready.length + count > lengthMax) || (bytesMax >= 0 && this.readyBytes + bytes > bytesMax);
  }

  #die(message: ModelMessage, reason: string): void {
    this.dead.push(`${message.id} ${reason}`);
  }
}
