import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Field, FieldTable } from '../../base/field-table.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { Publication } from '../../core/messages/publication.ts';
import { rewriteProperties } from '../../core/messages/rewrite-properties.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { browse } from './browse.ts';
import { envelopeOf } from './publish-message.ts';

/** Where a dead letter came from. */
export interface Origin {
  readonly queue: string;
  /** As it was published to that queue; null where its death does not tell. */
  readonly exchange: string | null;
  readonly routingKey: string | null;
}

/** What the broker wrote into the headers of a message when it died, and while it was tried: the message begins anew. */
const deathHeaders = /^x-(death|(first|last)-death-(queue|reason|exchange)|retry-count|delivery-count)$/;

/** The queue in which a message died last, other than the one it is in; null for a message that tells of none. */
export function originOf(headers: FieldTable | null | undefined, here: string): Origin | null {
  const deaths = headers?.get('x-death')?.value;
  if (!Array.isArray(deaths)) return null;
  for (const { value: death } of deaths) {
    if (!(death instanceof Map)) continue;
    const queue = textOf(death.get('queue'));
    if (queue === null || queue === here) continue;
    const keys = death.get('routing-keys')?.value;
    const [key] = Array.isArray(keys) ? (keys as Field[]) : [];
    return { queue, exchange: textOf(death.get('exchange')), routingKey: textOf(key) };
  }
  return null;
}

/** Makes a dead letter what it was before it died. */
export function revive(core: BrokerCore, p: Publication, headers: FieldTable, { exchange, routingKey }: Origin): void {
  const rest: FieldTable = new Map([...headers].filter(([name]) => !deathHeaders.test(name)));
  rewriteProperties(p, core.format(p.format), core.pivot, { headers: rest.size === 0 ? null : rest, removeExpiration: false });
  if (exchange === null || routingKey === null) return;
  p.envelope = envelopeOf(exchange, routingKey);
  p.envelopeStart = 0;
  p.envelopeBytes = p.envelope.length;
}

export interface RedrivePlan {
  /** How many would go to which queue. */
  readonly byQueue: ReadonlyMap<string, number>;
  /** How many tell of no queue, or of one that is gone. */
  readonly skipped: number;
}

const windowCount = 500;

/** What a redrive would do with the first messages of a queue. */
export async function planRedrive(
  core: BrokerCore,
  queue: Queue,
  countMax: number,
  only: string | null,
  isThere: (name: string) => boolean,
): Promise<RedrivePlan> {
  const byQueue = new Map<string, number>();
  let skipped = 0;
  let planned = 0;
  for (let offset = 0; planned < countMax; offset += windowCount) {
    const window = await browse(core, queue, { offset, count: windowCount, search: '', state: 'ready' });
    for (const { properties } of window) {
      if (planned >= countMax) break;
      const origin = originOf(properties.headers, queue.name);
      if (origin === null || !isThere(origin.queue) || (only !== null && origin.queue !== only)) {
        skipped++;
        continue;
      }
      planned++;
      byQueue.set(origin.queue, (byQueue.get(origin.queue) ?? 0) + 1);
    }
    if (window.length < windowCount) break;
    await nextTurn();
  }
  return { byQueue, skipped };
}

function textOf(field: Field | undefined): string | null {
  return typeof field?.value === 'string' ? field.value : null;
}
