import { openFilesMax } from '../net/open-files.ts';
import type { BrokerCore } from '../core/broker.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Files } from '../core/ports/files.ts';
import { FullDisk } from '../store/journal/full-disk.ts';
import { JournalStore, type JournalStoreOptions } from '../store/journal/journal-store.ts';
import { LimitedFiles } from '../store/journal/limited-files.ts';
import { NodeFiles, reserveDescriptor } from '../store/journal/node-files.ts';
import { MemoryFiles } from '../store/streams/memory-files.ts';
import { StreamStore } from '../store/streams/stream-store.ts';

/** Files of a directory that are open at once, and what part of all files that may be. */
const storeFilesMax = 64;
const storeFilesShare = 1 / 16;
/** Exit code of a process whose data directory failed. */
const fatalExitCode = 70;

/** How a broker keeps its journal, where that is not as usual. For tests and campaigns. */
export interface StoreOptions extends Partial<Omit<JournalStoreOptions, 'onFatal'>> {
  /** Stands between the journal and its files: records what is done, or makes it fail. */
  readonly wrapFiles?: (files: Files) => Files;
  /** The same for the files of streams. */
  readonly wrapStreamFiles?: (files: Files) => Files;
}

/** What happens in a data directory when its disk is full. */
export function openFullDisk(directory: string, { wrapFiles = files => files }: StoreOptions = {}): FullDisk {
  return new FullDisk(wrapFiles(new NodeFiles(directory)));
}

/** Most of the files a process may have open are for connections. */
function limited(files: Files): Files {
  const openFiles = openFilesMax() ?? Infinity;
  return new LimitedFiles(files, Math.max(4, Math.min(storeFilesMax, Math.floor(openFiles * storeFilesShare))), reserveDescriptor);
}

/** The durable side of a broker. `onFatal` is told of a failed write or sync; without it the process exits. */
export function openStore(
  directory: string,
  logger: Logger,
  onFatal: ((error: Error) => void) | undefined,
  fullDisk: FullDisk,
  { wrapFiles = files => files, ...options }: StoreOptions = {},
): JournalStore {
  return new JournalStore(fullDisk.wrap(limited(wrapFiles(new NodeFiles(directory)))), {
    ...options,
    onFatal: error => {
      logger.error('store', `the data directory failed, nothing more is acknowledged: ${error.message}`);
      if (onFatal !== undefined) onFatal(error);
      else process.exit(fatalExitCode);
    },
  });
}

/** Where streams are kept; in memory without a directory. */
export function openStreams(
  directory: string | null,
  fullDisk: FullDisk | null,
  { wrapStreamFiles = files => files }: StoreOptions = {},
): StreamStore {
  if (directory === null || fullDisk === null) return new StreamStore(new MemoryFiles());
  return new StreamStore(fullDisk.wrap(limited(wrapStreamFiles(new NodeFiles(directory)))));
}

/** Brings the broker to where it was, tells what was found, and records from then on. Rejects when the directory cannot be used. */
export async function recoverStore(store: JournalStore, streams: StreamStore, core: BrokerCore): Promise<void> {
  const { logger, counters } = core;
  const report = store.recover(core);
  if (!report.isBlank) {
    const after = report.wasClean ? '' : ' after an unclean stop';
    logger.info('store', `recovered ${report.entries} messages from ${report.frames} frames in ${Math.round(report.millis)} ms${after}`);
  }
  if (report.tornBytes > 0) logger.warning('store', `left out ${report.tornBytes} bytes of an unfinished write at the end of the journal`);
  for (const damage of report.damaged) logger.error('store', `damage in the journal: ${damage}`);
  counters.damagedRecords += report.damaged.length;
  recoverStreams(streams, core, report.damaged.length === 0);
  await new Promise<void>((resolve, reject) => {
    const begun = (error: Error | null): void => (error === null ? resolve() : reject(error));
    // What the journal says of streams that are gone has to be durable before their files go.
    store.begin(core, error => (error === null ? streams.begin(begun) : begun(error)));
  });
}

function recoverStreams(streams: StreamStore, core: BrokerCore, isComplete: boolean): void {
  const { logger, counters } = core;
  const report = streams.recover(isComplete);
  if (report.streams > 0) logger.info('store', `recovered ${report.streams} streams with ${report.messages} messages`);
  if (report.tornBytes > 0) logger.warning('store', `left out ${report.tornBytes} bytes of unfinished writes at the ends of streams`);
  if (report.orphans > 0 && !isComplete)
    logger.warning('store', `${report.orphans} files of streams that are not known are kept: the journal is damaged`);
  for (const damage of report.damaged) logger.error('store', `damage in a stream: ${damage}`);
  counters.damagedRecords += report.damaged.length;
}
