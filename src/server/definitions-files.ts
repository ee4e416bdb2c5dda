import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefinitionsError } from '../core/definitions/problems.ts';
import { parseJsonText } from '../core/definitions/json-text.ts';
import { listDirectory } from './read-files.ts';

/**
 * The definitions in a file, or in all *.json of a directory in the order of their names, as JSON values.
 * @throws DefinitionsError that names the file which cannot be read
 */
export function readDefinitions(path: string | null): readonly unknown[] {
  if (path === null) return [];
  const names = listDirectory(path);
  const files =
    names === null
      ? [path]
      : names
          .filter(name => name.endsWith('.json') && !name.startsWith('.'))
          .sort()
          .map(name => join(path, name));
  return files.map(file => {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new DefinitionsError([`${file}: ${(error as Error).message}`]);
    }
    try {
      return parseJsonText(text);
    } catch (error) {
      if (!(error instanceof DefinitionsError)) throw error;
      throw new DefinitionsError(error.problems.map(problem => `${file}: ${problem}`));
    }
  });
}
