// Makes two runs comparable: what differs from run to run or from broker to broker by its nature gets a fixed name.
import { type FieldTable, type FieldValue, printTable } from './field-value.ts';

const generated: readonly { readonly pattern: RegExp; readonly prefix: string }[] = [
  { pattern: /amq\.gen-[A-Za-z0-9_-]{22}/g, prefix: 'amq.gen-' },
  { pattern: /amq\.ctag-[A-Za-z0-9_-]{22}/g, prefix: 'amq.ctag-' },
  { pattern: /amq\.rabbitmq\.reply-to\.[A-Za-z0-9_.+/=@-]{8,}/g, prefix: 'amq.rabbitmq.reply-to.' },
];

/** Names that the broker generated during one case, numbered in order of appearance: `amq.gen-1`, `amq.ctag-1`, ... */
export class GeneratedNames {
  readonly #placeholders = new Map<string, string>();
  readonly #actual = new Map<string, string>();

  /** Replaces generated names by their placeholders, and times by `*`. */
  normalise(text: string): string {
    let out = text;
    for (const { pattern, prefix } of generated) out = out.replace(pattern, name => this.#placeholder(name, prefix));
    // Whether such a name needs quotes depends on its letters.
    out = out.replace(/"(amq\.rabbitmq\.reply-to\.\d+)"/g, '$1');
    // Newer releases name the permission that is missing.
    out = out.replace(/\b(?:configure|write|read) access to (?=queue|exchange|topic)/g, 'access to ');
    // The recorded release has the header on what was got for the first time too.
    out = out.replace(/, x-delivery-count: l:0\b/g, '').replace(/\{headers: \{x-delivery-count: l:0\}\}/g, '{}');
    // Erlang breaks long terms in lines of eighty columns.
    return normaliseServer(out.replace(/\btime: T:\d+/g, 'time: T:*').replace(/\\n {2,}/g, ''));
  }

  /** Replaces placeholders by the names they stand for, in a line of a script. */
  restore(text: string): string {
    return text.replace(/amq\.(?:gen-|ctag-|rabbitmq\.reply-to\.)\d+\b/g, placeholder => this.#actual.get(placeholder) ?? placeholder);
  }

  /** The generated queue names seen so far. */
  queues(): string[] {
    return [...this.#placeholders.keys()].filter(name => name.startsWith('amq.gen-'));
  }

  #placeholder(name: string, prefix: string): string {
    let placeholder = this.#placeholders.get(name);
    if (placeholder === undefined) {
      const number = [...this.#placeholders.values()].filter(other => other.startsWith(prefix)).length + 1;
      placeholder = `${prefix}${number}`;
      this.#placeholders.set(name, placeholder);
      this.#actual.set(placeholder, name);
    }
    return placeholder;
  }
}

/** server-properties that name the product's release, host or owner; RabbitMQ lists its mechanisms in no fixed order. */
function normaliseServer(text: string): string {
  const sorted = text.replace(/(?<=\bmechanisms=")[^"]*(?=")/, names => names.split(' ').sort().join(' '));
  return sorted.replace(/\b(cluster_name|copyright|information|platform|version): ("(?:[^"\\]|\\.)*"|[^\s,}]+)/g, '$1: *');
}

/**
 * Headers of a dead letter in an order of their own: RabbitMQ sorts the keys in some cases, and the order of the x-death entries behind the
 * first (the newest) is not stable. The x-last-death headers, newer than the recorded release, are left out. Headers without x-death stay as
 * they are.
 */
export function normaliseDeaths(table: FieldTable): FieldTable {
  if (!table.some(([key]) => key.toString() === 'x-death')) return table;
  return sortKeys(
    table
      .filter(([key]) => !key.toString().startsWith('x-last-death-'))
      .map(([key, value]) => {
        if (key.toString() !== 'x-death' || value.type !== 'A') return [key, value] as const;
        const entries = value.value.map(entry => (entry.type === 'F' ? ({ type: 'F', value: sortKeys(entry.value) } as const) : entry));
        const [newest, ...older] = entries;
        if (newest === undefined) return [key, value] as const;
        older.sort((a, b) => (deathKey(a) < deathKey(b) ? -1 : 1));
        return [key, { type: 'A', value: [newest, ...older] }] as const;
      }),
  );
}

function sortKeys(table: FieldTable): FieldTable {
  return [...table].sort(([a], [b]) => Buffer.compare(a, b));
}

function deathKey(entry: FieldValue): string {
  return entry.type === 'F' ? printTable(entry.value.filter(([key]) => ['queue', 'reason'].includes(key.toString()))) : '';
}
