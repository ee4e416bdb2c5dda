/** More lines help nobody, and a hostile file must not fill memory with them. */
const FINDINGS_MAX = 500;

/** Problems or warnings in the order they were found, of which only so many are kept. */
export class Findings {
  readonly #kept: string[] = [];
  #omittedCount = 0;

  add(finding: string): void {
    if (this.#kept.length < FINDINGS_MAX) this.#kept.push(finding);
    else this.#omittedCount++;
  }

  addAll(findings: Iterable<string>): void {
    for (const finding of findings) this.add(finding);
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** What was kept, and how many more there were. */
  toArray(): readonly string[] {
    return this.#omittedCount === 0 ? [...this.#kept] : [...this.#kept, `... and ${this.#omittedCount} more`];
  }
}
