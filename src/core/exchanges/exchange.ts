import type { FieldTable } from '../../base/field-table.ts';
import { wantsDeduplication } from '../deduplication/deduplication-arguments.ts';
import { DeduplicationStage } from '../deduplication/deduplication-stage.ts';
import { DelayStage } from '../delays/delay-stage.ts';
import { type EffectivePolicy, noPolicy } from '../policies/effective-policy.ts';
import type { Binding } from './binding.ts';
import { ExchangeCounters } from './exchange-counters.ts';
import type { ExchangeHome } from './exchange-home.ts';
import type { ExchangeStage } from './exchange-stage.ts';
import type { ExchangeRoutes, ExchangeType } from './exchange-type.ts';
import type { Route } from './route.ts';

/** Identity of an exchange, as declared. */
export interface ExchangeDeclaration {
  readonly name: string;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly isInternal: boolean;
  readonly arguments: FieldTable;
}

/** An exchange: a name, a type's way to find targets, and the bindings it was told. */
export class Exchange {
  readonly kind = 'exchange';
  readonly name: string;
  readonly type: ExchangeType;
  readonly routes: ExchangeRoutes;
  /** What happens to a message before it is routed, in order; hardly any exchange has such. */
  readonly stages: readonly ExchangeStage[];
  /** Whether it has to see a message to say what becomes of it: then the routing key alone decides nothing. */
  readonly seesMessages: boolean;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly isInternal: boolean;
  readonly arguments: FieldTable;
  readonly counters = new ExchangeCounters();
  /** Bindings from this exchange, by id. */
  readonly bindings = new Map<string, Binding>();
  /** Bindings to this exchange; null until there is one. */
  incoming: Set<Binding> | null = null;
  /** Where messages go that this exchange has no target for: argument, else policy. */
  alternate: string | null = null;
  /** The policies that apply; `alternate` has them in it. */
  policy: EffectivePolicy = noPolicy;
  /** See RouteCollector. */
  routeStamp = 0;
  isDeleted = false;
  /** What holds messages of this exchange for later; null for one that has held none. */
  delay: DelayStage | null = null;
  /** Routes by routing key, null where they depend on the message, as long as `cacheGeneration` is the vhost's. */
  readonly cache = new Map<string, Route | null>();
  cacheGeneration = -1;
  /** Routes that were looked for in vain since the cache was full. */
  cacheMisses = 0;

  constructor(type: ExchangeType, declaration: ExchangeDeclaration, home: ExchangeHome) {
    this.type = type;
    this.routes = type.create(declaration.arguments, home);
    this.name = declaration.name;
    this.isDurable = declaration.isDurable;
    this.isAutoDelete = declaration.isAutoDelete;
    this.isInternal = declaration.isInternal;
    this.arguments = declaration.arguments;
    this.stages = stagesOf(type, declaration.arguments, home, this);
    this.seesMessages = this.stages.length > 0 || this.routes.dependsOn === 'message';
  }

  /** What holds messages of this exchange for later; made when it is asked for first. */
  holding(home: ExchangeHome): DelayStage {
    return (this.delay ??= new DelayStage(home, this));
  }

  /** Whether a binding leads from it to something that is there. */
  get isUsed(): boolean {
    for (const { isGone } of this.bindings.values()) if (!isGone) return true;
    return false;
  }

  /** What drops duplicates here; null for an exchange that does not. */
  get deduplication(): DeduplicationStage | null {
    for (const stage of this.stages) if (stage instanceof DeduplicationStage) return stage;
    return null;
  }

  /** The exchange is deleted. */
  close(): void {
    this.isDeleted = true;
    for (const stage of this.stages) stage.close();
    this.delay?.close();
  }
}

/** Duplicates are dropped before anything else is done with them. */
function stagesOf(type: ExchangeType, args: FieldTable, home: ExchangeHome, exchange: Exchange): readonly ExchangeStage[] {
  const own = type.stages?.(args, home, exchange) ?? [];
  const isDone = own.some(stage => stage instanceof DeduplicationStage);
  return wantsDeduplication(args) && !isDone ? [new DeduplicationStage(args, home, exchange), ...own] : own;
}
