import { createRequire } from 'node:module';
import { BrokerError } from '../broker-error.ts';
import { literalTest } from './literal-pattern.ts';
import { closingParenthesis, scanRegexp } from './regexp-scan.ts';

/** A compiled regular expression. `test` takes time in proportion to the text, whatever the expression. */
export interface Pattern {
  readonly source: string;
  /** True if `test` costs less than looking a remembered answer up. */
  readonly isCheap: boolean;
  /** Whether the expression matches anywhere in the text. */
  test(text: string): boolean;
}

export interface PatternOptions {
  /** Letters match whatever their case. */
  readonly isCaseless?: boolean;
}

/** Refusal of a regular expression. `reason` alone says what is wrong with it. */
export class PatternError extends BrokerError {
  readonly source: string;
  readonly reason: string;

  constructor(source: string, reason: string) {
    super('PRECONDITION_FAILED', `invalid regular expression '${source.length > 100 ? `${source.slice(0, 100)}...` : source}': ${reason}`);
    this.name = 'PatternError';
    this.source = source;
    this.reason = reason;
  }
}

export const patternCharsMax = 4096;
/** Instructions after counted repetitions are expanded; it bounds the time of one test. */
const patternSizeMax = patternCharsMax + 2000;
const lookaheadsMax = 16;

/**
 * Compiles a regular expression written by a user (permissions, topic permissions, policies, name filters) for an engine that runs in
 * linear time, so that no expression can stall the broker. The language is RE2's, which is PCRE's without back-references, look-behind,
 * atomic groups and possessive quantifiers. Look-ahead works where people use it, directly after a leading ^: '^(?!amq\.).*'.
 * Differs from RabbitMQ in two more points: characters are Unicode's, not bytes, and $ does not match before a final line feed.
 * Throws PatternError. [RabbitMQ docs: access control; RE2 syntax]
 */
export function compilePattern(source: string, options: PatternOptions = {}): Pattern {
  if (source.length > patternCharsMax) throw new PatternError(source, `longer than ${patternCharsMax} characters`);
  const flags = options.isCaseless ? '(?i)' : '';
  const scan = scanRegexp(source);
  if (scan.expandedSize > patternSizeMax) throw new PatternError(source, 'too large');
  try {
    return new CompiledPattern(source, anyOf(source, flags, scan.branches));
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    throw new PatternError(source, plainReason(error.message));
  }
}

/** The expression whose search matches exactly this text: each special character escaped. */
export function quotePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

type Test = (text: string) => boolean;

class CompiledPattern implements Pattern {
  readonly source: string;
  readonly isCheap: boolean;
  readonly test: Test;

  constructor(source: string, compiled: { test: Test; isCheap: boolean }) {
    this.source = source;
    this.isCheap = compiled.isCheap;
    this.test = compiled.test;
  }
}

/** A search for 'a|b' is a search for either, so that each alternative may be of its own form. */
function anyOf(source: string, flags: string, branches: readonly string[]): { test: Test; isCheap: boolean } {
  const leadingFlags = /^\(\?[imsU-]+\)/.exec(source)?.[0] ?? '';
  const hasInnerFlags = /\(\?[imsU-]+\)/.test(source.slice(leadingFlags.length));
  // Flags set in the middle hold for the alternatives after it: such an expression stays whole.
  const parts = hasInnerFlags || branches.length > 32 ? [source] : branches;
  const compiled = parts.map((part, index) => {
    const bare = index === 0 ? part.slice(leadingFlags.length) : part;
    return allOf(hasInnerFlags ? part : bare, hasInnerFlags ? flags : flags + leadingFlags);
  });
  const [first, ...others] = compiled;
  if (first !== undefined && others.length === 0) return first;
  const tests = compiled.map(each => each.test);
  return { test: text => tests.some(test => test(text)), isCheap: compiled.length <= 2 && compiled.every(each => each.isCheap) };
}

/** '^(?!a)(?=b)c' matches where '^a' does not, '^b' does and '^c' does. */
function allOf(branch: string, flags: string): { test: Test; isCheap: boolean } {
  const anchor = /^(\^|\\A)/.exec(branch)?.[0] ?? '';
  const conditions: { test: Test; isCheap: boolean }[] = [];
  let rest = branch.slice(anchor.length);
  while (anchor !== '' && (rest.startsWith('(?!') || rest.startsWith('(?='))) {
    const close = closingParenthesis(rest, 0);
    if (close === -1 || conditions.length >= lookaheadsMax) break;
    const inner = one(`^${groupIfNeeded(rest.slice(3, close))}`, flags);
    const isNegative = rest[2] === '!';
    conditions.push(isNegative ? { test: text => !inner.test(text), isCheap: inner.isCheap } : inner);
    rest = rest.slice(close + 1);
  }
  const [first] = conditions;
  if (first === undefined) return one(branch, flags);
  if (/^[*+?{]/.test(rest)) throw new SyntaxError('missing argument to repetition operator');
  const main = one(anchor + rest, flags);
  if (conditions.length === 1) return { test: text => first.test(text) && main.test(text), isCheap: first.isCheap && main.isCheap };
  return { test: text => conditions.every(condition => condition.test(text)) && main.test(text), isCheap: false };
}

function groupIfNeeded(source: string): string {
  return scanRegexp(source).branches.length > 1 ? `(?:${source})` : source;
}

function one(source: string, flags: string): { test: Test; isCheap: boolean } {
  const literal = flags === '' ? literalTest(source) : null;
  if (literal !== null) return { test: literal, isCheap: true };
  const regexp = engine().RE2JS.compile(flags + source);
  return { test: text => regexp.test(text), isCheap: false };
}

type Engine = typeof import('re2js');
let loadedEngine: Engine | null = null;

/** Loading the engine takes some 5 ms; a broker whose patterns are all of literal forms starts without it. */
function engine(): Engine {
  loadedEngine ??= createRequire(import.meta.url)('re2js') as Engine;
  return loadedEngine;
}

function isSyntaxError(error: unknown): error is Error {
  return error instanceof SyntaxError || (error instanceof Error && error.name.startsWith('RE2JS'));
}

/** The engine's refusals in the words of the reader's trade. [PCRE error texts where the same error exists] */
function plainReason(message: string): string {
  if (/`\(\?<?[=!]/.test(message)) return 'look-around is supported only as look-ahead directly after a leading ^';
  if (/invalid escape sequence: `\\([1-9]|k|g)/.test(message)) return 'back-references are not supported';
  if (/`\(\?>/.test(message)) return 'atomic groups are not supported';
  if (/invalid nested repetition operator/.test(message)) return 'possessive quantifiers and repeated repetitions are not supported';
  if (/missing argument to repetition operator/.test(message)) return 'nothing to repeat';
  if (/missing closing \)/.test(message)) return 'missing )';
  if (/missing closing \]/.test(message)) return 'missing terminating ] for character class';
  if (/unexpected \)/.test(message)) return 'unmatched parentheses';
  if (/trailing backslash/.test(message)) return '\\ at end of pattern';
  return message.replace(/^error parsing regexp: /, '');
}
