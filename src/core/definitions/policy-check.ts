import type { Json } from '../../base/field-table.ts';
import { compilePattern, PatternError } from '../access/pattern.ts';
import type { PolicyTarget } from './definitions.ts';
import { erlangTerm } from './erlang-term.ts';
import type { PolicyRank } from './policy-settings.ts';
import { policySettingsProblem } from './policy-settings.ts';

/** The parts of a policy as they come from a file or a request, not yet checked. */
export interface PolicyParts {
  readonly pattern?: Json | undefined;
  readonly definition?: Json | undefined;
  readonly priority?: Json | undefined;
  readonly applyTo?: Json | undefined;
}

const targets: readonly string[] = ['all', 'exchanges', 'queues', 'classic_queues', 'quorum_queues', 'streams'];

export function isPolicyTarget(value: unknown): value is PolicyTarget {
  return typeof value === 'string' && targets.includes(value);
}

/** RabbitMQ's texts of what is wrong with a policy, none if it is fine. `name` is the policy's. [RabbitMQ: rabbit_policy validation] */
export function policyProblems(name: string, parts: PolicyParts, rank: PolicyRank): string[] {
  const { pattern, definition, priority = 0, applyTo = 'all' } = parts;
  const problems: string[] = [];
  if (typeof priority !== 'number') problems.push(`priority should be a number, actually was ${erlangTerm(priority)}`);
  if (pattern === undefined) problems.push(`Key "pattern" not found in ${name}`);
  else if (typeof pattern !== 'string') problems.push(`pattern should be a binary but was ${erlangTerm(pattern)}`);
  else problems.push(...patternProblems(pattern));
  if (!isPolicyTarget(applyTo)) {
    const shown = typeof applyTo === 'string' ? applyTo : erlangTerm(applyTo);
    problems.push(
      `apply-to '${shown}' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'`,
    );
  }
  if (definition === undefined) problems.push(`Key "definition" not found in ${name}`);
  else if (Array.isArray(definition) && definition.length === 0) problems.push('no policy provided');
  else if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    problems.push(`definition must be a dictionary: ${erlangTerm(definition)}`);
  else {
    const problem = policySettingsProblem(definition, rank);
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

/** The problems in the form in which RabbitMQ's management and rabbitmqctl tell them. */
export function validationFailed(problems: readonly string[]): string {
  return `Validation failed\n\n${problems.map(problem => `${problem}\n`).join('')}`;
}

function patternProblems(pattern: string): string[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return [`pattern should be regular expression but is invalid: ${error.reason}`];
  }
}
