import { unwatchFile, watchFile } from 'node:fs';
import type { BrokerCore } from '../core/broker.ts';
import { DefinitionsError } from '../core/definitions/problems.ts';
import { readDefinitions } from './definitions-files.ts';
import { importDefinitions } from './import-definitions.ts';

const pollMillis = 250;

/**
 * Applies a file of definitions whenever it changes, all of it or nothing: a file that is wrong, or half written, changes nothing and is
 * logged. As with every import what is no longer in the file stays. Returns how to end it.
 */
export function watchDefinitions(core: BrokerCore, path: string): () => void {
  const apply = (): void => {
    try {
      importDefinitions(core, readDefinitions(path));
      core.turn.arm();
      core.logger.info('default', `Applied the changed definitions in '${path}'`);
    } catch (error) {
      if (!(error instanceof DefinitionsError)) throw error;
      for (const problem of error.problems) core.logger.error('default', `definitions are not applied: ${problem}`);
    }
  };
  // Editors and tools that replace the file by another are noticed too.
  watchFile(path, { interval: pollMillis }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) apply();
  });
  return () => unwatchFile(path);
}
