import type { ChannelIdentity } from '../connection-registry.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Route } from '../exchanges/route.ts';
import type { Publication } from '../messages/publication.ts';
import type { Entry } from '../queues/entry.ts';
import type { Outcome, Queue } from '../queues/queue.ts';

/** Is told of every message of a virtual host on its way. A virtual host has one only while somebody wants to know. */
export interface MessageTracer {
  /** A message has come and its route is known; it is in none of its queues yet. Nothing of `p` may be kept. */
  published(channel: ChannelIdentity, exchange: Exchange, route: Route, p: Publication): void;
  /** A message is about to be delivered, or to answer basic.get. It is in memory; with `noAck` no settlement follows. */
  delivered(channel: ChannelIdentity, queue: Queue, entry: Entry, noAck: boolean): void;
  /** A delivery is about to be settled. */
  settled(queue: Queue, entry: Entry, outcome: Outcome): void;
}

/** Tells several of each message; null when there is nobody to tell. */
export function tracerOfAll(tracers: readonly (MessageTracer | null)[]): MessageTracer | null {
  const all = tracers.filter(tracer => tracer !== null);
  if (all.length <= 1) return all[0] ?? null;
  return {
    published: (channel, exchange, route, p) => {
      for (const tracer of all) tracer.published(channel, exchange, route, p);
    },
    delivered: (channel, queue, entry, noAck) => {
      for (const tracer of all) tracer.delivered(channel, queue, entry, noAck);
    },
    settled: (queue, entry, outcome) => {
      for (const tracer of all) tracer.settled(queue, entry, outcome);
    },
  };
}
