import type { IndexPages } from '../../core/ports/index-pages.ts';
import type { Files } from '../../core/ports/files.ts';
import { Pages } from './pages.ts';

/** Bytes of the largest image: a block of 4096 messages with all columns. What is not used of a place takes no room on disk. */
const slotBytes = 112 * 1024;

/** What queues know of messages far from their ends, in files beside the journal's that the next start removes. */
export class IndexFiles extends Pages<object> implements IndexPages {
  readonly #onLost: (error: Error) => void;

  /** `onLost` is told when an image cannot be read again. */
  constructor(files: Files, onLost: (error: Error) => void) {
    super(files, 'index', slotBytes);
    this.#onLost = onLost;
  }

  lost(error: Error): void {
    this.#onLost(error);
  }
}
