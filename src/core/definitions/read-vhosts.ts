import type { VhostDefinition, VhostLimitsDefinition } from './definitions.ts';
import { parseTags } from '../access/user.ts';
import type { Steps } from '../stepped-work.ts';
import type { Entry, ReadingContext } from './entry.ts';
import { isObject, readSection } from './entry.ts';

const vhostKeys = ['name', 'description', 'tags', 'default_queue_type', 'metadata', 'limits', 'tracing', 'protected_from_deletion'];
const metadataKeys = new Set(['description', 'tags', 'default_queue_type', 'tracing', 'protected_from_deletion']);

/** Newer files have a vhost's properties in 'metadata', and some of them beside it as well. */
export function* readVhosts(
  context: ReadingContext,
  section: unknown,
): Steps<{ vhosts: VhostDefinition[]; limits: VhostLimitsDefinition[] }> {
  const limits: VhostLimitsDefinition[] = [];
  const vhosts = yield* readSection(context, 'vhosts', section, vhostKeys, entry => {
    const name = entry.name('name');
    const metadata = entry.object('metadata');
    for (const key of Object.keys(metadata)) {
      if (!metadataKeys.has(key)) entry.warning(`unknown key "${key.slice(0, 100)}" of metadata ignored`);
    }
    const property = (key: string): unknown => entry.raw(key) ?? metadata[key];
    const ownLimits = readVhostLimits(entry, name, entry.object('limits'));
    if (ownLimits !== null) limits.push(ownLimits);
    return {
      name,
      description: readDescription(entry, property('description')),
      tags: readTags(entry, property('tags')),
      defaultQueueType: readQueueType(entry, property('default_queue_type')),
      isTracing: readFlag(entry, 'tracing', property('tracing')),
      isProtectedFromDeletion: readFlag(entry, 'protected_from_deletion', property('protected_from_deletion')),
    };
  });
  return { vhosts, limits };
}

function readDescription(entry: Entry, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  entry.problem('"description" should be a string');
  return '';
}

function readTags(entry: Entry, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return parseTags(value);
  if (Array.isArray(value) && value.every(tag => typeof tag === 'string')) return parseTags(value);
  entry.problem('"tags" should be a string or a list of strings');
  return [];
}

/** Some releases write the module's name, some write "undefined" for none. [RabbitMQ 3.10 to 4.3] */
const queueTypes: ReadonlyMap<string, string> = new Map([
  ['classic', 'classic'],
  ['quorum', 'quorum'],
  ['stream', 'stream'],
  ['rabbit_classic_queue', 'classic'],
  ['rabbit_quorum_queue', 'quorum'],
  ['rabbit_stream_queue', 'stream'],
]);

function readQueueType(entry: Entry, value: unknown): string | null {
  if (value === undefined || value === null || value === '' || value === 'undefined') return null;
  const type = typeof value === 'string' ? queueTypes.get(value) : undefined;
  if (type === undefined) entry.problem(`unsupported queue type '${typeof value === 'string' ? value.slice(0, 100) : typeof value}'`);
  return type ?? null;
}

function readFlag(entry: Entry, key: string, value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 'false') return false;
  if (value !== true && value !== 'true') entry.problem(`"${key}" should be true or false`);
  return true;
}

/** {"max-connections": n, "max-queues": n}; null if there are none. [RabbitMQ docs: virtual host limits] */
export function readVhostLimits(entry: Entry, vhost: string, value: unknown): VhostLimitsDefinition | null {
  if (Array.isArray(value) && value.length === 0) return null;
  if (!isObject(value)) {
    entry.problem('limits should be an object');
    return null;
  }
  const limit = (name: string): number => {
    const number = value[name];
    if (number === undefined || number === null) return -1;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return Math.max(number, -1);
    entry.problem(`${name} should be a number`);
    return -1;
  };
  for (const key of Object.keys(value)) {
    if (key !== 'max-connections' && key !== 'max-queues') entry.warning(`unknown limit "${key.slice(0, 100)}" ignored`);
  }
  const limits = { vhost, connectionsMax: limit('max-connections'), queuesMax: limit('max-queues') };
  return limits.connectionsMax === -1 && limits.queuesMax === -1 ? null : limits;
}
