import type { Steps } from '../stepped-work.ts';
import type { BindingDefinition, Definitions } from './definitions.ts';
import { DefinitionsError, Remarks } from './problems.ts';

/** What the broker already has, so that definitions may refer to it. */
export interface ExistingObjects {
  hasVhost(name: string): boolean;
  hasUser(name: string): boolean;
  hasExchange(vhost: string, name: string): boolean;
  hasQueue(vhost: string, name: string): boolean;
  hasExchangeType(type: string): boolean;
  /** Queues the vhost has and may have (-1: no limit); null if there is no such vhost. */
  queueCounts(vhost: string): { readonly count: number; readonly max: number } | null;
}

/**
 * Checks that everything definitions refer to either exists or is defined with them, so that applying them cannot stop half-way for the
 * lack of something. Returns them without bindings that have no end: exports hold such, because the queues of connections are not
 * exported and their bindings are. Throws DefinitionsError. [RabbitMQ: bindings with missing ends are passed over]
 */
export function* resolveReferences(definitions: Definitions, existing: ExistingObjects): Steps<Definitions> {
  const problems = new Remarks();
  const vhosts = new Set(definitions.vhosts.map(vhost => vhost.name));
  const users = new Set(definitions.users.map(user => user.name));
  const missing = new Set<string>();
  const needVhost = (vhost: string): void => {
    if (vhosts.has(vhost) || existing.hasVhost(vhost) || missing.has(vhost)) return;
    problems.add(`Please create virtual host "${vhost}" prior to importing definitions.`);
    missing.add(vhost);
  };
  const needUser = (user: string): void => {
    if (!users.has(user) && !existing.hasUser(user)) problems.add(`User "${user}" does not exist`);
  };
  for (const list of [definitions.permissions, definitions.topicPermissions]) {
    for (const { user, vhost } of list) {
      needVhost(vhost);
      needUser(user);
      yield 1;
    }
  }
  const { vhostLimits, parameters, policies, operatorPolicies, queues, exchanges, bindings } = definitions;
  for (const list of [vhostLimits, parameters, policies, operatorPolicies, queues, exchanges, bindings]) {
    for (const { vhost } of list) {
      needVhost(vhost);
      yield 1;
    }
  }
  for (const { name, vhost, type } of exchanges) {
    if (!existing.hasExchangeType(type)) problems.add(`unknown exchange type '${type}' (of exchange '${name}' in vhost '${vhost}')`);
  }
  yield* checkQueueLimits(definitions, existing, problems);
  if (problems.count > 0) throw new DefinitionsError(problems.list());
  return yield* withoutLooseBindings(definitions, existing);
}

function* withoutLooseBindings(definitions: Definitions, existing: ExistingObjects): Steps<Definitions> {
  const exchanges = yield* keysOf(definitions.exchanges);
  const queues = yield* keysOf(definitions.queues);
  const hasExchange = (vhost: string, name: string): boolean =>
    predeclared.has(name) || exchanges.has(keyOf({ vhost, name })) || existing.hasExchange(vhost, name);
  const hasQueue = (vhost: string, name: string): boolean => queues.has(keyOf({ vhost, name })) || existing.hasQueue(vhost, name);
  const warnings = new Remarks(definitions.warnings);
  const bindings: BindingDefinition[] = [];
  for (const binding of definitions.bindings) {
    const { vhost, source, destination, destinationKind } = binding;
    yield 1;
    const hasDestination = destinationKind === 'exchange' ? hasExchange(vhost, destination) : hasQueue(vhost, destination);
    if (!hasExchange(vhost, source)) warnings.add(`skipping a binding: no exchange '${source}' in vhost '${vhost}'`);
    else if (!hasDestination) warnings.add(`skipping a binding: no ${destinationKind} '${destination}' in vhost '${vhost}'`);
    else bindings.push(binding);
  }
  return { ...definitions, bindings, warnings: warnings.list() };
}

/** Exchanges that every vhost has from its beginning. */
const predeclared: ReadonlySet<string> = new Set([
  'amq.direct',
  'amq.fanout',
  'amq.topic',
  'amq.headers',
  'amq.match',
  'amq.rabbitmq.trace',
]);

/** [RabbitMQ: validate_vhost_queue_limit] */
function* checkQueueLimits(definitions: Definitions, existing: ExistingObjects, problems: Remarks): Steps {
  const added = new Map<string, number>();
  for (const { vhost, name } of definitions.queues) {
    if (!existing.hasQueue(vhost, name)) added.set(vhost, (added.get(vhost) ?? 0) + 1);
    yield 1;
  }
  for (const [vhost, count] of added) {
    const counts = existing.queueCounts(vhost);
    if (counts === null || counts.max < 0 || counts.count + count <= counts.max) continue;
    problems.add(
      `Adding ${count} queue(s) to virtual host "${vhost}" would exceed the limit of ${counts.max} queue(s).\n\nThis virtual host currently has ${counts.count} queue(s) defined.\n\nImport aborted!`,
    );
  }
}

function* keysOf(definitions: Iterable<{ readonly vhost: string; readonly name: string }>): Steps<Set<string>> {
  const keys = new Set<string>();
  for (const definition of definitions) {
    keys.add(keyOf(definition));
    yield 1;
  }
  return keys;
}

function keyOf({ vhost, name }: { readonly vhost: string; readonly name: string }): string {
  return `${vhost}\0${name}`;
}
