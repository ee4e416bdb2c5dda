import { bool, type FieldTable, long, longstr } from '../../src/base/field-table.ts';
import { parseRetryDelays } from '../../src/core/retries/retry-delays.ts';
import type { Random } from '../support/random.ts';
import type { Ledger, LedgerQueue } from './durable-ledger.ts';
import type { StreamLimits } from './stream-ledger.ts';

/** Queues that may be declared, and with what. d0 and d1 take dead letters and stay for ever. */
export const names = ['q0', 'q1', 'q2', 'q3', 'q4', 'a0', 't0', 'n0'] as const;
export const deadNames = ['d0', 'd1'] as const;
/** Queues that stay for ever as they were declared first: with retries, groups, de-duplication, behind exchanges that delay and de-duplicate. */
export const keptNames = ['r0', 'g0', 'u0', 'u1', 'o0', 'l0'] as const;
export const streamNames = ['s0', 's1', 's2'] as const;
/** How long values are remembered where that has an end. */
export const valueMillis = 1500;
/** What messages may be told apart by; a stream's consumer may ask for one. */
export const filterValues = ['red', 'green', 'blue'] as const;

/** What a queue of a name is declared with. */
export function argumentsFor(random: Random, name: string): FieldTable {
  const args: FieldTable = new Map();
  if (name.startsWith('d')) return args;
  if (isKept(name)) return keptArguments(random, name);
  if (name.startsWith('s')) return streamArguments(random, args);
  if (name.startsWith('q')) shape(random, args);
  if (name === 'n0') return args;
  if (random.chance(0.3)) {
    args.set('x-dead-letter-exchange', longstr(''));
    args.set('x-dead-letter-routing-key', longstr(random.pick(deadNames)));
  }
  if (random.chance(0.15)) args.set('x-max-length', long(random.between(0, 20)));
  if (random.chance(0.15)) args.set('x-message-ttl', long(random.between(0, 300)));
  return args;
}

function streamArguments(random: Random, args: FieldTable): FieldTable {
  args.set('x-queue-type', longstr('stream'));
  args.set('x-stream-max-segment-size-bytes', long(random.pick([2000, 20_000, 150_000])));
  if (random.chance(0.5)) args.set('x-max-length-bytes', long(random.pick([5000, 50_000, 400_000])));
  if (random.chance(0.3)) args.set('x-max-age', longstr('1s'));
  if (random.chance(0.3)) args.set('x-stream-filter-size-bytes', long(255));
  return args;
}

/** What a queue of a name that is kept for ever is declared with. */
function keptArguments(random: Random, name: string): FieldTable {
  const args: FieldTable = new Map();
  switch (name) {
    case 'r0':
      args.set('x-retry-delays', longstr(random.pick(['20,60', 'exponential(first=15,factor=3,count=3,jitter=40%)'])));
      if (random.chance(0.4)) {
        args.set('x-dead-letter-exchange', longstr(''));
        args.set('x-dead-letter-routing-key', longstr('d0'));
      }
      break;
    case 'g0':
      args.set('x-group-header', longstr('key'));
      if (random.chance(0.5)) args.set('x-group-park-after', long(random.between(2, 3)));
      if (random.chance(0.5)) args.set('x-retry-delays', longstr('300,900'));
      if (random.chance(0.4)) {
        args.set('x-queue-type', longstr('quorum'));
        args.set('x-delivery-limit', long(10_000));
      }
      break;
    case 'u0':
      args.set('x-message-deduplication', bool(true));
      if (random.chance(0.4)) args.set('x-retry-delays', longstr('30'));
      break;
    case 'u1':
      args.set('x-message-deduplication', bool(true));
      args.set('x-cache-ttl', long(valueMillis));
      args.set('x-cache-persistence', longstr('disk'));
  }
  return args;
}

/** After how many milliseconds, at the least, a rejected message of such a queue is tried again. */
export function retryMillis(args: FieldTable): number[] {
  const value = args.get('x-retry-delays')?.value;
  const delays = typeof value === 'string' ? parseRetryDelays(value) : null;
  if (delays === null || typeof delays === 'string') return [];
  const millis: number[] = [];
  for (let each = delays.delayAfter(0, 0); each !== null; each = delays.delayAfter(millis.length, 0)) millis.push(each);
  return millis;
}

/** What a stream of these arguments keeps. */
export function streamLimits(args: FieldTable): StreamLimits {
  const number = (name: string): number => Number(args.get(name)?.value ?? Infinity);
  return {
    bytesMax: number('x-max-length-bytes'),
    ageMillisMax: args.has('x-max-age') ? 1000 : Infinity,
    segmentBytesMax: number('x-stream-max-segment-size-bytes'),
  };
}

export function isKept(name: string): boolean {
  return (keptNames as readonly string[]).includes(name);
}

/** The other one of the types that a queue with retries, groups or de-duplication can have. */
export function flipType(args: FieldTable): void {
  if (args.delete('x-queue-type')) {
    args.delete('x-delivery-limit');
    return;
  }
  args.set('x-queue-type', longstr('quorum'));
  // No message comes back so often here.
  args.set('x-delivery-limit', long(10_000));
}

/** A type, and priorities where it has any. */
export function shape(random: Random, args: FieldTable): void {
  args.delete('x-queue-type');
  args.delete('x-delivery-limit');
  args.delete('x-max-priority');
  if (random.chance(0.3)) args.set('x-max-priority', long(3));
  else if (random.chance(0.4)) {
    args.set('x-queue-type', longstr('quorum'));
    // No message comes back so often here.
    args.set('x-delivery-limit', long(10_000));
  }
}

/** A queue as the broker names it. */
type Named = { readonly id: number; readonly name: string };

/** Which of the ledger's queues a queue of the broker is: a number may be given again when its queue did not outlive a crash. */
export class KnownQueues {
  readonly #ledger: Ledger;
  readonly #ids = new Map<number, number>();
  #lastId = 0;
  /** Those whose declaration is durable, and those whose deletion is. */
  readonly declared = new Set<number>();
  readonly deleted = new Set<number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  set(brokerId: number, ledgerId: number): void {
    this.#ids.set(brokerId, ledgerId);
  }

  /** @throws Error for a queue that nobody declared */
  ledgerId(queue: Named): number {
    const id = this.#ids.get(queue.id) ?? 0;
    if (this.#ledger.queues.get(id)?.name !== queue.name) throw new Error(`queue ${queue.name} is there and nobody declared it`);
    return id;
  }

  of(queue: Named | undefined): LedgerQueue | undefined {
    return queue === undefined ? undefined : this.#ledger.queues.get(this.ledgerId(queue));
  }

  isDurable(ledgerId: number): boolean {
    return this.#ledger.queues.get(ledgerId)?.isDurable ?? false;
  }
}
