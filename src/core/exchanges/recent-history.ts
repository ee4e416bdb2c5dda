import { type FieldTable, fieldToJson, isInteger } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { erlangTerm } from '../definitions/erlang-term.ts';
import type { ExchangeHome } from './exchange-home.ts';
import type { ExchangeType, MessageRoutes, Target } from './exchange-type.ts';
import { KeptMessage } from './kept-message.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';
import { TargetList } from './target-list.ts';

const lengthDefault = 20;
/** Bytes one exchange keeps, whatever its length: the oldest go first. */
const historyBytesMax = 64 * 1024 * 1024;

class RecentHistoryRoutes implements MessageRoutes {
  readonly dependsOn = 'message';
  readonly #lengthMax: number;
  readonly #home: ExchangeHome;
  readonly #list = new TargetList();
  /** Oldest first, from `#oldest` on. */
  #history: KeptMessage[] = [];
  #oldest = 0;
  #historyBytes = 0;

  constructor(lengthMax: number, home: ExchangeHome) {
    this.#lengthMax = lengthMax;
    this.#home = home;
  }

  check(): void {}

  /** Who is bound gets what came before. */
  bind(target: Target, key: string, _args: FieldTable, isSuccessor = false): void {
    if (!isSuccessor)
      for (const message of this.#history.slice(this.#oldest)) this.#home.deliver(target, message.keys, message.publication);
    this.#list.add(target, key);
  }

  unbind(target: Target, key: string): void {
    this.#list.remove(target, key);
  }

  route(message: RoutedMessage, out: RouteCollector): void {
    if (message.headers?.get('x-recent-history-no-store')?.value !== true) this.#keep(message);
    for (const target of this.#list.targets) out.add(target);
  }

  #keep(message: RoutedMessage): void {
    const kept = new KeptMessage(message.keys, message.publication);
    this.#history.push(kept);
    this.#historyBytes += kept.bytes;
    while (this.#count > this.#lengthMax || (this.#historyBytes > historyBytesMax && this.#count > 1)) {
      this.#historyBytes -= (this.#history[this.#oldest++] as KeptMessage).bytes;
    }
    if (this.#oldest > this.#count + 16) {
      this.#history = this.#history.slice(this.#oldest);
      this.#oldest = 0;
    }
  }

  get #count(): number {
    return this.#history.length - this.#oldest;
  }
}

/** A fanout that hands its last messages to whoever is bound later. [RabbitMQ: rabbitmq_recent_history_exchange] */
export const recentHistory: ExchangeType = {
  name: 'x-recent-history',
  description: 'Recent History Exchange.',

  check(args: FieldTable): void {
    const length = args.get('x-recent-history-length');
    if (length === undefined || (isInteger(length) && Number(length.value) > 0)) return;
    throw preconditionFailed(`Invalid argument ${erlangTerm(fieldToJson(length))}, 'x-recent-history-length' must be a positive integer`);
  },

  create: (args, home) => new RecentHistoryRoutes(Number(args.get('x-recent-history-length')?.value ?? lengthDefault), home),
};
