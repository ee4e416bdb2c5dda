import { limits } from '../limits.ts';
import { allAtOnce, type Steps } from '../stepped-work.ts';
import type { Definitions } from './definitions.ts';
import type { ReadingContext } from './entry.ts';
import { isObject } from './entry.ts';
import type { JsonBounds } from './json-shape.ts';
import { definitionsBounds, findShapeProblem } from './json-shape.ts';
import { readJsonText } from './json-pieces.ts';
import { DefinitionsError, Remarks } from './problems.ts';
import { readGlobalParameters, readParameters, readPolicies } from './read-parameters.ts';
import { readBindings, readExchanges, readQueues } from './read-topology.ts';
import type { PasswordHasher } from './read-users.ts';
import { readPermissions, readTopicPermissions, readUsers } from './read-users.ts';
import { readVhosts } from './read-vhosts.ts';

export interface ParseOptions {
  /** Hashes the plain passwords a file may have; it makes hashes of the default algorithm. */
  readonly hash: PasswordHasher;
  /** The vhost to import into: entries need not name one, and what belongs to no vhost is left out. */
  readonly vhost?: string;
  readonly bounds?: JsonBounds;
}

/** Facts about the broker that wrote the file; of no effect. */
const informativeKeys = [
  'rabbit_version',
  'rabbitmq_version',
  'product_name',
  'product_version',
  'rabbitmq_definition_format',
  'original_cluster_name',
  'original_vhost_name',
  'explanation',
  'description',
  'default_queue_type',
  'limits',
  'metadata',
];
const vhostSections = ['parameters', 'policies', 'queues', 'exchanges', 'bindings'];
const clusterSections = ['users', 'vhosts', 'permissions', 'topic_permissions', 'global_parameters'];

/**
 * Reads a definitions file, as text or as parsed JSON, whole: either everything in it makes sense by itself, or DefinitionsError lists
 * what does not. Whether it fits the broker (vhosts and exchanges that must exist) is for resolveReferences to say.
 */
export function parseDefinitions(input: unknown, options: ParseOptions): Definitions {
  return allAtOnce(readDefinitions(input, options));
}

/** The same in steps. */
export function* readDefinitions(input: unknown, options: ParseOptions): Steps<Definitions> {
  const json = typeof input === 'string' ? yield* readJsonText(input) : input;
  const shapeProblem = yield* findShapeProblem(json, options.bounds ?? definitionsBounds);
  if (shapeProblem !== null) throw new DefinitionsError([`definitions: ${shapeProblem}`]);
  if (!isObject(json)) throw new DefinitionsError(['definitions should be a JSON object']);
  const vhost = options.vhost ?? null;
  const context: ReadingContext = { problems: new Remarks(), warnings: new Remarks(), vhost };
  if (vhost !== null && (vhost === '' || Buffer.byteLength(vhost) > limits.nameBytesMax))
    context.problems.add('the name of the vhost is empty or too long');
  const known = new Set([...informativeKeys, ...vhostSections, ...clusterSections]);
  for (const key of Object.keys(json)) {
    if (!known.has(key)) context.warnings.add(`unknown section "${key.slice(0, 100)}" ignored`);
    else if (vhost !== null && clusterSections.includes(key))
      context.warnings.add(`section "${key}" ignored: it belongs to no single vhost`);
  }
  const section = (name: string): unknown =>
    Object.hasOwn(json, name) && (vhost === null || vhostSections.includes(name)) ? json[name] : undefined;
  const version = versionOf(json);
  const { users, permissions: innerPermissions } = yield* readUsers(context, section('users'), version, options.hash);
  const { vhosts, limits: vhostLimits } = yield* readVhosts(context, section('vhosts'));
  const parameters = yield* readParameters(context, section('parameters'));
  const definitions: Omit<Definitions, 'warnings'> = {
    version,
    users,
    vhosts,
    vhostLimits: [...vhostLimits, ...parameters.limits],
    permissions: [...innerPermissions, ...(yield* readPermissions(context, section('permissions')))],
    topicPermissions: yield* readTopicPermissions(context, section('topic_permissions')),
    parameters: parameters.parameters,
    globalParameters: yield* readGlobalParameters(context, section('global_parameters')),
    policies: [...parameters.policies, ...(yield* readPolicies(context, section('policies')))],
    operatorPolicies: parameters.operatorPolicies,
    queues: yield* readQueues(context, section('queues')),
    exchanges: yield* readExchanges(context, section('exchanges')),
    bindings: yield* readBindings(context, section('bindings')),
  };
  if (context.problems.count > 0) throw new DefinitionsError(withHint(json, vhost, context.problems.list()));
  return { ...definitions, warnings: context.warnings.list() };
}

function versionOf(json: Readonly<Record<string, unknown>>): string | null {
  const version = json['rabbitmq_version'] ?? json['rabbit_version'];
  return typeof version === 'string' ? version : null;
}

/** The usual mistake with a file exported from one vhost. */
function withHint(json: Readonly<Record<string, unknown>>, vhost: string | null, problems: string[]): string[] {
  if (json['rabbitmq_definition_format'] !== 'single_virtual_host' || vhost !== null) return problems;
  return ['these are the definitions of one virtual host: import them into a virtual host', ...problems];
}
