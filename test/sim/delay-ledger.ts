/** What a publisher can be told of a message that is held. */
export interface HeldCopy {
  readonly isPersistent: boolean;
  isSafe: boolean;
}

/** A message that an exchange was told to hold. */
interface Held extends HeldCopy {
  readonly event: number;
  /** Simulated time from which it may be delivered. */
  readonly dueMillis: number;
  deliveries: number;
  /** Event that settled what was delivered of it; Infinity: none has. */
  settledEvent: number;
  /**
   * The broker died when its time had come: it may be in its queue and held all the same, then it comes again as a new message.
   * [docs/guides/delayed-messages.md]
   */
  mayLeaveAgain: boolean;
  mayBeFlagged: boolean;
  isGone: boolean;
}

/** Where messages of the exchange are after a start. */
export interface DelayedFound {
  /** Times of release of what is held, by message. */
  readonly held: ReadonlyMap<number, number>;
  /** What is in the queue. */
  readonly ready: readonly number[];
}

/** What is known of messages that an exchange holds for one queue until their time. */
export class DelayLedger {
  readonly #messages = new Map<number, Held>();
  /** Released and delivered, for the world's account. */
  deliveries = 0;

  published(messageId: number, event: number, dueMillis: number, isPersistent: boolean): HeldCopy {
    const held: Held = {
      event,
      dueMillis,
      isPersistent,
      isSafe: false,
      deliveries: 0,
      settledEvent: Infinity,
      mayLeaveAgain: false,
      mayBeFlagged: false,
      isGone: false,
    };
    this.#messages.set(messageId, held);
    return held;
  }

  delivered(messageId: number, isRedelivered: boolean, nowMillis: number): void {
    const held = this.#find(messageId);
    const what = `the delayed message ${messageId}`;
    this.deliveries++;
    if (nowMillis < held.dueMillis) throw new Error(`${what} came ${held.dueMillis - nowMillis} ms early`);
    if (held.isGone) throw new Error(`${what} came back though it was gone`);
    if (!held.mayLeaveAgain) {
      if (held.settledEvent !== Infinity) throw new Error(`${what} was delivered though it was settled`);
      if (held.deliveries > 0 && !isRedelivered) throw new Error(`${what} was delivered again and is not flagged`);
    }
    if (held.deliveries === 0 && isRedelivered && !held.mayBeFlagged) throw new Error(`${what} is flagged though it was never delivered`);
    held.deliveries++;
  }

  settled(messageId: number, event: number): void {
    this.#find(messageId).settledEvent = event;
  }

  /** Connections were broken: what was on its way to their clients comes flagged. */
  mayBeFlagged(): void {
    for (const held of this.#messages.values()) held.mayBeFlagged = true;
  }

  /** Compares with what is there after a start; `isServing`: what was found is what there is from then on. */
  audit(found: DelayedFound, isClean: boolean, nowMillis: number, durableEvent: number, isServing: boolean): void {
    const ready = new Map<number, number>();
    for (const messageId of found.ready) ready.set(messageId, (ready.get(messageId) ?? 0) + 1);
    for (const messageId of [...found.held.keys(), ...ready.keys()])
      if (!this.#messages.has(messageId)) throw new Error(`the message ${messageId} is held, or was, and nobody sent it`);
    for (const [messageId, held] of this.#messages) {
      const what = `the delayed message ${messageId}`;
      const due = found.held.get(messageId);
      const count = (ready.get(messageId) ?? 0) + (due === undefined ? 0 : 1);
      held.mayLeaveAgain ||= !isClean && held.dueMillis <= nowMillis;
      if (due !== undefined && due !== held.dueMillis) throw new Error(`${what} is due at ${due} in place of ${held.dueMillis}`);
      if (count > 0 && held.isGone) throw new Error(`${what} is back though it was gone`);
      if (count > 0 && !held.isPersistent) throw new Error(`${what} is transient and has outlived the broker`);
      if (count > 1 && !held.mayLeaveAgain) throw new Error(`${what} is there ${count} times`);
      if (count > 0 && !held.mayLeaveAgain && held.settledEvent <= durableEvent)
        throw new Error(`${what} is back though its settlement is durable`);
      if (count === 0 && held.isPersistent && (held.isSafe || isClean) && !held.isGone && held.settledEvent === Infinity)
        throw new Error(`${what} is lost: ${JSON.stringify(held)}`);
      if (!isServing) continue;
      held.isGone ||= count === 0;
      if (!isClean) held.mayBeFlagged = true;
      if (count === 0) continue;
      held.isSafe = true;
      held.settledEvent = Infinity;
    }
  }

  #find(messageId: number): Held {
    const held = this.#messages.get(messageId);
    if (held === undefined) throw new Error(`message ${messageId} came by the exchange that delays, and nobody sent it there`);
    return held;
  }
}
