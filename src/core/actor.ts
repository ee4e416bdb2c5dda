import { internalUser } from './events/broker-events.ts';

/** On whose behalf something is done. Every operation of every protocol is authorized with one. */
export interface Actor {
  /** User name, for permissions. */
  readonly user: string;
  /** The connection, for exclusive queues; null for actors without one (HTTP API, CLI). */
  readonly owner: object | null;
  /** True for the broker itself: nothing is asked. */
  readonly isBroker: boolean;
}

/** The broker's own doings: recovery, definitions, policies. */
export const brokerActor: Actor = { user: '', owner: null, isBroker: true };

/** Who events say it was. */
export function actorName(actor: Actor): string {
  return actor.isBroker ? internalUser : actor.user;
}
