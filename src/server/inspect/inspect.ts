import { ConfigError, EXIT_USAGE } from '../config/config-error.ts';
import { exitCodeOf, exitDamaged, explain } from '../start-error.ts';

/** What can be asked about a data directory without a broker. */
export type InspectAction = 'check' | 'export';

/**
 * `warren check DIR` and `warren export DIR`. Sets the process's exit code: 0, 65 for damage, 1 when the directory cannot be looked at.
 * @throws ConfigError for wrong arguments
 */
export async function inspect(action: InspectAction, args: readonly string[]): Promise<void> {
  const [path, ...rest] = args;
  if (path === undefined || rest.length > 0 || path.startsWith('-'))
    throw new ConfigError([`${action} takes one argument, the data directory`], EXIT_USAGE, `Usage: warren ${action} DIR\n`);
  try {
    process.exitCode = action === 'check' ? await check(path) : await exportTo(path);
  } catch (error) {
    process.stderr.write(`warren: ${explain(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

async function check(path: string): Promise<number> {
  const { checkDataDir } = await import('./check.ts');
  const { isSound, lines } = await checkDataDir(path);
  process.stdout.write(`${lines.join('\n')}\n`);
  return isSound ? 0 : exitDamaged;
}

async function exportTo(path: string): Promise<number> {
  const { exportDataDir } = await import('./export.ts');
  const { problems } = await exportDataDir(path, process.stdout);
  for (const problem of problems) process.stderr.write(`warren: left out: ${problem}\n`);
  return problems.length === 0 ? 0 : exitDamaged;
}
