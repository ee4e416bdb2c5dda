import { retainedQueueName } from '../retained/retained-queue-type.ts';
import type { Json } from '../../base/field-table.ts';
import { tableToJson } from '../../base/field-table.ts';
import type { Permission } from '../access/permissions.ts';
import type { TopicPermission } from '../access/topic-permissions.ts';
import type { User } from '../access/user.ts';
import type {
  BindingDefinition,
  ExchangeDefinition,
  GlobalParameterDefinition,
  ParameterDefinition,
  PolicyDefinition,
  QueueDefinition,
  VhostDefinition,
  VhostLimitsDefinition,
} from './definitions.ts';

export interface ExportedQueue extends QueueDefinition {
  readonly isExclusive: boolean;
}

/** Where an export takes the broker's state from. */
export interface DefinitionsSource {
  readonly version: string;
  readonly productName: string;
  readonly productVersion: string;
  readonly clusterName: string;
  users(): Iterable<User>;
  vhosts(): Iterable<VhostDefinition>;
  vhostLimits(): Iterable<VhostLimitsDefinition>;
  permissions(): Iterable<Permission>;
  topicPermissions(): Iterable<TopicPermission>;
  parameters(): Iterable<ParameterDefinition>;
  globalParameters(): Iterable<GlobalParameterDefinition>;
  policies(): Iterable<PolicyDefinition>;
  operatorPolicies(): Iterable<PolicyDefinition>;
  /** Exclusive queues end with their connection and are left out. */
  queues(): Iterable<ExportedQueue>;
  exchanges(): Iterable<ExchangeDefinition>;
  bindings(): Iterable<BindingDefinition>;
}

type VhostParts = Pick<
  DefinitionsSource,
  'vhostLimits' | 'parameters' | 'policies' | 'operatorPolicies' | 'queues' | 'exchanges' | 'bindings'
>;

export type JsonRecord = Record<string, Json>;

/** A list of an export. What is to be in it is known; its items are made one by one, so that others can have their turn in between. */
export class ExportList<Item = unknown> implements Iterable<JsonRecord> {
  readonly #items: readonly Item[];
  readonly #toJson: (item: Item) => JsonRecord | null;

  /** `toJson` gives null for what is left out. */
  constructor(items: Iterable<Item>, toJson: (item: Item) => JsonRecord | null) {
    this.#items = [...items];
    this.#toJson = toJson;
  }

  *[Symbol.iterator](): Iterator<JsonRecord> {
    for (const item of this.#items) {
      const json = this.#toJson(item);
      if (json !== null) yield json;
    }
  }
}

/** An export whose lists are yet to be made, in the order in which they are shown. */
export type DefinitionParts = Readonly<Record<string, Json | ExportList>>;

/** All definitions in RabbitMQ's form. [RabbitMQ: GET /api/definitions] */
export function exportDefinitions(source: DefinitionsSource): JsonRecord {
  return collected(definitionParts(source));
}

/** The definitions of one vhost, without its name, so that they can be imported into any. [RabbitMQ: GET /api/definitions/vhost] */
export function exportVhostDefinitions(source: DefinitionsSource, vhost: string): JsonRecord {
  return collected(vhostDefinitionParts(source, vhost));
}

export function definitionParts(source: DefinitionsSource): DefinitionParts {
  return {
    ...origin(source),
    rabbitmq_definition_format: 'cluster',
    original_cluster_name: source.clusterName,
    explanation: `Definitions of cluster '${source.clusterName}'`,
    users: map(source.users(), userJson),
    vhosts: map(source.vhosts(), vhostJson),
    permissions: map(source.permissions(), ({ user, vhost, configure, write, read }) => ({ user, vhost, configure, write, read })),
    topic_permissions: map(source.topicPermissions(), ({ user, vhost, exchange, write, read }) => ({ user, vhost, exchange, write, read })),
    parameters: parametersJson(source),
    // Names with this prefix are the broker's own. [RabbitMQ: is_internal_parameter]
    global_parameters: map(source.globalParameters(), ({ name, value }) => (name.startsWith('internal') ? null : { name, value })),
    ...topologyParts(source, (item: JsonRecord) => item),
  };
}

export function vhostDefinitionParts(source: DefinitionsSource, vhost: string): DefinitionParts {
  const only = <Item extends { readonly vhost: string }>(items: Iterable<Item>): Item[] => {
    const own: Item[] = [];
    for (const item of items) if (item.vhost === vhost) own.push(item);
    return own;
  };
  const scoped: VhostParts = {
    vhostLimits: () => only(source.vhostLimits()),
    parameters: () => only(source.parameters()),
    policies: () => only(source.policies()),
    operatorPolicies: () => only(source.operatorPolicies()),
    queues: () => only(source.queues()),
    exchanges: () => only(source.exchanges()),
    bindings: () => only(source.bindings()),
  };
  const own = [...source.vhosts()].find(each => each.name === vhost);
  const [limits] = scoped.vhostLimits();
  return {
    ...origin(source),
    rabbitmq_definition_format: 'single_virtual_host',
    original_vhost_name: vhost,
    explanation: `Definitions of virtual host '${vhost}'`,
    metadata: own === undefined ? {} : metadataJson(own),
    description: own?.description ?? '',
    limits: limits === undefined ? {} : limitsJson(limits),
    parameters: map(parametersJson(scoped), withoutVhost),
    ...topologyParts(scoped, withoutVhost),
  };
}

