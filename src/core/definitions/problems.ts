import { BrokerError } from '../broker-error.ts';

const listedMax = 100;
const remarkCharsMax = 1000;

/** Refusal of a definitions file, with everything that is wrong with it (the first 100). Nothing of the file was applied. */
export class DefinitionsError extends BrokerError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('PRECONDITION_FAILED', problems.join('\n'));
    this.name = 'DefinitionsError';
    this.problems = problems;
  }
}

/** A list of remarks that does not grow without bound. */
export class Remarks {
  readonly #listed: string[] = [];
  #count = 0;

  constructor(earlier: readonly string[] = []) {
    for (const remark of earlier) this.add(remark);
  }

  get count(): number {
    return this.#count;
  }

  add(remark: string): void {
    this.#count += 1;
    if (this.#listed.length < listedMax)
      this.#listed.push(remark.length > remarkCharsMax ? `${remark.slice(0, remarkCharsMax)}...` : remark);
  }

  list(): string[] {
    const rest = this.#count - this.#listed.length;
    return rest === 0 ? [...this.#listed] : [...this.#listed, `and ${rest} more`];
  }
}
