// hot path: see docs/STYLE.md
import type { Consumer } from '../../consumer.ts';
import type { StreamReader } from '../../ports/stream-log.ts';

/** A consumer's place in a stream. */
export class StreamCursor {
  readonly consumer: Consumer;
  readonly reader: StreamReader;
  /** Whether it is in its queue's list of those that may get something. */
  isListed = false;
  /** Whether it has read all that is in memory, and hears when there is more. */
  isWaiting = false;
  /** Offset of what was delivered last; -1: nothing yet. */
  lastOffset = -1;

  constructor(consumer: Consumer, open: (cursor: StreamCursor) => StreamReader) {
    this.consumer = consumer;
    this.reader = open(this);
  }
}
