// Which files make up the configuration, and their settings in the order in which they count.
import { describeOrigin, type Include, parseConfFile, type Setting } from './conf-file.ts';
import { ConfigError, EXIT_USAGE, quotable } from './config-error.ts';
import { Findings } from './findings.ts';

/** The two questions the loader asks about the file system. */
export interface FileReader {
  /** The text of a file; null if there is none that can be read. */
  readFile(path: string): string | null;
  /** The names of a directory's entries; null if it is no directory that can be read. */
  listDirectory(path: string): readonly string[] | null;
}

/** What to read: paths as the command line and the environment give them. */
export interface SourceChoice {
  /** --config: the only source, then. */
  readonly configOption: string | null;
  /** RABBITMQ_CONFIG_FILE, with or without `.conf`. */
  readonly configFile: string | null;
  /** RABBITMQ_CONFIG_FILES: a directory, or a pattern such as `dir/*.conf`. */
  readonly configFiles: string | null;
}

export interface ConfSettings {
  readonly settings: readonly Setting[];
  /** The files that were read, in order. */
  readonly files: readonly string[];
  readonly problems: Findings;
  readonly warnings: Findings;
}

export const DEFAULT_CONFIG_FILE = '/etc/rabbitmq/rabbitmq.conf';
export const DEFAULT_CONFIG_DIRECTORY = '/etc/rabbitmq/conf.d';

const FILES_MAX = 200;
const INCLUDE_DEPTH_MAX = 8;

/**
 * Reads every file of the configuration. A later file's settings come later, and so win.
 * @throws ConfigError if a file that was asked for cannot be read
 */
export function readConfSettings(choice: SourceChoice, reader: FileReader): ConfSettings {
  const collector = new Collector(reader);
  if (choice.configOption !== null) {
    const listed = reader.listDirectory(choice.configOption);
    if (listed !== null) collector.addAll(confFilesOf(choice.configOption, listed), 0);
    else if (!collector.add(choice.configOption, 0))
      throw new ConfigError([`--config ${quotable(choice.configOption)}: there is no such file, or it cannot be read`], EXIT_USAGE);
    return collector;
  }
  if (choice.configFile === null) collector.add(DEFAULT_CONFIG_FILE, 0);
  else collector.addNamed(choice.configFile);
  if (choice.configFiles !== null) collector.addPattern(choice.configFiles);
  else collector.addAll(confFilesOf(DEFAULT_CONFIG_DIRECTORY, reader.listDirectory(DEFAULT_CONFIG_DIRECTORY) ?? []), 0);
  return collector;
}

function join(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

function directoryOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : file.slice(0, slash);
}

/** The *.conf of a directory in name order (by code unit, as `ls` in the C locale). */
function confFilesOf(directory: string, names: readonly string[], pattern = '*.conf'): string[] {
  return names
    .filter(name => matches(name, pattern) && !name.startsWith('.'))
    .sort()
    .map(name => join(directory, name));
}

/** Whether a name is of a pattern in which `*` stands for any characters. */
function matches(name: string, pattern: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let position = first.length;
  for (const part of others) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return position <= name.length - last.length;
}

class Collector implements ConfSettings {
  readonly settings: Setting[] = [];
  readonly files: string[] = [];
  readonly problems = new Findings();
  readonly warnings = new Findings();
  readonly #reader: FileReader;
  /** Files being read right now, to notice an include of itself. */
  readonly #open = new Set<string>();

  constructor(reader: FileReader) {
    this.#reader = reader;
  }

  /** RABBITMQ_CONFIG_FILE: the path as it is, or with `.conf`. */
  addNamed(path: string): void {
    if (path.endsWith('.config')) {
      this.problems.add(
        `RABBITMQ_CONFIG_FILE: ${quotable(path)} is of the classic Erlang format, which WarrenMQ does not read; use a rabbitmq.conf`,
      );
      return;
    }
    if (this.add(path, 0) || (!path.endsWith('.conf') && this.add(`${path}.conf`, 0))) return;
    const tried = path.endsWith('.conf') ? '' : `, nor ${quotable(path)}.conf`;
    this.problems.add(`RABBITMQ_CONFIG_FILE: there is no file ${quotable(path)} that can be read${tried}`);
  }

  /** RABBITMQ_CONFIG_FILES: a directory, or `directory/pattern` with `*` in the last segment. */
  addPattern(path: string): void {
    const listed = this.#reader.listDirectory(path);
    if (listed !== null) return this.addAll(confFilesOf(path, listed), 0);
    const files = this.#matching(path);
    if (files === null) this.problems.add(`RABBITMQ_CONFIG_FILES: there is no directory ${quotable(path)} that can be read`);
    else this.addAll(files, 0);
  }

  addAll(files: readonly string[], depth: number): void {
    for (const file of files) {
      if (!this.add(file, depth)) this.problems.add(`${quotable(file)}: cannot be read`);
    }
  }

  /** False if the file cannot be read. */
  add(file: string, depth: number): boolean {
    const text = this.#reader.readFile(file);
    if (text === null) return false;
    if (this.files.length >= FILES_MAX) {
      this.problems.add(`${quotable(file)}: not read: more than ${FILES_MAX} configuration files`);
      return true;
    }
    this.files.push(file);
    this.#open.add(file);
    const conf = parseConfFile(text, file);
    this.problems.addAll(conf.problems);
    this.warnings.addAll(conf.warnings);
    for (const entry of conf.entries) {
      if ('segments' in entry) this.settings.push(entry);
      else this.#include(entry, directoryOf(file), depth);
    }
    this.#open.delete(file);
    return true;
  }

  /** An included path is relative to the file that includes it. A pattern may match nothing, a plain name may not. */
  #include(include: Include, directory: string, depth: number): void {
    const path = include.path.startsWith('/') ? include.path : join(directory, include.path);
    const where = describeOrigin(include.origin);
    if (depth >= INCLUDE_DEPTH_MAX) {
      this.problems.add(`${where}: include ${quotable(path)}: includes are nested more than ${INCLUDE_DEPTH_MAX} deep`);
      return;
    }
    const files = this.#matching(path) ?? [path];
    for (const file of files) {
      if (this.#open.has(file)) this.problems.add(`${where}: include ${quotable(file)}: the file includes itself`);
      else if (!this.add(file, depth + 1))
        this.problems.add(`${where}: include ${quotable(file)}: there is no such file, or it cannot be read`);
    }
  }

  /** The files that `directory/*.conf` stands for; null if the path has no `*` in its last segment. */
  #matching(path: string): string[] | null {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!name.includes('*')) return null;
    const directory = directoryOf(path);
    return confFilesOf(directory, this.#reader.listDirectory(directory) ?? [], name);
  }
}
