import { type Field, type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import type { Random } from '../support/random.ts';

export interface QueuePlan {
  readonly name: string;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly isExclusive: boolean;
  readonly arguments: FieldTable;
  readonly priorityMax: number;
  readonly hasSingleActiveConsumer: boolean;
  readonly isQuorum: boolean;
}

export interface ExchangePlan {
  readonly name: string;
  readonly type: string;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly arguments: FieldTable;
}

/** What a simulated world is made of. Drawn once; everybody in it declares the same things by the same names. */
export interface Plan {
  readonly queues: readonly QueuePlan[];
  readonly exchanges: readonly ExchangePlan[];
  readonly actorCount: number;
  /** True where nothing may be lost but by deletion of a queue: no time to live, no length limit, no refusal. */
  readonly isLossless: boolean;
  /** Whether there is a disk, and so persistent messages wait for it. */
  readonly hasDisk: boolean;
  /** Memory for bodies that are on disk too, when there is one. */
  readonly bodyMemoryBytes: number;
  readonly hasLargeMessages: boolean;
  /** Whether there are queues with message groups. */
  readonly hasGroups: boolean;
  readonly keys: readonly string[];
}

/** The header by which groups are known. */
export const groupHeader = 'g';

export function planFor(random: Random): Plan {
  const isLossless = random.chance(0.4);
  const queueCount = random.between(1, 5);
  const exchangeCount = random.between(1, 4);
  const exchangeNames = Array.from({ length: exchangeCount }, (_, i) => `e${i}`);
  const queues = Array.from({ length: queueCount }, (_, i) => queuePlan(random, `q${i}`, isLossless, exchangeNames));
  return {
    queues,
    hasGroups: queues.some(queue => queue.arguments.has('x-group-header')),
    exchanges: exchangeNames.map(name => exchangePlan(random, name, exchangeNames)),
    actorCount: random.between(1, 5),
    isLossless,
    hasDisk: random.chance(0.4),
    bodyMemoryBytes: random.pick([2, 4, 64]) * 1024 * 1024,
    hasLargeMessages: random.chance(0.2),
    keys: ['', 'k', 'k.a', 'k.b', ...Array.from({ length: queueCount }, (_, i) => `q${i}`)],
  };
}

function queuePlan(random: Random, name: string, isLossless: boolean, exchangeNames: readonly string[]): QueuePlan {
  const hasSingleActiveConsumer = random.chance(0.15);
  const args = new Map<string, Field>();
  const shape = random.weighted({ plain: 5, quorum: 2, groups: 1, quorumGroups: 1 });
  const isQuorum = shape.startsWith('quorum');
  const hasGroups = shape === 'groups' || shape === 'quorumGroups';
  const priorityMax = shape === 'plain' ? random.pick([0, 0, 0, 2, 10]) : 0;
  if (isQuorum) args.set('x-queue-type', longstr('quorum'));
  if (hasGroups) args.set('x-group-header', longstr(groupHeader));
  if (priorityMax > 0) args.set('x-max-priority', int(priorityMax));
  if (hasSingleActiveConsumer) args.set('x-single-active-consumer', { type: 't', value: true });
  if (!isLossless) {
    if (random.chance(0.3)) args.set('x-message-ttl', int(random.pick([0, 5, 100, 1000])));
    if (random.chance(0.3)) args.set('x-max-length', int(random.pick([0, 1, 5, 20])));
    if (random.chance(0.1)) args.set('x-max-length-bytes', int(random.pick([0, 200, 2000])));
    if (random.chance(0.5))
      args.set('x-overflow', longstr(random.pick(['drop-head', 'reject-publish', ...(isQuorum ? [] : ['reject-publish-dlx'])])));
    if (random.chance(isQuorum ? 0.6 : 0.2)) args.set('x-delivery-limit', int(random.pick([0, 1, 3])));
    if (random.chance(0.6)) args.set('x-retry-delays', longstr(random.pick(['1', '5,30', '10,10,10'])));
    if (random.chance(0.1)) args.set('x-expires', int(random.pick([50, 500])));
  }
  if (random.chance(0.5)) {
    args.set('x-dead-letter-exchange', longstr(random.pick(['', 'amq.fanout', 'missing', ...exchangeNames])));
    if (random.chance(0.5)) args.set('x-dead-letter-routing-key', longstr(random.pick(['k', 'q0', 'q1', 'q2'])));
  }
  return {
    name,
    isDurable: isQuorum || random.chance(0.6),
    isAutoDelete: !isQuorum && random.chance(0.15),
    isExclusive: !isQuorum && random.chance(0.1),
    arguments: args,
    priorityMax,
    hasSingleActiveConsumer,
    isQuorum,
  };
}

function exchangePlan(random: Random, name: string, exchangeNames: readonly string[]): ExchangePlan {
  const args = new Map<string, Field>();
  if (random.chance(0.2)) args.set('alternate-exchange', longstr(random.pick([...exchangeNames, 'missing'])));
  return {
    name,
    type: random.pick(['direct', 'fanout', 'topic', 'headers']),
    isDurable: random.chance(0.5),
    isAutoDelete: random.chance(0.15),
    arguments: args,
  };
}
