import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { BrokerCore } from '../../core/broker.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { parseExpiration } from '../../core/messages/expiration.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { Publication } from '../../core/messages/publication.ts';
import { fillFromStore } from '../../core/messages/stored-publication.ts';
import { Entry, metaPersistent, priorityOf } from '../../core/queues/entry.ts';
import type { Queue, RestorableQueue } from '../../core/queues/queue.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { MessagePlace } from './message-id.ts';
import { envelopeOf } from './publish-message.ts';
import { originOf, revive } from './redrive.ts';
import { dropMessage } from './take-out.ts';

export type MoveTarget =
  | { readonly kind: 'queue'; readonly queue: Queue }
  | { readonly kind: 'exchange'; readonly exchange: Exchange }
  /** The queues that dead letters came from; `queueOf` says which may be used, null for none. */
  | { readonly kind: 'origins'; queueOf(name: string): Queue | null };

export interface MoveOptions {
  readonly vhost: Vhost;
  readonly source: RestorableQueue;
  readonly target: MoveTarget;
  /** At most so many; Infinity for all that are there at the start. */
  readonly countMax: number;
  /** These and no others; null for those at the head. */
  readonly places: readonly MessagePlace[] | null;
  /** Whether the messages stay here, too. */
  readonly isCopy: boolean;
  /** Hears of the queue that each dead letter went back to. */
  readonly onRedriven?: (queue: string) => void;
  /** Hears of messages that can go nowhere. */
  readonly onLeftBehind?: () => void;
  /** Messages a second; Infinity for no limit. */
  readonly rate: number;
  /** Says before each message whether the publisher may use its routing key, which an exchange is published to with. */
  checkKey(routingKey: string): void;
  /** True as soon as nobody waits for the outcome any more. */
  isAborted(): boolean;
}

/** Messages moved before others get their turn. */
const batchCount = 100;
const pauseMillis = 20;
/** Messages that stay behind because they can go nowhere, before the move ends. */
const leftBehindMax = 10_000;

/**
 * Moves messages from the head of a queue to the end of another, or publishes them to an exchange, each as it is: first it is put there,
 * then, unless it is a copy, taken away here. What finds no place stays. Returns how many were moved.
 */
export async function moveMessages(core: BrokerCore, options: MoveOptions): Promise<number> {
  const { source, rate } = options;
  // What stays is not to be come across again.
  const places = options.places ?? (options.isCopy ? allPlaces(source, options.countMax) : null);
  // Dead letters of other queues are passed over: they do not count.
  const wanted = options.target.kind === 'origins' ? source.readyCount : Math.min(options.countMax, places?.length ?? source.readyCount);
  const leftBehind = new Set<number>();
  const start = performance.now();
  let moved = 0;
  let looked = 0;
  while (looked < wanted && moved < options.countMax && !source.isDeleted && leftBehind.size < leftBehindMax && !options.isAborted()) {
    core.turn.begin();
    const count = Math.min(batchCount, wanted - looked, options.countMax - moved, allowance(start, moved, rate));
    const batch = places === null ? head(source, leftBehind, count) : named(source, places.slice(looked, looked + count));
    if (batch.length === 0 && count > 0) break;
    const absent = batch.findIndex(entry => entry !== null && !core.store.isResident(entry.ref));
    if (absent === 0) await fetched(core, (batch[0] as Entry).ref);
    for (const entry of absent < 0 ? batch : batch.slice(0, absent)) {
      looked++;
      if (entry === null) continue;
      if (moveOne(core, options, entry)) moved++;
      // A queue that is full stays so; an exchange may have another way for the next message.
      else if (options.target.kind === 'queue') return moved;
      else {
        leftBehind.add(entry.sequence);
        options.onLeftBehind?.();
      }
    }
    await (count === 0 ? delay(pauseMillis) : nextTurn());
  }
  return moved;
}

/** The places of the first messages. */
function allPlaces(source: Queue, countMax: number): MessagePlace[] {
  const places: MessagePlace[] = [];
  if (countMax === 0) return places;
  source.forEachReady(entry => places.push({ priority: priorityOf(entry.meta), sequence: entry.sequence }) < countMax);
  return places;
}

