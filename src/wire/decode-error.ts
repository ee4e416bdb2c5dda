/** What is wrong with the bytes. The front-end chooses the reply code and text from it. */
export type DecodeErrorKind =
  /** Fewer bytes than the lengths in them promise. */
  | 'truncated'
  /** Bytes left over after the last field. */
  | 'trailing'
  | 'malformed-utf8'
  /** A field value with a tag that RabbitMQ does not know. */
  | 'unknown-type'
  | 'unknown-method'
  /** A table nested deeper than the limit. */
  | 'too-deep'
  /** More table entries than the limit. */
  | 'too-many'
  /** Bytes that break another rule of the format. */
  | 'malformed';

/** Thrown by decoders, and the only thing they throw, whatever the bytes are. */
export class DecodeError extends Error {
  readonly kind: DecodeErrorKind;

  constructor(kind: DecodeErrorKind, message: string) {
    super(message);
    this.name = 'DecodeError';
    this.kind = kind;
  }
}
