import { Publication } from '../messages/publication.ts';

const keptOverheadBytes = 512;

/** A copy of a message for an exchange that wants to publish it later, in memory of its own. */
export class KeptMessage {
  readonly keys: readonly string[];
  readonly #publication: Publication;

  constructor(keys: readonly string[], p: Publication) {
    this.keys = [...keys];
    const copy = new Publication();
    copy.envelope = copyOf(p.envelope, p.envelopeStart, p.envelopeBytes);
    copy.envelopeBytes = p.envelopeBytes;
    copy.properties = copyOf(p.properties, p.propertiesStart, p.propertiesBytes);
    copy.propertiesBytes = p.propertiesBytes;
    // A large body is held for good; one in one piece lies in the read buffer.
    if (p.large === null) copy.body = copyOf(p.body, p.bodyStart, p.bodyBytes);
    else p.large.hold();
    copy.large = p.large;
    copy.bodyBytes = p.bodyBytes;
    copy.format = p.format;
    copy.isPersistent = p.isPersistent;
    copy.priority = p.priority;
    copy.ttlMillis = p.ttlMillis;
    this.#publication = copy;
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return keptOverheadBytes + this.#publication.propertiesBytes + this.#publication.bodyBytes;
  }

  /** To be handed on at once. */
  get publication(): Publication {
    const p = this.#publication;
    p.isRefused = false;
    return p;
  }
}

function copyOf(bytes: Buffer, start: number, count: number): Buffer {
  return Buffer.from(bytes.subarray(start, start + count));
}
