import type { Steps } from '../stepped-work.ts';
import { parseJsonText } from './json-text.ts';

/** A shorter text is parsed at once. */
const pieceCharsMin = 64 * 1024;
/** Characters that are parsed for a unit of stepped work. */
const charsPerUnit = 64;

const code = (char: string): number => char.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code('\\'), code(','), code(':')];
const [openBrace, closeBrace, openBracket, closeBracket] = [code('{'), code('}'), code('['), code(']')];

/** What is not an object of lists, or no JSON: it is parsed as a whole, which says what is wrong with it. */
class NotInPieces extends Error {}

/**
 * Parses JSON text, with or without a byte order mark; of a large object the items of its lists one by one, so that nobody waits for all.
 * @throws DefinitionsError
 */
export function* readJsonText(text: string): Steps<unknown> {
  if (text.length >= pieceCharsMin) {
    try {
      return yield* new JsonPieces(text).object();
    } catch (error) {
      if (!(error instanceof NotInPieces || error instanceof SyntaxError)) throw error;
    }
  }
  return parseJsonText(text);
}

/** Cuts a text into values by brackets and quotes; JSON.parse says of each whether it is one. */
class JsonPieces {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\uFEFF') ? 1 : 0;
  }

  *object(): Steps<unknown> {
    const entries: [string, unknown][] = [];
    this.#expect(openBrace);
    if (!this.#takes(closeBrace)) {
      do {
        if (this.#next() !== quote) throw new NotInPieces();
        const key = this.#value() as string;
        this.#expect(colon);
        if (this.#next() === openBracket) entries.push([key, yield* this.#list()]);
        else entries.push([key, this.#value()]);
        yield 1;
      } while (this.#takes(comma));
      this.#expect(closeBrace);
    }
    if (!Number.isNaN(this.#next())) throw new NotInPieces();
    // As JSON.parse does it: of equal keys the last counts, and none of them is a prototype.
    return Object.fromEntries(entries);
  }

  *#list(): Steps<unknown[]> {
    const items: unknown[] = [];
    this.#expect(openBracket);
    if (this.#takes(closeBracket)) return items;
    do {
      const start = this.#at;
      items.push(this.#value());
      yield 1 + (this.#at - start) / charsPerUnit;
    } while (this.#takes(comma));
    this.#expect(closeBracket);
    return items;
  }

  /** The value that is next, up to what ends it where it stands. */
  #value(): unknown {
    this.#next();
    const text = this.#text;
    const start = this.#at;
    let depth = 0;
    let at = start;
    scan: for (; at < text.length; at++) {
      const char = text.charCodeAt(at);
      switch (char) {
        case quote:
          at = this.#endOfString(at);
          break;
        case openBrace:
        case openBracket:
          depth++;
          break;
        case closeBrace:
        case closeBracket:
          if (depth === 0) break scan;
          depth--;
          break;
        case comma:
        case colon:
          if (depth === 0) break scan;
      }
    }
    this.#at = at;
    return JSON.parse(text.slice(start, at));
  }

  /** Index of the quote that ends the string that begins here. */
  #endOfString(start: number): number {
    const text = this.#text;
    for (let at = start + 1; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (char === quote) return at;
      if (char === backslash) at++;
    }
    throw new NotInPieces();
  }

  /** The next character that is no white space, which is not taken; NaN at the end. [RFC 8259] */
  #next(): number {
    for (; ; this.#at++) {
      const char = this.#text.charCodeAt(this.#at);
      if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return char;
    }
  }

  #takes(char: number): boolean {
    if (this.#next() !== char) return false;
    this.#at++;
    return true;
  }

  #expect(char: number): void {
    if (!this.#takes(char)) throw new NotInPieces();
  }
}
