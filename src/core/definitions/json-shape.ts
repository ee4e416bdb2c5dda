import { allAtOnce, type Steps } from '../stepped-work.ts';

export interface JsonBounds {
  readonly depthMax: number;
  readonly valuesMax: number;
}

export const definitionsBounds: JsonBounds = { depthMax: 64, valuesMax: 20_000_000 };

/**
 * Why a JSON value should not be worked on: too deep for recursion, too large, or with a key that could be mistaken for an object's
 * prototype; null if it is fine. Does not recurse itself.
 */
export function jsonShapeProblem(root: unknown, bounds: JsonBounds = definitionsBounds): string | null {
  return allAtOnce(findShapeProblem(root, bounds));
}

/** The same of a large one, in steps. */
export function* findShapeProblem(root: unknown, bounds: JsonBounds = definitionsBounds): Steps<string | null> {
  let level: unknown[] = [root];
  let valueCount = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > bounds.depthMax) return `nested deeper than ${bounds.depthMax}`;
    valueCount += level.length;
    if (valueCount > bounds.valuesMax) return `more than ${bounds.valuesMax} values`;
    const next: unknown[] = [];
    for (const value of level) {
      yield 1;
      if (typeof value !== 'object' || value === null) continue;
      if (Array.isArray(value)) {
        for (const item of value) if (typeof item === 'object' && item !== null) next.push(item);
        valueCount += value.length;
      } else {
        for (const key of Object.keys(value)) {
          if (key === '__proto__') return `the key "__proto__" is not allowed`;
          const item: unknown = (value as Record<string, unknown>)[key];
          if (typeof item === 'object' && item !== null) next.push(item);
          else valueCount += 1;
        }
      }
      if (valueCount > bounds.valuesMax) return `more than ${bounds.valuesMax} values`;
    }
    level = next;
  }
  return null;
}
