/** What a pass over a regular expression's source tells without compiling it. */
export interface RegexpScan {
  /** The alternatives at top level: 'a|b(c|d)' has 'a' and 'b(c|d)'. */
  readonly branches: readonly string[];
  /** About how many instructions the expression compiles to, counted repetitions expanded: 'a{50}' has 50. */
  readonly expandedSize: number;
}

const countedRepetition = /\{(\d{1,6})(,(\d{0,6}))?\}/y;

/** Splits and sizes an expression. Makes sense of anything; what is malformed is left for the compiler to refuse. */
export function scanRegexp(source: string): RegexpScan {
  const branches: string[] = [];
  const outer: number[] = []; // sizes of the groups that are open, outermost first
  let size = 0; // of the group being read
  let last = 0; // of the item that a repetition would repeat
  let branchStart = 0;
  let index = 0;
  while (index < source.length) {
    const char = source[index];
    if (char === '(') {
      outer.push(size);
      size = 1;
      last = 0;
      index += 1;
    } else if (char === ')') {
      last = size;
      size = (outer.pop() ?? 0) + last;
      index += 1;
    } else if (char === '|') {
      if (outer.length === 0) {
        branches.push(source.slice(branchStart, index));
        branchStart = index + 1;
      }
      size += 1;
      last = 0;
      index += 1;
    } else if (char === '{') {
      countedRepetition.lastIndex = index;
      const match = countedRepetition.exec(source);
      if (match === null) {
        size += 1;
        last = 1;
        index += 1;
      } else {
        const copies = Math.max(Number(match[1]), Number(match[3] ?? 0), 1);
        size += last * (copies - 1);
        last *= copies;
        index += match[0].length;
      }
    } else {
      const end = itemEnd(source, index);
      last = source.startsWith('\\Q', index) ? end - index : 1;
      size += last;
      index = end;
    }
  }
  branches.push(source.slice(branchStart));
  return { branches, expandedSize: size + outer.reduce((sum, open) => sum + open, 0) };
}

/** Index of the parenthesis that closes the one at `open`, or -1. */
export function closingParenthesis(source: string, open: number): number {
  let depth = 0;
  for (let index = open; index < source.length; index = itemEnd(source, index)) {
    if (source[index] === '(') depth += 1;
    if (source[index] === ')') {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return -1;
}

/** End of the literal, escape or character class that begins at `index`; other syntax is one character long. */
function itemEnd(source: string, index: number): number {
  if (source[index] === '[') return classEnd(source, index);
  if (source[index] !== '\\') return index + 1;
  if (source[index + 1] === 'Q') {
    const end = source.indexOf('\\E', index);
    return end === -1 ? source.length : end + 2;
  }
  if (/[pPx]/.test(source[index + 1] ?? '') && source[index + 2] === '{') {
    const end = source.indexOf('}', index);
    return end === -1 ? source.length : end + 1;
  }
  return Math.min(index + 2, source.length);
}

function classEnd(source: string, start: number): number {
  let index = start + 1;
  if (source[index] === '^') index += 1;
  if (source[index] === ']') index += 1; // a ] in front stands for itself
  while (index < source.length && source[index] !== ']') {
    if (source[index] === '\\') {
      index += 2;
    } else if (source.startsWith('[:', index)) {
      const end = source.indexOf(':]', index);
      index = end === -1 ? index + 1 : end + 2;
    } else {
      index += 1;
    }
  }
  return Math.min(index + 1, source.length);
}