/** How many messages may be moved by now. */
function allowance(startMillis: number, moved: number, rate: number): number {
  if (rate === Infinity) return Infinity;
  return Math.max(0, Math.floor(((performance.now() - startMillis) / 1000) * rate) + 1 - moved);
}

function fetched(core: BrokerCore, ref: MessageRef): Promise<void> {
  return new Promise(resolve => core.store.fetch(ref, resolve));
}

/** The first messages but for those left behind, as copies of their entries. They hold until the next turn. */
function head(source: Queue, leftBehind: ReadonlySet<number>, count: number): Entry[] {
  const found: Entry[] = [];
  if (count === 0) return found;
  source.forEachReady(entry => {
    if (!leftBehind.has(entry.sequence)) found.push(Object.assign(new Entry(), entry));
    return found.length < count;
  });
  return found;
}

/** The messages at these places, in this order; null where there is none. */
function named(source: Queue, places: readonly MessagePlace[]): (Entry | null)[] {
  return places.map(({ priority, sequence }) => {
    const entry = new Entry();
    return source.findReady(priority, sequence, entry) ? entry : null;
  });
}

function moveOne(core: BrokerCore, options: MoveOptions, entry: Entry): boolean {
  const { vhost, source, target } = options;
  if (!core.store.isIntact(entry.ref)) return false;
  const { p, routingKey } = publicationOf(core, entry);
  if (target.kind === 'exchange') {
    options.checkKey(routingKey);
    p.envelope = envelopeOf(target.exchange.name, routingKey);
    p.envelopeStart = 0;
    p.envelopeBytes = p.envelope.length;
    const routed = core.publisher.deliver(vhost, target.exchange, [routingKey], p);
    if (routed === 0 || (p.isRefused && routed === 1)) return false;
  } else if (target.kind === 'origins') {
    if (!sendHome(core, options, target, p)) return false;
  } else {
    if (wouldRefuse(target.queue, p.bodyBytes)) return false;
    if (core.publisher.deliver(vhost, target.queue, [], p) === 0) return false;
  }
  return options.isCopy || dropMessage(source, { priority: priorityOf(entry.meta), sequence: entry.sequence });
}

/** Puts a dead letter into the queue in which it died. */
function sendHome(core: BrokerCore, options: MoveOptions, target: MoveTarget & { readonly kind: 'origins' }, p: Publication): boolean {
  const headers = core.format(p.format).headers(p.properties, p.propertiesStart, p.propertiesBytes);
  const origin = originOf(headers, options.source.name);
  const queue = origin === null ? null : target.queueOf(origin.queue);
  if (origin === null || queue === null || headers === null || wouldRefuse(queue, p.bodyBytes)) return false;
  revive(core, p, headers, origin);
  if (core.publisher.deliver(options.vhost, queue, [], p) === 0) return false;
  options.onRedriven?.(queue.name);
  return true;
}

/** Whether the queue refuses what comes when it is full: asked here, so that a refused message is not dead-lettered as well. */
function wouldRefuse({ settings, readyCount, readyBytes, hasOwnLog }: Queue, bodyBytes: number): boolean {
  // What is too long for a stream makes room by itself.
  if (hasOwnLog) return false;
  const { overflow, lengthMax, lengthBytesMax } = settings;
  if (overflow === 'drop-head') return false;
  return (lengthMax >= 0 && readyCount + 1 > lengthMax) || (lengthBytesMax >= 0 && readyBytes + bodyBytes > lengthBytesMax);
}

function publicationOf(core: BrokerCore, entry: Entry): { readonly p: Publication; readonly routingKey: string } {
  const p = new Publication();
  fillFromStore(core.store, entry.ref, p);
  p.isPersistent = (entry.meta & metaPersistent) !== 0;
  p.priority = priorityOf(entry.meta);
  const expiration = core.format(p.format).expiration(p.properties, p.propertiesStart, p.propertiesBytes);
  if (expiration !== null && /^\d{1,10}$/.test(expiration)) p.ttlMillis = parseExpiration(expiration);
  const exchangeBytes = p.envelope[p.envelopeStart] ?? 0;
  const keyStart = p.envelopeStart + 1 + exchangeBytes;
  return { p, routingKey: p.envelope.toString('utf8', keyStart + 1, keyStart + 1 + (p.envelope[keyStart] ?? 0)) };
}
