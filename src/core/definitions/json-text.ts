import { DefinitionsError } from './problems.ts';

/**
 * Parses JSON text, with or without a byte order mark. The error tells the place but shows nothing of the text, which may hold passwords.
 * Throws DefinitionsError.
 */
export function parseJsonText(text: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (json.trim() === '') return {};
  try {
    return JSON.parse(json);
  } catch {
    throw new DefinitionsError([`not valid JSON${place(json, jsonErrorAt(json))}`]);
  }
}

function place(text: string, index: number): string {
  if (index >= text.length) return ': the text ends too early';
  const before = text.slice(0, index).split('\n');
  return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

const space = /[ \t\n\r]*/y;
// A string's rest is matched in pieces: one repetition over a long string would overflow the engine's stack.
const token = /[[\]{}:,]|"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y;
const stringPiece = /[^"\\\p{Cc}]{1,1000}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/uy;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'end';

/** Index of the first character that cannot be where it is. JSON.parse does not tell it reliably. */
function jsonErrorAt(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  let index = 0;
  for (;;) {
    index = matchEnd(space, text, index);
    const start = index;
    if (start === text.length) return start;
    index = matchEnd(token, text, start);
    const char = text[start] ?? '';
    if (index === start) return start;
    if (char === '"') {
      for (let end = index; ; index = end) {
        end = matchEnd(stringPiece, text, index);
        if (end === index) break;
      }
      if (text[index] !== '"') return index;
      index += 1;
    }
    const next = after(expected, char, open);
    if (next === null) return start;
    expected = next;
  }
}

/** What is expected after a token that begins with `char`, or null if it is out of place. */
function after(expected: Expected, char: string, open: string[]): Expected | null {
  const rest = (): Expected => (open.length === 0 ? 'end' : 'comma or end');
  const isClosing =
    (char === ']' && open.at(-1) === '[' && expected !== 'value') || (char === '}' && open.at(-1) === '{' && expected !== 'key');
  if (isClosing && (expected === 'comma or end' || expected === 'value or ]' || expected === 'key or }')) {
    open.pop();
    return rest();
  }
  if (expected === 'key' || expected === 'key or }') return char === '"' ? 'colon' : null;
  if (expected === 'colon') return char === ':' ? 'value' : null;
  if (expected === 'comma or end') return char === ',' ? (open.at(-1) === '[' ? 'value' : 'key') : null;
  if (expected === 'end' || ']}:,'.includes(char)) return null;
  if (char !== '[' && char !== '{') return rest();
  open.push(char);
  return char === '[' ? 'value or ]' : 'key or }';
}

function matchEnd(pattern: RegExp, text: string, index: number): number {
  pattern.lastIndex = index;
  return pattern.test(text) ? pattern.lastIndex : index;
}
