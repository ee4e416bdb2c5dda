import type { FieldTable } from '../../base/field-table.ts';
import { Publication } from '../messages/publication.ts';
import type { MessageFormat, TextProperty } from '../ports/message-format.ts';

/** A message on its way through exchanges, decoded only as far as one of them asks. One object serves a virtual host. */
export class RoutedMessage {
  readonly #format: (tag: number) => MessageFormat;
  /** Its routing key, then those of CC and BCC. */
  keys: readonly string[] = [];
  publication = new Publication();
  /** undefined: not decoded yet. */
  #headers: FieldTable | null | undefined = null;

  constructor(format: (tag: number) => MessageFormat) {
    this.#format = format;
  }

  /** `headers` spares decoding them again when the caller has them. */
  reset(keys: readonly string[], publication: Publication, headers: FieldTable | null | undefined): void {
    this.keys = keys;
    this.publication = publication;
    this.#headers = headers;
  }

  get headers(): FieldTable | null {
    if (this.#headers === undefined) {
      const p = this.publication;
      this.#headers = this.#format(p.format).headers(p.properties, p.propertiesStart, p.propertiesBytes);
    }
    return this.#headers;
  }

  /** A property as text; null when the message has none. */
  property(name: TextProperty): string | null {
    const p = this.publication;
    return this.#format(p.format).text(p.properties, p.propertiesStart, p.propertiesBytes, name);
  }
}
