import type { Json } from '../../base/field-table.ts';
import type { Steps } from '../stepped-work.ts';

/** Whom RabbitMQ names where nobody asked for what happened. */
export const internalUser = 'rmq-internal';

/** Facts about what happened, under RabbitMQ's names. */
export type EventFacts = Readonly<Record<string, Json>>;

/** Something that happened to the broker's things, named as the event exchange has it: 'queue.created'. */
export interface BrokerEvent {
  readonly name: string;
  readonly facts: EventFacts;
}

/** Somebody who wants to hear of events. */
export interface EventObserver {
  /** False while nobody would get to see the events anyway. */
  readonly isInterested: boolean;
  happened(event: BrokerEvent): void;
}

/**
 * Makes known what happens: queues, connections, users ... come and go. Whoever has something to tell asks `isObserved` first, so that an
 * event costs nothing as long as nobody listens.
 */
export class BrokerEvents {
  readonly #observers = new Set<EventObserver>();
  /** Who asks for what happens to users, permissions, policies and the like at this moment. */
  actor = internalUser;

  get isObserved(): boolean {
    for (const observer of this.#observers) if (observer.isInterested) return true;
    return false;
  }

  /** Returns the way to stop it. */
  observe(observer: EventObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Does something in a user's name: what happens until it returns is that user's doing. */
  actingAs<T>(user: string, work: () => T): T {
    const before = this.actor;
    this.actor = user;
    try {
      return work();
    } finally {
      this.actor = before;
    }
  }

  /** The same of something done in steps: all of them are the doing of whoever acts now. */
  stepsOfActor<Result>(steps: Steps<Result>): Steps<Result> {
    return this.actor === internalUser ? steps : this.#stepsOf(this.actor, steps);
  }

  *#stepsOf<Result>(user: string, steps: Steps<Result>): Steps<Result> {
    for (;;) {
      const step = this.actingAs(user, () => steps.next());
      if (step.done === true) return step.value;
      yield step.value;
    }
  }

  /** An event with the name of whoever asked for it. */
  emitByActor(name: string, facts: EventFacts): void {
    this.emit(name, { ...facts, user_who_performed_action: this.actor });
  }

  emit(name: string, facts: EventFacts): void {
    for (const observer of this.#observers) if (observer.isInterested) observer.happened({ name, facts });
  }
}
