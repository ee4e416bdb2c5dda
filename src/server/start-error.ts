import { DefinitionsError } from '../core/definitions/problems.ts';
import { ListenError } from '../net/listen-error.ts';
import { JournalError, JournalFormatError } from '../store/journal/recovery-report.ts';
import { StreamFormatError } from '../store/streams/recover-segment.ts';
import { ConfigError, EXIT_CONFIG } from './config/config-error.ts';
import { DataDirError } from './data-dir-error.ts';

/** A start that did not succeed for a reason the operator can do something about. */
const exitUnavailable = 1;
/** Our own fault. [sysexits.h: EX_SOFTWARE] */
export const exitInternal = 70;

/** The journal cannot be read without losing something. [sysexits.h: EX_DATAERR] */
export const exitDamaged = 65;

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return error.exitCode;
  if (error instanceof DefinitionsError) return EXIT_CONFIG;
  if (error instanceof JournalError || error instanceof StreamFormatError) return exitDamaged;
  return isExpected(error) ? exitUnavailable : exitInternal;
}

/** Why the broker does not start: a sentence for what the operator can change, a stack for what we have to. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DefinitionsError) return `the definitions cannot be used:\n${error.problems.join('\n')}`;
  if (error instanceof JournalFormatError || error instanceof StreamFormatError)
    return `${error.message}: start that version again, or give this one another data directory`;
  if (error instanceof JournalError)
    return `the data directory is damaged: ${error.message}. Nothing in it was changed: look at it with "warren check", or put a backup in its place`;
  if (error instanceof ConfigError || isExpected(error)) return error.message;
  return error.stack ?? error.message;
}

/** What the system refuses (a file, an address) is no fault of ours either. */
function isExpected(error: unknown): boolean {
  if (error instanceof ListenError || error instanceof DataDirError) return true;
  // By its name: the file of its class loads TLS.
  return error instanceof Error && (error.name === 'TlsFileError' || ('code' in error && 'syscall' in error));
}
