import { type FieldTable, keptTable } from '../../base/field-table.ts';
import type { Target } from './exchange-type.ts';
import type { Exchange } from './exchange.ts';

/** A rule of an exchange: messages whose key (or headers) fit go to the destination. */
export class Binding {
  readonly source: Exchange;
  readonly destination: Target;
  readonly key: string;
  readonly arguments: FieldTable;
  /** Distinguishes bindings of one source. */
  readonly id: string;

  constructor(source: Exchange, destination: Target, key: string, args: FieldTable) {
    this.source = source;
    this.destination = destination;
    this.key = key;
    this.arguments = keptTable(args);
    this.id = bindingId(destination, key, args);
  }

  /** Whether one of its ends is deleted: it is on its way out, and leads nowhere. */
  get isGone(): boolean {
    return this.source.isDeleted || this.destination.isDeleted;
  }

  /** A binding lives as long as both its ends do after a restart. */
  get isDurable(): boolean {
    return this.source.isDurable && this.destination.isDurable;
  }

  /** Whether the log has it: nothing of an exclusive queue outlives the broker. */
  get isRecorded(): boolean {
    return this.isDurable && !this.isGone && !(this.destination.kind === 'queue' && this.destination.isExclusive);
  }
}

/** Those that lead somewhere. */
export function* presentBindings(bindings: Iterable<Binding> | null | undefined): Iterable<Binding> {
  for (const binding of bindings ?? []) if (!binding.isGone) yield binding;
}

/** Two bindings of one source are the same when destination, key and arguments are. [AMQP 0-9-1 queue.bind, duplicates] */
export function bindingId(destination: Target, key: string, args: FieldTable): string {
  // With the lengths, because names and keys may hold any character.
  const ends = `${destination.kind} ${destination.name.length} ${key.length} ${destination.name}${key}`;
  return args.size === 0 ? ends : ends + canonical(args);
}

function canonical(args: FieldTable): string {
  return [...args]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${field.type}${canonicalValue(field.value)}`)
    .join();
}

function canonicalValue(value: unknown): string {
  if (value instanceof Map) return `{${canonical(value as FieldTable)}}`;
  if (Array.isArray(value)) return `[${value.map(item => `${item.type}${canonicalValue(item.value)}`).join()}]`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value) ?? 'null';
}
