import type { AccessChange } from './access/access-change.ts';
import { isAccessChange } from './access/access-change.ts';
import { brokerActor } from './actor.ts';
import type { BrokerCore } from './broker.ts';
import { argumentsOf, type TopologyChange } from './topology-change.ts';
import type { MetadataChange } from './ports/metadata-journal.ts';
import type { Queue, Restorable, RestorableQueue } from './queues/queue.ts';
import type { Vhost } from './vhost.ts';

/**
 * Applies recorded changes to a broker that is being recovered. Every change may come again (a snapshot holds what the log behind it
 * repeats); one that cannot be applied, because what it refers to is gone, is left out.
 */
export class MetadataReplay {
  readonly #core: BrokerCore;
  /** Queues, and what else holds messages, by the number the log names them by. */
  readonly queues = new Map<number, Restorable>();
  /** Queues that were being filled to take another's place. */
  readonly #prepared = new Map<number, { readonly vhost: Vhost; readonly successor: Queue }>();
  lastQueueId = 0;
  skipped = 0;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  apply(change: MetadataChange): void {
    if (isAccessChange(change)) {
      this.#core.access.apply(change as AccessChange);
      return;
    }
    if (this.#core.applyOther(change)) return;
    this.#applyTopology(change as TopologyChange);
  }

  #applyTopology(change: TopologyChange): void {
    const core = this.#core;
    if (change.kind === 'vhost.put') {
      core.addVhost(change);
      return;
    }
    if (change.kind === 'vhost.delete') {
      const vhost = core.vhosts.get(change.name);
      for (const queue of vhost?.queues.values() ?? []) this.queues.delete(queue.id);
      if (vhost !== undefined) core.virtualHosts.drop(vhost);
      return;
    }
    const vhost = core.vhosts.get(change.vhost);
    if (vhost === undefined) {
      this.skipped++;
      return;
    }
    switch (change.kind) {
      case 'queue.put': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        if (vhost.queues.has(change.name)) return;
        const args = argumentsOf(change);
        const queue = core.topology.restoreQueue(vhost, change.id, change.type, {
          name: change.name,
          isDurable: true,
          owner: null,
          isAutoDelete: change.isAutoDelete,
          arguments: args,
        });
        this.queues.set(change.id, queue as RestorableQueue);
        return;
      }
      case 'queue.delete': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        const queue = vhost.queues.get(change.name);
        this.queues.delete(change.id);
        if (queue !== undefined && queue.id === change.id) vhost.removeQueue(queue);
        vhost.departures.finishAll();
        return;
      }
      case 'queue.prepare': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        if (this.queues.has(change.id)) return;
        const successor = core.topology.restorePrepared(vhost, change.id, change.type, {
          name: change.name,
          isDurable: true,
          owner: null,
          isAutoDelete: change.isAutoDelete,
          arguments: argumentsOf(change),
        });
        this.queues.set(change.id, successor as RestorableQueue);
        this.#prepared.set(change.id, { vhost, successor });
        return;
      }
      case 'queue.replace': {
        const old = vhost.queues.get(change.name);
        const prepared = this.#prepared.get(change.successor);
        if (old?.id !== change.id || prepared === undefined) {
          this.skipped++;
          return;
        }
        this.#prepared.delete(change.successor);
        this.queues.delete(change.id);
        core.topology.restoreReplaced(vhost, old, prepared.successor);
        return;
      }
      case 'queue.reshape': {
        const queue = vhost.queues.get(change.name);
        if (queue?.id === change.id) core.topology.restoreShape(vhost, queue, change.type, argumentsOf(change));
        else this.skipped++;
        return;
      }
      case 'queue.park': {
        const queue = vhost.queues.get(change.name);
        if (queue?.id !== change.id || queue.groups === null) this.skipped++;
        else for (const key of change.keys) queue.groups.table.restorePark(key, change.isParked);
        return;
      }
      case 'queue.pause': {
        const queue = vhost.queues.get(change.name);
        if (queue?.id === change.id) queue.setPaused(change.paused);
        else this.skipped++;
        return;
      }
      case 'exchange.put':
        if (vhost.exchanges.has(change.name)) return;
        core.topology.declareExchange(
          vhost,
          change.type,
          {
            name: change.name,
            isDurable: true,
            isAutoDelete: change.isAutoDelete,
            isInternal: change.isInternal,
            arguments: argumentsOf(change),
          },
          brokerActor,
        );
        return;
      case 'exchange.holds': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        this.#named(change.id, vhost.exchange(change.name)?.holding(vhost.home).held);
        return;
      }
      case 'exchange.remembers':
      case 'queue.remembers': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        const owner = change.kind === 'queue.remembers' ? vhost.queues.get(change.name) : vhost.exchange(change.name);
        this.#named(change.id, owner?.deduplication?.kept ?? undefined);
        return;
      }
      case 'queue.marks': {
        this.lastQueueId = Math.max(this.lastQueueId, change.id);
        this.#named(change.id, vhost.queues.get(change.name)?.durableMarks() ?? undefined);
        return;
      }
      case 'exchange.delete': {
        const exchange = vhost.exchanges.get(change.name);
        if (exchange !== undefined) vhost.removeExchange(exchange);
        vhost.departures.finishAll();
        return;
      }
      case 'binding.put':
      case 'binding.delete': {
        const source = vhost.exchange(change.source);
        const target = change.destinationKind === 'queue' ? vhost.queues.get(change.destination) : vhost.exchange(change.destination);
        if (source === undefined || target === undefined) {
          this.skipped++;
          return;
        }
        if (change.kind === 'binding.put') vhost.bind(source, target, change.key, argumentsOf(change));
        else vhost.unbind(source, target, change.key, argumentsOf(change));
        return;
      }
      default:
        throw new Error(`changes of the kind '${(change as { readonly kind: string }).kind}' are not known to this version`);
    }
  }

  /** All changes were applied: what was being filled and took no queue's place is forgotten. */
  end(): void {
    for (const [id, { vhost, successor }] of this.#prepared) {
      this.queues.delete(id);
      vhost.dropPrepared(successor);
    }
    this.#prepared.clear();
  }

  /** What the log names by this number from now on. */
  #named(id: number, holder: (Restorable & { id: number }) | undefined): void {
    if (holder === undefined) {
      this.skipped++;
      return;
    }
    holder.id = id;
    this.queues.set(id, holder);
  }
}
