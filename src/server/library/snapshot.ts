import type { BrokerCore } from '../../core/broker.ts';
import { applyDefinitions } from '../../core/definitions/apply.ts';
import { definitionsSource } from '../../core/definitions/core-source.ts';
import { exportDefinitions, type JsonRecord } from '../../core/definitions/export-definitions.ts';
import { parseDefinitions } from '../../core/definitions/parse-definitions.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import type { MessageStore } from '../../core/messages/message-store.ts';
import { Publication } from '../../core/messages/publication.ts';
import { type Entry, metaPersistent, priorityOf } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { Vhost } from '../../core/vhost.ts';

/** @internal */
interface SavedMessage {
  readonly vhost: string;
  readonly queue: string;
  readonly sequence: number;
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly body: Buffer;
  readonly format: number;
  readonly isPersistent: boolean;
  readonly priority: number;
  /** What is left of its time to live in milliseconds; -1: it does not expire. */
  readonly ttlMillis: number;
}

/**
 * The state of a broker at a moment: users, permissions, virtual hosts, policies, topology, and the messages in queues, those that were
 * delivered and not acknowledged among them. Connections, exclusive queues and held (delayed) messages are not part of it.
 */
export class BrokerSnapshot {
  readonly definitions: JsonRecord;
  readonly #messages: readonly SavedMessage[];

  /** @internal */
  constructor(definitions: JsonRecord, messages: readonly SavedMessage[]) {
    this.definitions = definitions;
    this.#messages = messages;
  }

  get messageCount(): number {
    return this.#messages.length;
  }

