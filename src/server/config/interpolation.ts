import { describeOrigin, type Setting } from './conf-file.ts';
import { quotable } from './config-error.ts';
import { keyName, keySegments } from './key.ts';

/** Values nested deeper than this, or growing beyond this, are a mistake or an attack ("billion laughs"). */
const DEPTH_MAX = 8;
const VALUE_CHARS_MAX = 1024 * 1024;

/** A value with every `$(NAME)` replaced, or what is wrong with it. */
export type Interpolated = { readonly value: string } | { readonly problem: string };

/**
 * Replaces `$(NAME)` in values: NAME is an environment variable, or else another key of the configuration.
 * What an environment variable holds is taken as it is, `$(` and `#` in it mean nothing. [RabbitMQ docs: configure, "environment variable
 * interpolation"]
 */
export class Interpolation {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #values = new Map<string, string>();

  constructor(environment: Readonly<Record<string, string | undefined>>, settings: Iterable<Setting>) {
    this.#environment = environment;
    for (const setting of settings) this.#values.set(keyName(setting.segments), setting.value);
  }

  interpolate(setting: Setting): Interpolated {
    if (!setting.value.includes('$(')) return { value: setting.value };
    const result = this.#expand(setting.value, 0);
    return 'problem' in result ? { problem: `${describeOrigin(setting.origin)}: ${setting.name}: ${result.problem}` } : result;
  }

  #expand(value: string, depth: number): Interpolated {
    let expanded = '';
    let position = 0;
    for (;;) {
      const start = value.indexOf('$(', position);
      if (start < 0) break;
      const end = value.indexOf(')', start);
      if (end < 0) return { problem: `"${quotable(value.slice(start))}" is not closed; $(NAME) stands for the environment variable NAME` };
      const found = this.#lookUp(value.slice(start + 2, end).trim(), depth);
      if ('problem' in found) return found;
      expanded += value.slice(position, start) + found.value;
      if (expanded.length > VALUE_CHARS_MAX) return { problem: `the value is longer than ${VALUE_CHARS_MAX} characters` };
      position = end + 1;
    }
    return { value: expanded + value.slice(position) };
  }

  #lookUp(name: string, depth: number): Interpolated {
    const variable = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    if (variable !== undefined) return { value: variable };
    const segments = keySegments(name);
    const other = segments === null ? undefined : this.#values.get(keyName(segments));
    if (other === undefined) return { problem: `the environment variable ${quotable(name)} is not set` };
    if (depth >= DEPTH_MAX) return { problem: `$(${quotable(name)}) goes in a circle, or is nested more than ${DEPTH_MAX} deep` };
    return this.#expand(other, depth + 1);
  }
}
