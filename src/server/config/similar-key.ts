import { keyName, type SchemaKey } from './key.ts';

/** A name longer than this is no misspelling of a key, and comparing it would only cost time. */
const NAME_CHARS_MAX = 100;

/**
 * The key an unknown name was probably meant to be, with the name's own segments in place of variables; null if nothing is near.
 * Near is: at most a third of the name's letters wrong, three at most for a short one; or a key that continues where the name ends.
 */
export function similarKey(segments: readonly string[], keys: Iterable<SchemaKey>): string | null {
  const name = keyName(segments);
  if (name.length > NAME_CHARS_MAX) return null;
  let best: string | null = null;
  let bestDistance = Math.min(8, Math.max(2, Math.floor(name.length / 4))) + 1;
  for (const key of keys) {
    for (const pattern of [key.pattern, ...key.aliases]) {
      if (pattern.endsWith('**')) continue;
      const candidate = withVariables(pattern, segments);
      // vm_memory_high_watermark -> vm_memory_high_watermark.relative: a prefix is nearer than any misspelling.
      const distance = candidate.startsWith(`${name}.`) ? 1 : editDistance(name, candidate, bestDistance);
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
  }
  return best;
}

function withVariables(pattern: string, segments: readonly string[]): string {
  if (!pattern.includes('$')) return pattern;
  return pattern
    .split('.')
    .map((segment, index) => (segment.startsWith('$') ? keyName([segments[index] ?? segment]) : segment))
    .join('.');
}

/** Levenshtein distance, a swap of neighbours counting as one; any number from `limit` on if it is not below `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      current.push(distance);
      smallest = Math.min(smallest, distance);
    }
    if (smallest >= limit) return limit;
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? limit;
}
