// The syntax of rabbitmq.conf: `key = value` lines. [RabbitMQ docs: configure, "the main configuration file"]
import { quotable } from './config-error.ts';
import { Findings } from './findings.ts';
import { keySegments } from './key.ts';

/** Where a setting was made. */
export interface Origin {
  /** A file, or the name of an environment variable or a flag. */
  readonly source: string;
  /** From 1; 0 if the source is no file. */
  readonly line: number;
}

/** One setting as it was written. */
export interface Setting {
  readonly segments: readonly string[];
  /** The key as written. */
  readonly name: string;
  readonly value: string;
  readonly origin: Origin;
}

/** A request for other files: `include path` or `include dir/*.conf`. */
export interface Include {
  readonly path: string;
  readonly origin: Origin;
}

/** What a file says, in its order. */
export interface ConfFile {
  readonly entries: readonly (Setting | Include)[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** No configuration is larger; what is, was given by mistake (a log, a core dump). */
export const CONF_FILE_CHARS_MAX = 16 * 1024 * 1024;
const LINE_CHARS_MAX = 65_536;
/** A file with so many problems is not a configuration file. */
const PROBLEMS_MAX = 100;

export function describeOrigin(origin: Origin): string {
  return origin.line === 0 ? origin.source : `${origin.source}:${origin.line}`;
}

/** Reads the text of one file. Never throws; what is wrong is in `problems`, each with file and line. Linear in the text's length. */
export function parseConfFile(text: string, file: string): ConfFile {
  const parser = new Parser(file);
  if (text.length > CONF_FILE_CHARS_MAX) {
    parser.problems.push(`${file}: is larger than ${CONF_FILE_CHARS_MAX / 1024 / 1024} MiB; a configuration file is not`);
  } else {
    parser.parse(text);
  }
  return parser;
}

class Parser implements ConfFile {
  readonly entries: (Setting | Include)[] = [];
  readonly problems: string[] = [];
  readonly #warnings = new Findings();
  readonly #file: string;
  #text = '';
  #position = 0;
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get warnings(): readonly string[] {
    return this.#warnings.toArray();
  }

  parse(text: string): void {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    while (this.#position < this.#text.length && this.problems.length < PROBLEMS_MAX) {
      this.#parseLine(this.#nextLine());
    }
    if (this.problems.length >= PROBLEMS_MAX) this.problems.push(`${this.#file}: the rest of the file was not read: too many problems`);
  }

  #nextLine(): string {
    const end = this.#text.indexOf('\n', this.#position);
    const line = this.#text.slice(this.#position, end < 0 ? this.#text.length : end);
    this.#position = end < 0 ? this.#text.length : end + 1;
    this.#line++;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  #problem(what: string): void {
    this.problems.push(`${this.#file}:${this.#line}: ${what}`);
  }

  #parseLine(line: string): void {
    if (line.length > LINE_CHARS_MAX) return this.#problem(`the line is longer than ${LINE_CHARS_MAX} characters`);
    const control = indexOfControl(line);
    if (control >= 0) return this.#problem(`column ${control + 1} has a control character (${quotable(line.charAt(control))})`);
    const start = indexOfNonBlank(line, 0);
    if (start === line.length || line[start] === '#') return;

    const equals = line.indexOf('=', start);
    const name = equals < 0 ? '' : line.slice(start, equals).trimEnd();
    const segments = name === '' ? null : keySegments(name);
    if (segments === null) return this.#parseOther(line.slice(start));
    const value = this.#parseValue(line, indexOfNonBlank(line, equals + 1), quotable(name));
    if (value !== null) this.entries.push({ segments, name, value: value.text, origin: { source: this.#file, line: value.line } });
  }

  /** A line that is no setting: an include, or a mistake that gets the most helpful words. */
  #parseOther(line: string): void {
    const include = /^include[ \t]+([A-Za-z0-9_.*/-]+)[ \t]*(?:#.*)?$/.exec(line);
    if (include?.[1] !== undefined) {
      this.entries.push({ path: include[1], origin: { source: this.#file, line: this.#line } });
      return;
    }
    if (/^[[{%]|^\]\.$/.test(line)) {
      this.#problem(
        'this looks like the classic Erlang format (rabbitmq.config, advanced.config), which WarrenMQ does not read; write "key = value" lines',
      );
      // Every further line of such a file would be reported as well.
      this.#position = this.#text.length;
      return;
    }
    const equals = line.indexOf('=');
    if (equals > 0)
      return this.#problem(
        `syntax error: "${quotable(line.slice(0, equals).trimEnd())}" is not a key (letters, digits, _ and -, separated by dots)`,
      );
    this.#problem(`syntax error: expected "key = value", found "${quotable(line)}"`);
  }

  #parseValue(line: string, start: number, name: string): { text: string; line: number } | null {
    const startLine = this.#line;
    if (line.startsWith("'''", start)) return this.#parseMultiline(line.slice(start + 3), name, startLine);
    if (line[start] === "'") {
      const end = line.indexOf("'", start + 1);
      if (end < 0) return this.#refuse(`${name}: the single quote is not closed on this line`);
      const rest = indexOfNonBlank(line, end + 1);
      if (rest < line.length && line[rest] !== '#') {
        return this.#refuse(`${name}: only a comment may follow the closing single quote (a quoted value cannot contain a single quote)`);
      }
      return { text: line.slice(start + 1, end), line: startLine };
    }
    const hash = line.indexOf('#', start);
    const text = trimmed(line, start, hash < 0 ? line.length : hash, isBlank);
    if (text === '') return this.#refuse(`${name} has no value; remove the line, or write '' where an empty value is meant`);
    if (hash > 0 && !isBlank(line[hash - 1])) {
      this.#warnings.add(
        `${this.#file}:${this.#line}: ${name}: the value ends at the #; if the # belongs to it, put the value in single quotes`,
      );
    }
    if (/^".*"$/.test(text)) {
      this.#warnings.add(`${this.#file}:${this.#line}: ${name}: the double quotes are part of the value; single quotes are not`);
    }
    return { text, line: startLine };
  }

  /** A value between `'''` and `'''`, over any number of lines; newlines next to the delimiters do not count. */
  #parseMultiline(firstLine: string, name: string, startLine: number): { text: string; line: number } | null {
    const lines: string[] = [];
    for (let rest = firstLine; ; rest = this.#nextLine()) {
      const end = rest.indexOf("'''");
      lines.push(end < 0 ? rest : rest.slice(0, end));
      if (end >= 0) {
        const after = indexOfNonBlank(rest, end + 3);
        if (after < rest.length && rest[after] !== '#') return this.#refuse(`${name}: only a comment may follow the closing '''`);
        const joined = lines.join('\n');
        const text = trimmed(joined, 0, joined.length, character => character === '\n');
        const control = indexOfControl(text);
        if (control >= 0) return this.#refuse(`${name}: the value has a control character (${quotable(text.charAt(control))})`);
        return { text, line: startLine };
      }
      if (this.#position >= this.#text.length) {
        this.#line = startLine;
        return this.#refuse(`${name}: the ''' is not closed`);
      }
    }
  }

  #refuse(what: string): null {
    this.#problem(what);
    return null;
  }
}

/** Where the first control character is that is neither tab nor newline; -1 if there is none. */
function indexOfControl(text: string): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x7f || (code < 0x20 && code !== 0x09 && code !== 0x0a)) return index;
  }
  return -1;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function indexOfNonBlank(line: string, from: number): number {
  let index = from;
  while (isBlank(line[index])) index++;
  return index;
}

/** A part of a text without what `isTrimmed` names at its two ends. (A regular expression would be quadratic on hostile blanks.) */
function trimmed(text: string, from: number, to: number, isTrimmed: (character: string | undefined) => boolean): string {
  let start = from;
  let end = to;
  while (start < end && isTrimmed(text[start])) start++;
  while (end > start && isTrimmed(text[end - 1])) end--;
  return text.slice(start, end);
}
