import type { Json } from '../../base/field-table.ts';
import type { GlobalParameterDefinition, ParameterDefinition, PolicyDefinition, VhostLimitsDefinition } from './definitions.ts';
import type { Steps } from '../stepped-work.ts';
import type { Entry, JsonObject, ReadingContext } from './entry.ts';
import { isObject, readSection } from './entry.ts';
import { isPolicyTarget, policyProblems } from './policy-check.ts';
import type { PolicyRank } from './policy-settings.ts';
import { obsoleteSettings } from './policy-settings.ts';
import { readVhostLimits } from './read-vhosts.ts';

export interface ReadParameters {
  readonly parameters: ParameterDefinition[];
  readonly policies: PolicyDefinition[];
  readonly operatorPolicies: PolicyDefinition[];
  readonly limits: VhostLimitsDefinition[];
}

/** Runtime parameters; files keep operator policies and vhost limits among them. */
export function* readParameters(context: ReadingContext, section: unknown): Steps<ReadParameters> {
  const read: ReadParameters = { parameters: [], policies: [], operatorPolicies: [], limits: [] };
  yield* readSection(context, 'parameters', section, ['vhost', 'component', 'name', 'value'], entry => {
    const vhost = entry.vhost();
    const component = entry.name('component');
    const name = entry.name('name');
    const value = (entry.raw('value') ?? null) as Json;
    if (component === 'operator_policy' || component === 'policy') {
      const policy = readPolicy(entry, vhost, name, isObject(value) ? value : {}, component);
      (component === 'policy' ? read.policies : read.operatorPolicies).push(policy);
    } else if (component === 'vhost-limits') {
      const limits = readVhostLimits(entry, vhost, value);
      if (limits !== null) read.limits.push(limits);
    } else {
      read.parameters.push({ vhost, component, name, value });
    }
    return null;
  });
  return read;
}

export function* readGlobalParameters(context: ReadingContext, section: unknown): Steps<GlobalParameterDefinition[]> {
  return yield* readSection(context, 'global_parameters', section, ['name', 'value'], entry => ({
    name: entry.name('name'),
    value: (entry.raw('value') ?? null) as Json,
  }));
}

export function* readPolicies(context: ReadingContext, section: unknown): Steps<PolicyDefinition[]> {
  return yield* readSection(context, 'policies', section, ['vhost', 'name', 'pattern', 'apply-to', 'definition', 'priority'], entry => {
    const parts = {
      pattern: entry.raw('pattern'),
      'apply-to': entry.raw('apply-to'),
      definition: entry.raw('definition'),
      priority: entry.raw('priority'),
    };
    return readPolicy(entry, entry.vhost(), entry.name('name'), parts, 'policy');
  });
}

function readPolicy(entry: Entry, vhost: string, name: string, parts: JsonObject, rank: PolicyRank): PolicyDefinition {
  const pattern = parts['pattern'] as Json | undefined;
  const applyTo = parts['apply-to'] as Json | undefined;
  const definition = parts['definition'] as Json | undefined;
  const priority = readPriority(parts['priority'] as Json | undefined);
  for (const problem of policyProblems(name, { pattern, applyTo, definition, priority }, rank))
    entry.problem(`${problem} (${vhost}/${name})`);
  const settings = isObject(definition) ? (definition as Record<string, Json>) : {};
  for (const key of obsoleteSettings(settings)) entry.warning(`policy setting "${key}" has no effect`);
  return {
    vhost,
    name,
    pattern: typeof pattern === 'string' ? pattern : '',
    applyTo: isPolicyTarget(applyTo) ? applyTo : 'all',
    definition: settings,
    priority: typeof priority === 'number' ? priority : 0,
  };
}

/** Old files have priorities as strings. */
function readPriority(value: Json | undefined): Json {
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Number(value);
  return value ?? 0;
}
