/** What a secret shows of itself wherever it is printed. */
const MASK = '***';

/** The name under which util.inspect (and so console.log and `%o`) looks for an object's own way of being printed. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * A password or key that must not reach a log, an API answer or an error text by accident: everything that turns a value into text
 * (template strings, JSON, util.inspect, String()) prints `***`. Only `reveal()` gives the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Call it where it is used (a comparison, a TLS context), never to keep the result. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [INSPECT](): string {
    return MASK;
  }
}
