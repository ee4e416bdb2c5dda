import type { FieldTable } from '../base/field-table.ts';
import { Departures } from './departures.ts';
import { internalUser } from './events/broker-events.ts';
import { Binding, bindingId } from './exchanges/binding.ts';
import type { Target } from './exchanges/exchange-type.ts';
import type { Exchange } from './exchanges/exchange.ts';
import type { Queue } from './queues/queue.ts';
import { allAtOnce, type Steps } from './stepped-work.ts';

/** What it costs to take away a binding to, and one from, what is deleted, in units of stepped work. */
const unbindCost = 2;
const forgetCost = 0.25;

/** What has more bindings is deleted in steps. */
const atOnceMax = 256;

export interface BindingTableOptions {
  bindingCreated(binding: Binding, user: string): void;
  bindingDeleted(binding: Binding, user: string): void;
  work(what: string, steps: Steps, done: () => void): void;
}

/** The bindings of a virtual host: source, destination and the source's routes are kept in agreement. */
export class BindingTable {
  /** How many there are, those that are being taken away included. */
  count = 0;
  /** What is deleted and has bindings yet. */
  readonly departures = new Departures();
  readonly #options: BindingTableOptions;

  constructor(options: BindingTableOptions) {
    this.#options = options;
  }

  /** Returns null when it is there already. */
  add(source: Exchange, destination: Target, key: string, args: FieldTable, user: string): Binding | null {
    const binding = new Binding(source, destination, key, args);
    if (source.bindings.has(binding.id)) return null;
    source.bindings.set(binding.id, binding);
    this.count++;
    (destination.incoming ??= new Set()).add(binding);
    source.routes.bind(destination, key, args);
    this.#options.bindingCreated(binding, user);
    return binding;
  }

  /** Null when there is none. */
  find(source: Exchange, destination: Target, key: string, args: FieldTable): Binding | null {
    return source.bindings.get(bindingId(destination, key, args)) ?? null;
  }

  remove(binding: Binding, user: string): void {
    this.#drop(binding, user);
    binding.destination.incoming?.delete(binding);
  }

  /** All that leads to one queue leads to the other. */
  move(from: Queue, to: Queue): void {
    // What is deleted and bound to it is not to be bound anew.
    this.departures.finishAll();
    for (const { source, key, arguments: args } of from.incoming ?? []) {
      const binding = new Binding(source, to, key, args);
      source.bindings.set(binding.id, binding);
      (to.incoming ??= new Set()).add(binding);
      source.routes.unbind(from, key, args);
      source.routes.bind(to, key, args, true);
    }
    from.incoming = null;
  }

  /** Takes away the bindings of auto-delete exchanges to what is deleted; returns those of them that have no other. */
  abandonedBy(target: Target): Exchange[] {
    const abandoned: Exchange[] = [];
    for (const binding of target.incoming ?? []) {
      if (!binding.source.isAutoDelete) continue;
      this.remove(binding, internalUser);
      if (isAbandoned(binding.source)) abandoned.push(binding.source);
    }
    return abandoned;
  }

  /** Takes away the bindings of what is deleted, from and to it, very many in steps, and calls `then`: see `departures`. */
  depart(target: Target, then: () => void): void {
    const steps = this.#parting(target, then);
    if (countOf(target) <= atOnceMax) allAtOnce(steps);
    else this.#options.work(`taking bindings of ${target.kind} '${target.name}' away`, this.departures.add(target, steps).steps, () => {});
  }

  /** The same as a part of other work. */
  *departing(target: Target, then: () => void): Steps {
    const steps = this.#parting(target, then);
    const count = countOf(target);
    if (count > atOnceMax) {
      yield* this.departures.add(target, steps).steps;
      return;
    }
    allAtOnce(steps);
    if (count > 0) yield count * unbindCost;
  }

  *#parting(target: Target, then: () => void): Steps {
    if (target.kind === 'exchange') {
      for (const binding of target.bindings.values()) {
        binding.destination.incoming?.delete(binding);
        this.count--;
        this.#options.bindingDeleted(binding, internalUser);
        yield forgetCost;
      }
      target.bindings.clear();
    }
    for (const binding of target.incoming ?? []) {
      this.#drop(binding, internalUser);
      yield unbindCost;
    }
    target.incoming = null;
    then();
  }

  /** Nothing is routed by it any more; what it leads to still has it. */
  #drop(binding: Binding, user: string): void {
    const { source, destination } = binding;
    if (source.bindings.delete(binding.id)) this.count--;
    source.routes.unbind(destination, binding.key, binding.arguments);
    this.#options.bindingDeleted(binding, user);
  }
}

/** [RabbitMQ docs: an auto-delete exchange is deleted when its last binding as a source is] */
export function isAbandoned(source: Exchange): boolean {
  return source.isAutoDelete && source.bindings.size === 0;
}

function countOf(target: Target): number {
  return (target.incoming?.size ?? 0) + (target.kind === 'exchange' ? target.bindings.size : 0);
}
