/** A queue of the campaign. */
export interface CampaignQueue {
  readonly name: string;
  /** Dead letters of these queues come here. */
  readonly deadLettersOf: readonly number[];
  /** Messages may leave it for the queue of dead letters. */
  readonly deadLetterQueue: number;
  readonly ttlMillis: number;
}

export interface Route {
  readonly exchange: string;
  readonly routingKey: string;
  readonly queues: readonly number[];
}

function queue(name: string, more: Partial<CampaignQueue> = {}): CampaignQueue {
  return { name, deadLettersOf: [], deadLetterQueue: -1, ttlMillis: 0, ...more };
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
} as const;

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
];

export const fanoutExchange = 'campaign-fan';

function direct(number: number): Route {
  return { exchange: '', routingKey: (queues[number] as CampaignQueue).name, queues: [number] };
}

const { acked, ackedInPieces, requeued, waiting, fanned, fannedWaiting, fannedToo, expiring, rejected, purged, transacted, deep, barrier } =
  queueNumbers;

export const routes = {
  acked: direct(acked),
  ackedInPieces: direct(ackedInPieces),
  requeued: direct(requeued),
  waiting: direct(waiting),
  fan: { exchange: fanoutExchange, routingKey: '', queues: [fanned, fannedWaiting, fannedToo] },
  expiring: direct(expiring),
  rejected: direct(rejected),
  purged: direct(purged),
  transacted: direct(transacted),
  deep: direct(deep),
  barrier: direct(barrier),
  passing: direct(queueNumbers.passing),
} satisfies Record<string, Route>;
