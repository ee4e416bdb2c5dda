import { bool, type Field, type FieldTable, int, table } from '../../base/field-table.ts';
import { ByteWriter } from '../../wire/mqtt/byte-writer.ts';
import type { Subscription as Wanted } from '../../wire/mqtt/packets.ts';
import { bindingKeyOfFilter, sharedFilter } from './topics.ts';

/** Argument of a binding that says how its filter was subscribed to; without it: QoS as the queue's name has it, and no options. */
const optionsArgument = 'x-mqtt-subscription-opts';
/** Argument of a binding that only remembers that the session takes part in a shared subscription. */
const sharedArgument = 'x-mqtt-shared-subscription';
const nothing = Buffer.alloc(0);
const subscriptionIdProperty = 0x0b;

/** A topic filter of a session, with its options. */
export class Subscription {
  readonly filter: string;
  /** What is matched with the words of routing keys: without `$share` and group. */
  readonly levels: readonly string[];
  readonly group: string | null;
  readonly bindingKey: string;
  readonly qos: number;
  readonly isNoLocal: boolean;
  readonly isRetainAsPublished: boolean;
  /** Subscription identifier; 0 without one. */
  readonly id: number;
  /** The identifier as a property. */
  readonly idBytes: Buffer;

  constructor(wanted: Wanted, id: number, isSparkplug: boolean) {
    const shared = sharedFilter(wanted.filter);
    const inner = shared === null ? wanted.filter : shared.inner;
    this.filter = wanted.filter;
    this.group = shared === null ? null : shared.group;
    this.bindingKey = bindingKeyOfFilter(inner, isSparkplug);
    // As the exchange sees them, which takes a dot for a slash.
    this.levels = this.bindingKey.split('.').map(level => (level === '*' ? '+' : level));
    this.qos = wanted.qos;
    this.isNoLocal = wanted.isNoLocal;
    this.isRetainAsPublished = wanted.isRetainAsPublished;
    this.id = id;
    this.idBytes = id === 0 ? nothing : new ByteWriter().byte(subscriptionIdProperty).varint(id).finish();
  }

  get isWild(): boolean {
    return this.levels.includes('+') || this.levels.includes('#');
  }

  /** The arguments of the binding that stands for it, from which `restored` makes it again. */
  bindingArguments(): FieldTable {
    const { qos, isNoLocal, isRetainAsPublished, id, group } = this;
    if (group === null && qos < 2 && !isNoLocal && !isRetainAsPublished && id === 0) return new Map();
    const options: FieldTable = new Map<string, Field>([
      ['qos', int(qos)],
      ['no-local', bool(isNoLocal)],
      ['retain-as-published', bool(isRetainAsPublished)],
      ['id', int(id)],
    ]);
    const args: FieldTable = new Map([[optionsArgument, table(options)]]);
    if (group !== null) args.set(sharedArgument, { type: 'S', value: this.filter });
    return args;
  }

  /** The subscription that a binding of a session's queue stands for. `queueQos` is that of the queue. */
  static restored(filter: string, args: FieldTable, queueQos: number, isSparkplug: boolean): Subscription {
    const options = args.get(optionsArgument)?.value;
    const given: FieldTable = options instanceof Map ? options : new Map();
    const shared = args.get(sharedArgument)?.value;
    const number = (name: string, otherwise: number): number => {
      const value = given.get(name)?.value;
      return typeof value === 'number' ? value : otherwise;
    };
    const wanted = {
      filter: typeof shared === 'string' ? shared : filter,
      qos: number('qos', queueQos),
      isNoLocal: given.get('no-local')?.value === true,
      isRetainAsPublished: given.get('retain-as-published')?.value === true,
      retainHandling: 0,
    };
    return new Subscription(wanted, number('id', 0), isSparkplug);
  }
}
