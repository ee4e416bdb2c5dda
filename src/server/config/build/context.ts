import type { CommandLine } from '../command-line.ts';
import type { FileReader } from '../conf-sources.ts';
import type { EnvironmentChoice } from '../environment.ts';
import type { Settings } from '../settings.ts';

/** Facts of the machine that defaults depend on. */
export interface Platform {
  /** RAM, or the limit of the process's cgroup where that is smaller. */
  readonly totalMemoryBytes: number;
  readonly hostname: string;
  /** How many files and sockets the process may have open (`ulimit -n`). */
  readonly openFilesMax?: number;
}

/** What the parts of the configuration are built from. */
export interface BuildContext {
  readonly settings: Settings;
  readonly commandLine: CommandLine;
  readonly environment: EnvironmentChoice;
  readonly platform: Platform;
  readonly reader: FileReader;
  readonly nodeName: string;
  readonly dataDir: string | null;
  readonly enabledPlugins: readonly string[] | null;
}

/** A mistake that only the whole configuration shows. Building goes on with something harmless, so that every mistake is found at once. */
export function problem(context: BuildContext, where: string, what: string): void {
  context.settings.problems.add(`${where}: ${what}`);
}

export function warn(context: BuildContext, where: string, what: string): void {
  context.settings.warnings.add(`${where}: ${what}`);
}

/** The port a listener takes that nothing configures: with `--port 0` a free one, so that several brokers fit on one machine. */
export function unconfiguredPort(context: BuildContext, usual: number): number {
  return context.commandLine.port === 0 ? 0 : usual;
}
