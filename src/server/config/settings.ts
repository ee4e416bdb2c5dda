import { describeOrigin, type Setting } from './conf-file.ts';
import { quotable } from './config-error.ts';
import { Findings } from './findings.ts';
import type { Interpolation } from './interpolation.ts';
import { type AnyKey, type FamilyKey, type Key, keyName, type OptionalKey, type SchemaKey } from './key.ts';
import type { KeyIndex, KeyMatch } from './key-index.ts';
import { similarKey } from './similar-key.ts';
import { Mismatch } from './value-type.ts';

/** One member of a family: what its variables are, and its value. */
export interface Member<T> {
  readonly names: readonly string[];
  /** The first variable, which most families have only one of. */
  readonly name: string;
  readonly value: T;
  /** File and line, for messages. */
  readonly where: string;
}

interface Accepted {
  readonly setting: Setting;
  readonly match: KeyMatch;
  readonly value: unknown;
}

/** Suggestions cost a walk over the whole schema each. */
const SUGGESTIONS_MAX = 20;

/** The settings that were accepted, by key, and what was wrong with the others. */
export class Settings {
  readonly problems = new Findings();
  readonly warnings = new Findings();
  readonly #index: KeyIndex;
  readonly #keys: readonly SchemaKey[];
  readonly #interpolation: Interpolation;
  readonly #accepted = new Map<AnyKey, Map<string, Accepted>>();
  #suggestionCount = 0;

  constructor(index: KeyIndex, keys: readonly SchemaKey[], interpolation: Interpolation) {
    this.#index = index;
    this.#keys = keys;
    this.#interpolation = interpolation;
  }

  /** Takes settings of files; a later one replaces an earlier one of the same key. */
  addFromFiles(settings: Iterable<Setting>): void {
    for (const setting of settings) {
      const interpolated = this.#interpolation.interpolate(setting);
      if ('problem' in interpolated) this.problems.add(interpolated.problem);
      else this.#add(setting, interpolated.value);
    }
  }

  /** Takes settings of the environment or the command line, which replace those of files. */
  addOverrides(settings: Iterable<Setting>): void {
    for (const setting of settings) this.#add(setting, setting.value);
  }

  #add(setting: Setting, text: string): void {
    const where = describeOrigin(setting.origin);
    const match = this.#index.find(setting.segments);
    if (match === null) {
      this.problems.add(`${where}: Conf file attempted to set unknown variable: ${quotable(setting.name)}${this.#suggestion(setting)}`);
      return;
    }
    const { key } = match;
    if (key.kind !== 'ignored' && text.startsWith('encrypted:')) {
      this.problems.add(
        `${where}: ${quotable(setting.name)}: encrypted values are not supported by WarrenMQ; use an environment variable, ${quotable(setting.name)} = $(NAME), or a file that only the broker's user can read`,
      );
      return;
    }
    const value = key.type.parse(text);
    if (value instanceof Mismatch) {
      // The value as it stands in the file: what a variable holds may be a secret.
      const shown = key.type.isSecret ? '***' : quotable(setting.value);
      this.problems.add(`${where}: ${quotable(setting.name)} = ${shown}: expected ${value.expected}`);
      return;
    }
    if (key.effect !== 'full') this.warnings.add(`${where}: ${quotable(setting.name)} has no effect: ${key.effect.none}`);
    this.#accept({ setting, match, value });
  }

  #accept(accepted: Accepted): void {
    const { setting, match } = accepted;
    let members = this.#accepted.get(match.key);
    if (members === undefined) {
      members = new Map();
      this.#accepted.set(match.key, members);
    }
    const name = keyName(match.variables);
    const before = members.get(name);
    if (before !== undefined) {
      // A name of RabbitMQ's newer or older releases does not override the main one. [cuttlefish, aliases]
      if (match.isAlias && !before.match.isAlias && before.setting.origin.source === setting.origin.source) return;
      if (before.setting.origin.source === setting.origin.source && before.setting.origin.line !== 0) {
        this.warnings.add(
          `${describeOrigin(setting.origin)}: ${quotable(setting.name)} was set in line ${before.setting.origin.line} already; this value counts`,
        );
      }
      // A member that is set again takes its new place in the order.
      members.delete(name);
    }
    members.set(name, accepted);
  }

  #suggestion(setting: Setting): string {
    if (++this.#suggestionCount > SUGGESTIONS_MAX) return '';
    const similar = similarKey(setting.segments, this.#keys);
    return similar === null ? '' : `. Did you mean ${similar}?`;
  }

  /** The value of a key, or its default. */
  value<T>(key: Key<T>): T {
    const accepted = this.#accepted.get(key)?.get('');
    if (accepted !== undefined) return accepted.value as T;
    const value = key.type.parse(key.defaultText);
    if (value instanceof Mismatch) throw new Error(`the default of ${key.pattern} is not ${value.expected}`);
    return value;
  }

  /** The value of a key if it is set, else null. */
  optional<T>(key: Key<T> | OptionalKey<T>): T | null {
    const accepted = this.#accepted.get(key)?.get('');
    return accepted === undefined ? null : (accepted.value as T);
  }

  isSet(key: AnyKey): boolean {
    return this.#accepted.has(key);
  }

  /** Where the key was set, for messages; its name if it was not. */
  where(key: AnyKey): string {
    const [first] = this.#accepted.get(key)?.values() ?? [];
    return first === undefined ? key.pattern : describeOrigin(first.setting.origin);
  }

  /** True if any of these keys is set. */
  isAnySet(keys: Iterable<AnyKey>): boolean {
    for (const key of keys) if (this.isSet(key)) return true;
    return false;
  }

  /** The value of the member of a family with that first variable; null if there is none. */
  member<T>(key: FamilyKey<T>, name: string): T | null {
    return this.members(key).find(member => member.name === name)?.value ?? null;
  }

  /** The members of a family: those with a number in number order, then the others in the order they were set. */
  members<T>(key: FamilyKey<T>): readonly Member<T>[] {
    const members: Member<T>[] = [];
    for (const { setting, match, value } of this.#accepted.get(key)?.values() ?? []) {
      members.push({ names: match.variables, name: match.variables[0] ?? '', value: value as T, where: describeOrigin(setting.origin) });
    }
    return members.sort((a, b) => position(a.name) - position(b.name));
  }
}

function position(name: string): number {
  return /^[0-9]{1,9}$/.test(name) ? Number(name) : 1e9;
}
