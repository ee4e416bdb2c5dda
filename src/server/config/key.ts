import { anything, type ValueType } from './value-type.ts';

/** Whether setting the key changes anything here: 'full', or the reason why a key that RabbitMQ knows has no effect. */
export type Effect = 'full' | { readonly none: string };

/** One entry of the schema: a key, or a family of keys. */
export interface AnyKey {
  /** As it is written in rabbitmq.conf. `$name` stands for one segment of the user's choice, a last segment `**` for one or more of any. */
  readonly pattern: string;
  /** Other names of the same key. The pattern wins where both are set. */
  readonly aliases: readonly string[];
  readonly type: ValueType<unknown>;
  /** The default as one would write it; null if the key has none. */
  readonly defaultText: string | null;
  /** One sentence for the reference. */
  readonly description: string;
  readonly effect: Effect;
}

/** A key that always has a value: its default, if nothing else. */
export interface Key<T> extends AnyKey {
  readonly kind: 'key';
  readonly type: ValueType<T>;
  readonly defaultText: string;
}

/** A key that may stay without a value. */
export interface OptionalKey<T> extends AnyKey {
  readonly kind: 'optional';
  readonly type: ValueType<T>;
}

/** Any number of keys with a variable in their pattern, such as `listeners.tcp.$name`. */
export interface FamilyKey<T> extends AnyKey {
  readonly kind: 'family';
  readonly type: ValueType<T>;
}

/** A key of RabbitMQ's without effect; whatever value it has is taken, with a warning. */
export interface IgnoredKey extends AnyKey {
  readonly kind: 'ignored';
  readonly effect: { readonly none: string };
}

export type SchemaKey = Key<unknown> | OptionalKey<unknown> | FamilyKey<unknown> | IgnoredKey;

interface Extras {
  readonly effect?: Effect | undefined;
  readonly aliases?: readonly string[];
  /** For the reference only: what holds while the key is not set. */
  readonly defaultText?: string;
}

export function key<T>(pattern: string, type: ValueType<T>, defaultText: string, description: string, extras: Extras = {}): Key<T> {
  return { kind: 'key', pattern, aliases: extras.aliases ?? [], type, defaultText, description, effect: extras.effect ?? 'full' };
}

export function optionalKey<T>(pattern: string, type: ValueType<T>, description: string, extras: Extras = {}): OptionalKey<T> {
  return {
    kind: 'optional',
    pattern,
    aliases: extras.aliases ?? [],
    type,
    defaultText: extras.defaultText ?? null,
    description,
    effect: extras.effect ?? 'full',
  };
}

export function familyKey<T>(pattern: string, type: ValueType<T>, description: string, extras: Extras = {}): FamilyKey<T> {
  return {
    kind: 'family',
    pattern,
    aliases: [],
    type,
    defaultText: extras.defaultText ?? null,
    description,
    effect: extras.effect ?? 'full',
  };
}

export function ignoredKey(pattern: string, reason: string, description = ''): IgnoredKey {
  return { kind: 'ignored', pattern, aliases: [], type: anything, defaultText: null, description, effect: { none: reason } };
}

/** A part of the schema with a heading of its own in the reference. */
export interface Area {
  readonly title: string;
  readonly introduction: string;
  readonly keys: readonly SchemaKey[];
}

/**
 * Segments of a key: dots separate them, `\.` is a dot inside one.
 * Null if a segment is empty or has a character that rabbitmq.conf's keys cannot have.
 */
export function keySegments(name: string): readonly string[] | null {
  const segments: string[] = [];
  for (const segment of name.split(/(?<!\\)\./)) {
    if (!/^(?:\\\.|[A-Za-z0-9_-])+$/.test(segment)) return null;
    segments.push(segment.replaceAll('\\.', '.'));
  }
  return segments;
}

/** The opposite of keySegments. */
export function keyName(segments: readonly string[]): string {
  return segments.map(segment => segment.replaceAll('.', '\\.')).join('.');
}
