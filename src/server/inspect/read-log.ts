import type { StreamReader } from '../../core/ports/stream-log.ts';
import type { Queue } from '../../core/queues/queue.ts';

/** Reads a stream from front to back: every chunk is checked on the way, and damage counted. Other queues have nothing to be read so. */
export async function readLog(queue: Queue, visit: (message: StreamReader) => Promise<void> | void): Promise<void> {
  let wake = (): void => {};
  const reader = queue.readLog(0, () => wake());
  if (reader === null) return;
  for (;;) {
    if (reader.next()) {
      await visit(reader);
      continue;
    }
    if (reader.isAtEnd) break;
    await new Promise<void>(resolve => {
      wake = resolve;
    });
  }
  reader.close();
}
