import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { BrokerCore } from '../core/broker.ts';
import { DefinitionsError } from '../core/definitions/problems.ts';
import { expirationMillis } from '../core/messages/expiration.ts';
import { amqp091FormatTag } from '../core/messages/format-tags.ts';
import { Publication } from '../core/messages/publication.ts';
import { propertiesFromJson } from '../management/messages/properties-json.ts';
import { envelopeOf } from '../management/messages/publish-message.ts';
import { encodeProperties } from '../wire/amqp091/properties.ts';
import { importDefinitions } from './import-definitions.ts';

/** A line of the file: definitions, or a message in a queue or held by an exchange. */
interface Line {
  readonly definitions?: unknown;
  readonly vhost?: unknown;
  readonly queue?: unknown;
  readonly held_by?: unknown;
  readonly due?: unknown;
  readonly exchange?: unknown;
  readonly routing_key?: unknown;
  readonly properties?: unknown;
  readonly payload?: unknown;
  readonly payload_encoding?: unknown;
}

/** Messages between two turns. */
const batchCount = 1000;

/**
 * Gives a broker without any queues what is in a file of JSON lines as `warren export` writes it: definitions, and messages straight into
 * their queues. A broker that has queues keeps what it has, so that a restart does not do it twice.
 * Returns how many messages there were; null when the broker had queues. Rejects with a DefinitionsError that names the line.
 */
export async function seed(core: BrokerCore, path: string): Promise<number | null> {
  for (const vhost of core.vhosts.values()) if (vhost.queues.size > 0) return null;
  let number = 0;
  let messages = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number++;
    if (text.trim() === '') continue;
    try {
      const line = JSON.parse(text) as Line;
      core.turn.begin();
      if (line.definitions !== undefined) {
        importDefinitions(core, [line.definitions]);
      } else {
        put(core, line);
        if (++messages % batchCount === 0) await core.committed();
      }
    } catch (error) {
      throw new DefinitionsError([`${path}:${number}: ${(error as Error).message}`]);
    }
  }
  core.turn.run();
  await core.committed();
  return messages;
}

function put(core: BrokerCore, line: Line): void {
  const name = (key: keyof Line): string => {
    const value = line[key];
    if (typeof value !== 'string') throw new TypeError(`${key} is no text`);
    return value;
  };
  const vhost = core.vhosts.get(name('vhost'));
  const properties = propertiesFromJson(Array.isArray(line.properties) ? {} : ((line.properties ?? {}) as Record<string, never>));
  const p = new Publication();
  p.envelope = envelopeOf(name('exchange'), name('routing_key'));
  p.envelopeBytes = p.envelope.length;
  p.properties = encodeProperties(properties);
  p.propertiesBytes = p.properties.length;
  p.body = Buffer.from(name('payload'), line.payload_encoding === 'base64' ? 'base64' : 'utf8');
  p.bodyBytes = p.body.length;
  p.format = amqp091FormatTag;
  p.isPersistent = properties.deliveryMode === 2;
  p.priority = properties.priority ?? 0;
  p.ttlMillis = properties.expiration === undefined ? -1 : expirationMillis(properties.expiration);
  if (line.held_by !== undefined) {
    const delay = vhost?.exchanges.get(name('held_by'))?.delay ?? null;
    if (delay === null) throw new RangeError(`there is no exchange '${name('held_by')}' in vhost '${name('vhost')}' that holds messages`);
    if (typeof line.due !== 'number') throw new TypeError('due is no number');
    delay.hold(p, core.clock.nowMillis + Math.max(0, line.due - core.clock.wallMillis));
    return;
  }
  const queue = vhost?.queues.get(name('queue'));
  if (vhost === undefined || queue === undefined) throw new RangeError(`there is no queue '${name('queue')}' in vhost '${name('vhost')}'`);
  core.publisher.deliver(vhost, queue, [], p);
}
