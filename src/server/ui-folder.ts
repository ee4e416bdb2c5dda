import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** How far above this file a checkout's root can be: its compiled form lies in a cache. */
const levelsMax = 6;

interface UiTool {
  uiFolder(this: void): Promise<string>;
}

/**
 * Where the web UI's built files are. The package has them beside its code; in a checkout they are made of ui/ when they are first asked
 * for, by another process. @throws Error that says what is missing
 */
export async function uiFolder(): Promise<string> {
  let folder = import.meta.dirname;
  const packaged = join(dirname(folder), 'ui');
  if (existsSync(join(packaged, 'index.html'))) return packaged;
  for (let level = 0; level < levelsMax; level++) {
    folder = dirname(folder);
    const tool = join(folder, 'tools', 'ui-folder.js');
    if (!existsSync(tool)) continue;
    const { uiFolder: made } = (await import(pathToFileURL(tool).href)) as UiTool;
    return await made();
  }
  throw new Error('it is not in this package');
}
