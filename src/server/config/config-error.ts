/** Exit codes of sysexits.h, which service managers and shells know. */
export const EXIT_USAGE = 64;
export const EXIT_CONFIG = 78;

/** Listed problems beyond this count help nobody; a broken or hostile file must not fill the terminal either. */
const PROBLEMS_SHOWN_MAX = 25;

/**
 * The configuration cannot be used. `message` holds every problem found, a line each, in words for the operator who has to act on it;
 * `exitCode` is what the process ends with: 64 for the command line, 78 for the files and the environment.
 */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  readonly exitCode: number;

  /** `help` is shown below the problems. */
  constructor(problems: readonly string[], exitCode: number = EXIT_CONFIG, help = '') {
    const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
    if (problems.length > shown.length) shown.push(`... and ${problems.length - shown.length} more`);
    super(shown.join('\n') + (help === '' ? '' : `\n\n${help.trimEnd()}`));
    this.name = 'ConfigError';
    this.problems = problems;
    this.exitCode = exitCode;
  }
}

/** How much of a file's text a message repeats. */
const QUOTED_CHARS_MAX = 80;

/** True for what changes a terminal or the reading order of a line: controls, line separators, directional marks. */
export function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/** Text from outside as it may stand in a message: one line, no control characters, not endless. */
export function quotable(text: string): string {
  let quoted = '';
  for (let index = 0; index < text.length && index < QUOTED_CHARS_MAX; index++) {
    const code = text.charCodeAt(index);
    quoted += isControl(code) ? `\\u${code.toString(16).padStart(4, '0')}` : text.charAt(index);
  }
  return text.length > QUOTED_CHARS_MAX ? `${quoted}...` : quoted;
}
