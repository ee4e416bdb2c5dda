import { BrokerError } from '../broker-error.ts';
import type { MessageFormat, PivotFormat } from '../ports/message-format.ts';

/** The formats that message properties may have, by their tags; one of them, the pivot, is what the broker writes itself. */
export class MessageFormats {
  readonly #byTag: readonly (MessageFormat | undefined)[];
  readonly #pivot: PivotFormat | undefined;

  constructor(formats: readonly (MessageFormat | PivotFormat)[]) {
    const byTag: MessageFormat[] = [];
    for (const format of formats) byTag[format.tag] = format;
    this.#byTag = byTag;
    this.#pivot = formats.find((format): format is PivotFormat => 'encode' in format);
  }

  /** @throws BrokerError INTERNAL_ERROR when there is none */
  get pivot(): PivotFormat {
    if (this.#pivot === undefined) throw new BrokerError('INTERNAL_ERROR', 'no pivot format');
    return this.#pivot;
  }

  /** @throws BrokerError INTERNAL_ERROR when there is no such format */
  get(tag: number): MessageFormat {
    const format = this.#byTag[tag];
    if (format === undefined) throw new BrokerError('INTERNAL_ERROR', `no message format ${tag}`);
    return format;
  }
}
