/** The form of a JSON value: what keys it has and of what type they are. Elements of a list are merged into one form. */
export type Shape = string | { readonly list: Shape } | { readonly [key: string]: Shape };

const nothing = 'nothing';

/** Objects whose keys are data (arguments, headers, one key per node): only that they are objects counts. */
export const openObjects = new Set([
  'arguments',
  'client_properties',
  'cluster_state',
  'definition',
  'effective_policy_definition',
  'limits',
  'value',
]);

export function shapeOf(value: unknown, key = ''): Shape {
  if (value === null) return 'null';
  if (Array.isArray(value)) return { list: value.map(item => shapeOf(item)).reduce<Shape>(merge, nothing) };
  if (typeof value !== 'object') return typeof value;
  if (openObjects.has(key)) return 'object';
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, shapeOf(item, name)]),
  );
}

/** A form that fits both. A key that only one has is marked as optional with `?`. */
export function merge(a: Shape, b: Shape): Shape {
  if (a === nothing) return b;
  if (b === nothing) return a;
  if (typeof a === 'string' || typeof b === 'string') {
    if (typeof a === 'string' && typeof b === 'string') return [...new Set([...a.split('|'), ...b.split('|')])].sort().join('|');
    return typeof a === 'string' ? a : b;
  }
  if ('list' in a && 'list' in b) return { list: merge(a.list, b.list) };
  const keys = new Set([...Object.keys(a), ...Object.keys(b)].map(key => key.replace(/\?$/, '')));
  const merged: Record<string, Shape> = {};
  for (const key of [...keys].sort()) {
    const inA = (a as Record<string, Shape>)[key];
    const inB = (b as Record<string, Shape>)[key];
    const maybeA = inA ?? (a as Record<string, Shape>)[`${key}?`];
    const maybeB = inB ?? (b as Record<string, Shape>)[`${key}?`];
    merged[inA === undefined || inB === undefined ? `${key}?` : key] = merge(maybeA ?? nothing, maybeB ?? nothing);
  }
  return merged;
}

/** Where `actual` does not have the form of `expected`: a missing key, or another type. Keys that `expected` does not have are fine. */
export function differences(expected: Shape, actual: Shape, path = ''): string[] {
  if (expected === nothing || actual === nothing) return [];
  if (typeof expected === 'string' || typeof actual === 'string') {
    if (typeof expected === 'string' && typeof actual === 'string') {
      const known = new Set(expected.split('|'));
      const isFine = actual.split('|').every(type => known.has(type) || type === 'null' || expected === 'null');
      return isFine ? [] : [`${path}: ${actual} in place of ${expected}`];
    }
    if (expected === 'null' || actual === 'null') return [];
    return [`${path}: ${describe(actual)} in place of ${describe(expected)}`];
  }
  if ('list' in expected || 'list' in actual) {
    if ('list' in expected && 'list' in actual) return differences(expected.list as Shape, actual.list as Shape, `${path}[]`);
    return [`${path}: ${describe(actual)} in place of ${describe(expected)}`];
  }
  return Object.entries(expected).flatMap(([key, form]) => {
    const name = key.replace(/\?$/, '');
    const own = (actual as Record<string, Shape>)[name] ?? (actual as Record<string, Shape>)[`${name}?`];
    if (own === undefined) return key.endsWith('?') ? [] : [`${path}.${name} is missing`];
    return differences(form, own, `${path}.${name}`);
  });
}

function describe(shape: Shape): string {
  if (typeof shape === 'string') return shape;
  return 'list' in shape ? 'a list' : 'an object';
}
