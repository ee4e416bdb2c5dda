/**
 * Room on disk for what queues know of their messages, for which memory is too small. Nothing of it outlives the process: what is durable is
 * in the log. An image is named by the object that is its key.
 */
export interface IndexPages {
  /** Writes the image of a key that has none. Calls back when it is there; until then its bytes stay as they are, or `free` was called. */
  write(key: object, image: Buffer, done: (error: Error | null) => void): void;
  /** The same at once; returns why it is not there. For recovery, and for who renames messages. */
  writeNow(key: object, image: Buffer): Error | null;
  /** Reads an image into a buffer of its size. It is checked. */
  read(key: object, into: Buffer, done: (error: Error | null) => void): void;
  /** The same at once; returns what is wrong with it. */
  readNow(key: object, into: Buffer): Error | null;
  /** The image is not needed any more. */
  free(key: object): void;
  /** An image that was written cannot be read: what it was of is in the log only. Nothing more is acknowledged. */
  lost(error: Error): void;
}