function collected(parts: DefinitionParts): JsonRecord {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part instanceof ExportList ? [...part] : part]));
}

function origin(source: DefinitionsSource): JsonRecord {
  return {
    rabbit_version: source.version,
    rabbitmq_version: source.version,
    product_name: source.productName,
    product_version: source.productVersion,
  };
}

/** `shown` makes what is shown of an item that has its vhost. */
function topologyParts(source: VhostParts, shown: (item: JsonRecord) => JsonRecord): Readonly<Record<string, ExportList>> {
  const queues = [...source.queues()];
  const exclusive = new Set(queues.filter(queue => queue.isExclusive).map(queue => `${queue.vhost}\0${queue.name}`));
  const orNull = (item: JsonRecord | null): JsonRecord | null => (item === null ? null : shown(item));
  return {
    policies: map(source.policies(), ({ vhost, name, ...policy }) => shown({ vhost, name, ...policyJson(policy) })),
    queues: map(queues, queue => orNull(queueJson(queue))),
    exchanges: map(source.exchanges(), exchange => orNull(exchangeJson(exchange))),
    bindings: map(source.bindings(), binding => (isTo(binding, exclusive) ? null : orNull(bindingJson(binding)))),
  };
}

function userJson({ name, passwordHash, hashingAlgorithm, tags, limits }: User): JsonRecord {
  const shown: JsonRecord = {};
  if (limits.maxConnections !== null) shown['max-connections'] = limits.maxConnections;
  if (limits.maxChannels !== null) shown['max-channels'] = limits.maxChannels;
  return { name, password_hash: passwordHash, hashing_algorithm: hashingAlgorithm, tags: [...tags], limits: shown };
}

function vhostJson(vhost: VhostDefinition): JsonRecord {
  const { name, description, tags, defaultQueueType } = vhost;
  const type: JsonRecord = defaultQueueType === null ? {} : { default_queue_type: defaultQueueType };
  const tracing: JsonRecord = vhost.isTracing ? { tracing: true } : {};
  return { name, description, metadata: metadataJson(vhost), tags: [...tags], ...type, ...tracing };
}

function metadataJson({ description, tags, defaultQueueType, isProtectedFromDeletion }: VhostDefinition): JsonRecord {
  const metadata: JsonRecord = { description, tags: [...tags] };
  if (defaultQueueType !== null) metadata['default_queue_type'] = defaultQueueType;
  if (isProtectedFromDeletion) metadata['protected_from_deletion'] = true;
  return metadata;
}

/** Files keep operator policies and vhost limits as parameters. */
function parametersJson(source: VhostParts): ExportList {
  const operatorPolicies = map(source.operatorPolicies(), ({ vhost, name, ...policy }) => ({
    vhost,
    component: 'operator_policy',
    name,
    value: policyJson(policy),
  }));
  const limits = map(source.vhostLimits(), each => ({
    vhost: each.vhost,
    component: 'vhost-limits',
    name: 'limits',
    value: limitsJson(each),
  }));
  const own = map(source.parameters(), ({ vhost, component, name, value }) => ({ vhost, component, name, value }));
  return map([...own, ...operatorPolicies, ...limits], item => item);
}

function limitsJson({ connectionsMax, queuesMax }: VhostLimitsDefinition): JsonRecord {
  const limits: JsonRecord = {};
  if (connectionsMax >= 0) limits['max-connections'] = connectionsMax;
  if (queuesMax >= 0) limits['max-queues'] = queuesMax;
  return limits;
}

function policyJson({ pattern, applyTo, definition, priority }: Omit<PolicyDefinition, 'vhost' | 'name'>): JsonRecord {
  return { pattern, 'apply-to': applyTo, definition: { ...definition }, priority };
}

function queueJson(queue: ExportedQueue): JsonRecord | null {
  // What is retained is no definition: the broker declares its queue when there is something again.
  if (queue.isExclusive || queue.name === retainedQueueName) return null;
  const { name, vhost, type, isDurable, isAutoDelete } = queue;
  return { name, vhost, type: type ?? 'classic', durable: isDurable, auto_delete: isAutoDelete, arguments: tableToJson(queue.arguments) };
}

function exchangeJson(exchange: ExchangeDefinition): JsonRecord | null {
  const { name, vhost, type, isDurable, isAutoDelete, isInternal } = exchange;
  if (isPredeclaredExchange(name)) return null;
  return {
    name,
    vhost,
    type,
    durable: isDurable,
    auto_delete: isAutoDelete,
    internal: isInternal,
    arguments: tableToJson(exchange.arguments),
  };
}

function bindingJson(binding: BindingDefinition): JsonRecord | null {
  const { source, vhost, destination, destinationKind, key } = binding;
  if (source === '') return null;
  return { source, vhost, destination, destination_type: destinationKind, routing_key: key, arguments: tableToJson(binding.arguments) };
}

function isTo(binding: BindingDefinition, queues: ReadonlySet<string>): boolean {
  return binding.destinationKind === 'queue' && queues.has(`${binding.vhost}\0${binding.destination}`);
}

function isPredeclaredExchange(name: string): boolean {
  return name === '' || name.startsWith('amq.');
}

function map<Item>(items: Iterable<Item>, toJson: (item: Item) => JsonRecord | null): ExportList {
  return new ExportList(items, toJson) as ExportList;
}

function withoutVhost(item: JsonRecord): JsonRecord {
  const bare = { ...item };
  delete bare['vhost'];
  return bare;
}
