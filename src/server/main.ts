import { version } from '../base/version.ts';
import { parseCommandLine, USAGE } from './config/command-line.ts';
import { ConfigError } from './config/config-error.ts';

/** The program `warren`. For what needs no broker nothing of it is loaded. */
export async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  try {
    const [word, ...rest] = argv;
    if (word === 'check' || word === 'export') {
      await (await import('./inspect/inspect.ts')).inspect(word, rest);
      return;
    }
    const { action } = parseCommandLine(argv);
    if (action === 'help') process.stdout.write(USAGE);
    else if (action === 'version') process.stdout.write(`${version}\n`);
    else await (await import('./serve.ts')).serve(argv);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`warren: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