  /**
   * Brings the broker back to this state. Connections stay; their exclusive queues and what was not part of the state goes, and consumers of
   * queues that are made anew are cancelled. Messages count as never delivered.
   *
   * @internal
   */
  restore(core: BrokerCore): void {
    core.turn.begin();
    clear(
      core,
      new Set(recordsOf(this.definitions, 'vhosts').map(({ name }) => String(name))),
      new Set(recordsOf(this.definitions, 'users').map(({ name }) => String(name))),
    );
    applyDefinitions(core, parseDefinitions(this.definitions, { hash: password => password }));
    for (const message of this.#messages) put(core, message);
    core.turn.run();
  }
}

/** The state a broker is in. What is on disk is fetched for it. @internal */
export async function takeSnapshot(core: BrokerCore): Promise<BrokerSnapshot> {
  core.turn.begin();
  const definitions = exportDefinitions(definitionsSource(core));
  const messages: SavedMessage[] = [];
  for (const vhost of core.vhosts.values()) {
    for (const queue of vhost.queues.values()) if (!queue.isExclusive) messages.push(...(await messagesOf(core, vhost, queue)));
  }
  return new BrokerSnapshot(definitions, messages);
}

/** The state of a broker that has no messages yet. @internal */
export function blankSnapshot(core: BrokerCore): BrokerSnapshot {
  return new BrokerSnapshot(exportDefinitions(definitionsSource(core)), []);
}

function recordsOf(definitions: JsonRecord, section: string): Record<string, unknown>[] {
  return (definitions[section] ?? []) as Record<string, unknown>[];
}

async function messagesOf(core: BrokerCore, vhost: Vhost, queue: Queue): Promise<SavedMessage[]> {
  for (;;) {
    const saved: SavedMessage[] = [];
    let absent: MessageRef = 0;
    const note = (entry: Pick<Entry, 'ref' | 'meta' | 'sequence' | 'expiryMillis'>): void => {
      if (!core.store.isResident(entry.ref)) absent = entry.ref;
      else if (core.store.isIntact(entry.ref)) saved.push(read(core, vhost, queue, entry));
    };
    for (const holder of core.refHolders()) {
      if (holder === queue) continue;
      holder.relocate((ref, owner, meta, sequence, _bytes, expiryMillis) => {
        if (owner === queue) note({ ref, meta, sequence, expiryMillis });
        return ref;
      });
    }
    queue.forEachReady(entry => {
      note(entry);
      return true;
    });
    if (absent === 0) return saved.sort((one, other) => other.priority - one.priority || one.sequence - other.sequence);
    await new Promise<void>(resolve => core.store.fetch(absent, resolve));
  }
}

function read(
  core: BrokerCore,
  vhost: Vhost,
  queue: Queue,
  { ref, meta, sequence, expiryMillis }: Pick<Entry, 'ref' | 'meta' | 'sequence' | 'expiryMillis'>,
): SavedMessage {
  const { store, clock } = core;
  store.locate(ref);
  return {
    vhost: vhost.name,
    queue: queue.name,
    sequence,
    ...bytesOf(store),
    format: store.format,
    isPersistent: (meta & metaPersistent) !== 0,
    priority: priorityOf(meta),
    ttlMillis: expiryMillis === 0 ? -1 : Math.max(0, expiryMillis - clock.nowMillis),
  };
}

function bytesOf(store: MessageStore): Pick<SavedMessage, 'envelope' | 'properties' | 'body'> {
  const { loose, bytes, envelopeStart, envelopeBytes, propertiesStart, propertiesBytes, bodyStart, bodyBytes } = store;
  if (loose !== null)
    return {
      envelope: Buffer.from(loose.envelope),
      properties: Buffer.from(loose.properties),
      body: loose.body?.toBuffer() ?? Buffer.alloc(0),
    };
  const copy = (start: number, count: number): Buffer => Buffer.from(bytes.subarray(start, start + count));
  return {
    envelope: copy(envelopeStart, envelopeBytes),
    properties: copy(propertiesStart, propertiesBytes),
    body: copy(bodyStart, bodyBytes),
  };
}

function put(core: BrokerCore, message: SavedMessage): void {
  const vhost = core.vhosts.get(message.vhost);
  const queue = vhost?.queues.get(message.queue);
  if (vhost === undefined || queue === undefined) return;
  const p = new Publication();
  p.envelope = message.envelope;
  p.envelopeBytes = message.envelope.length;
  p.properties = message.properties;
  p.propertiesBytes = message.properties.length;
  p.body = message.body;
  p.bodyBytes = message.body.length;
  p.format = message.format;
  p.isPersistent = message.isPersistent;
  p.priority = message.priority;
  p.ttlMillis = message.ttlMillis;
  core.publisher.deliver(vhost, queue, [], p);
}

/** Takes away everything but these virtual hosts and users, which are empty and without permissions afterwards. */
function clear(core: BrokerCore, vhosts: ReadonlySet<string>, users: ReadonlySet<string>): void {
  const { policies, parameters, access } = core;
  for (const rank of ['policy', 'operator_policy'] as const)
    for (const { vhost, name } of policies.list(rank)) policies.delete(rank, vhost, name);
  for (const { vhost, component, name } of parameters.list()) parameters.delete(vhost, component, name);
  for (const { name } of parameters.globals()) if (!name.startsWith('internal')) parameters.deleteGlobal(name);
  for (const vhost of [...core.vhosts.values()]) {
    if (!vhosts.has(vhost.name)) {
      vhost.isProtectedFromDeletion = false;
      core.deleteVhost(vhost.name);
      continue;
    }
    for (const queue of [...vhost.queues.values()]) vhost.removeQueue(queue);
    for (const exchange of [...vhost.exchanges.values()]) {
      if (exchange.name !== '' && !exchange.name.startsWith('amq.')) vhost.removeExchange(exchange);
      else
        for (const { destination, key, arguments: args } of [...exchange.bindings.values()]) vhost.unbind(exchange, destination, key, args);
    }
  }
  for (const { name } of access.users()) if (!users.has(name)) access.deleteUser(name);
  for (const { user, vhost } of access.permissions()) access.deletePermission(user, vhost);
  for (const { user, vhost } of access.topicPermissions()) access.deleteTopicPermissions(user, vhost, null);
}
