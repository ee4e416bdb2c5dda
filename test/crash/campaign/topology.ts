import { type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import { encodeProperties } from '../../../src/wire/amqp091/properties.ts';

/** Kinds of traffic, each with promises of its own. */
export const kinds = ['classic', 'quorum', 'stream', 'retry', 'delay', 'mqtt-1', 'mqtt-2', 'stomp'] as const;
export type Kind = (typeof kinds)[number];

/** A queue of the campaign. */
export interface CampaignQueue {
  readonly name: string;
  readonly kind: Kind;
  /** How its messages are come to: consumed, read from an offset, or got by the session it belongs to. */
  readonly access: 'queue' | 'stream' | 'session';
  readonly arguments: FieldTable;
  /** Dead letters of these queues come here. */
  readonly deadLettersOf: readonly number[];
  /** Messages may leave it for the queue of dead letters. */
  readonly deadLetterQueue: number;
  readonly ttlMillis: number;
  /** Messages may be in the broker and not be ready: they wait for their time. */
  readonly isHeld: boolean;
}

export interface Route {
  readonly kind: Kind;
  readonly exchange: string;
  readonly routingKey: string;
  readonly queues: readonly number[];
  /** Properties of its messages as they stand behind the body's length in a content header: flags, then values. */
  readonly properties: Buffer;
  /** How long its messages are held for. */
  readonly delayMillis: number;
}

function queue(name: string, { ...more }: Partial<CampaignQueue> = {}): CampaignQueue {
  const plain = { kind: 'classic', access: 'queue', arguments: new Map(), deadLettersOf: [], deadLetterQueue: -1, ttlMillis: 0 } as const;
  return { name, ...plain, isHeld: false, ...more };
}

/** Numbers of queues, by what the campaign does with them. */
export const queueNumbers = {
  acked: 0,
  ackedInPieces: 1,
  requeued: 2,
  waiting: 3,
  fanned: 4,
  fannedWaiting: 5,
  fannedToo: 6,
  expiring: 7,
  expired: 8,
  rejected: 9,
  refused: 10,
  purged: 11,
  transacted: 12,
  deep: 13,
  barrier: 14,
  /** Declared, deleted and declared again under one name: a number for each of its lives is given by the ledger. */
  passing: 15,
  quorum: 16,
  quorumWaiting: 17,
  quorumDead: 18,
  stream: 19,
  retried: 20,
  retriedDead: 21,
  held: 22,
  session1: 23,
  session2: 24,
  stomp: 25,
} as const;

/** More often than this no message of the quorum queue comes back. */
export const deliveryLimit = 6;

const quorum = (more: Iterable<[string, ReturnType<typeof longstr>]> = []): FieldTable =>
  new Map([['x-queue-type', longstr('quorum')], ...more]);

export const queues: readonly CampaignQueue[] = [
  queue('acked'),
  queue('acked-in-pieces'),
  queue('requeued'),
  queue('waiting'),
  queue('fanned'),
  queue('fanned-waiting'),
  queue('fanned-too'),
  queue('expiring', { deadLetterQueue: queueNumbers.expired, ttlMillis: 40 }),
  queue('expired', { deadLettersOf: [queueNumbers.expiring] }),
  queue('rejected', { deadLetterQueue: queueNumbers.refused }),
  queue('refused', { deadLettersOf: [queueNumbers.rejected] }),
  queue('purged'),
  queue('transacted'),
  queue('deep'),
  queue('barrier'),
  queue('passing'),
  queue('quorum', {
    kind: 'quorum',
    arguments: new Map([...quorum(), ['x-delivery-limit', long(deliveryLimit)]]),
    deadLetterQueue: queueNumbers.quorumDead,
  }),
  queue('quorum-waiting', { kind: 'quorum', arguments: new Map([...quorum(), ['x-delivery-limit', long(1_000_000)]]) }),
  queue('quorum-dead', { kind: 'quorum', arguments: quorum(), deadLettersOf: [queueNumbers.quorum] }),
  queue('stream', {
    kind: 'stream',
    access: 'stream',
    arguments: new Map([
      ['x-queue-type', longstr('stream')],
      ['x-stream-max-segment-size-bytes', long(200_000)],
    ]),
  }),
  queue('retried', {
    kind: 'retry',
    arguments: new Map([['x-retry-delays', longstr('30,60')]]),
    deadLetterQueue: queueNumbers.retriedDead,
    isHeld: true,
  }),
  queue('retried-dead', { kind: 'retry', deadLettersOf: [queueNumbers.retried] }),
  queue('held', { kind: 'delay', isHeld: true }),
  queue('session-1', { kind: 'mqtt-1', access: 'session' }),
  queue('session-2', { kind: 'mqtt-2', access: 'session' }),
  queue('stomp', { kind: 'stomp' }),
];

export const fanoutExchange = 'campaign-fan';
export const delayExchange = 'campaign-later';

const persistent = encodeProperties({ deliveryMode: 2 });

function direct(number: number, more: Partial<Route> = {}): Route {
  const { name, kind } = queues[number] as CampaignQueue;
  return { kind, exchange: '', routingKey: name, queues: [number], properties: persistent, delayMillis: 0, ...more };
}

function later(delayMillis: number): Route {
  const properties = encodeProperties({ deliveryMode: 2, headers: new Map([['x-delay', long(delayMillis)]]) });
  return direct(queueNumbers.held, { exchange: delayExchange, properties, delayMillis });
}

const { acked, ackedInPieces, requeued, waiting, fanned, fannedWaiting, fannedToo, expiring, rejected, purged, transacted, deep, barrier } =
  queueNumbers;

export const routes = {
  acked: direct(acked),
  ackedInPieces: direct(ackedInPieces),
  requeued: direct(requeued),
  waiting: direct(waiting),
  fan: direct(fanned, { exchange: fanoutExchange, routingKey: '', queues: [fanned, fannedWaiting, fannedToo] }),
  expiring: direct(expiring),
  rejected: direct(rejected),
  purged: direct(purged),
  transacted: direct(transacted),
  deep: direct(deep),
  barrier: direct(barrier),
  passing: direct(queueNumbers.passing),
  quorum: direct(queueNumbers.quorum),
  /** A quorum queue keeps what is sent as transient, too. */
  quorumWaiting: direct(queueNumbers.quorumWaiting, { properties: encodeProperties({ deliveryMode: 1 }) }),
  stream: direct(queueNumbers.stream),
  retried: direct(queueNumbers.retried),
  heldShortly: later(20),
  heldLong: later(400),
  /** By MQTT to the sessions, by STOMP to the queue. */
  session1: direct(queueNumbers.session1, { routingKey: 'campaign/1' }),
  session2: direct(queueNumbers.session2, { routingKey: 'campaign/2' }),
  stomp: direct(queueNumbers.stomp),
} satisfies Record<string, Route>;

/** Topic by which a publish of MQTT comes to the queue of barriers. */
export const barrierTopic = 'campaign/barrier';

export function nameOf(number: number): string {
  return queues[number]?.name ?? String(number);
}
