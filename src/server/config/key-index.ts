import type { SchemaKey } from './key.ts';

/** The schema's key for a name found in a file, and what its variables stand for. */
export interface KeyMatch {
  readonly key: SchemaKey;
  /** Values of `$name` segments and of what `**` matched, in order. */
  readonly variables: readonly string[];
  /** True if the name is one of the key's aliases. */
  readonly isAlias: boolean;
}

interface Node {
  readonly literals: Map<string, Node>;
  variable: Node | null;
  rest: SchemaKey | null;
  key: SchemaKey | null;
  isAlias: boolean;
}

function newNode(): Node {
  return { literals: new Map(), variable: null, rest: null, key: null, isAlias: false };
}

/** Finds the schema's key of a name: segment by segment, a written segment before a variable one, a variable before `**`. */
export class KeyIndex {
  readonly #root = newNode();

  /** @throws Error if two keys claim the same pattern, which is a mistake in the schema */
  constructor(keys: Iterable<SchemaKey>) {
    for (const key of keys) {
      this.#add(key.pattern, key, false);
      for (const alias of key.aliases) this.#add(alias, key, true);
    }
  }

  #add(pattern: string, key: SchemaKey, isAlias: boolean): void {
    let node = this.#root;
    for (const segment of pattern.split('.')) {
      if (segment === '**') {
        if (node.rest !== null) throw new Error(`two keys claim ${pattern}`);
        node.rest = key;
        return;
      }
      let next = segment.startsWith('$') ? node.variable : (node.literals.get(segment) ?? null);
      if (next === null) {
        next = newNode();
        if (segment.startsWith('$')) node.variable = next;
        else node.literals.set(segment, next);
      }
      node = next;
    }
    if (node.key !== null) throw new Error(`two keys claim ${pattern}`);
    node.key = key;
    node.isAlias = isAlias;
  }

  find(segments: readonly string[]): KeyMatch | null {
    return findBelow(this.#root, segments, 0, []);
  }
}

// Recursion is bounded by the depth of the schema's patterns, not by the input: below the deepest pattern nothing is left to descend to.
function findBelow(node: Node, segments: readonly string[], depth: number, variables: readonly string[]): KeyMatch | null {
  const segment = segments[depth];
  if (segment === undefined) return node.key === null ? null : { key: node.key, variables, isAlias: node.isAlias };
  const literal = node.literals.get(segment);
  const found =
    (literal === undefined ? null : findBelow(literal, segments, depth + 1, variables)) ??
    (node.variable === null ? null : findBelow(node.variable, segments, depth + 1, [...variables, segment]));
  if (found !== null || node.rest === null) return found;
  return { key: node.rest, variables: [...variables, segments.slice(depth).join('.')], isAlias: false };
}
