import type { FieldTable } from '../../base/field-table.ts';
import { longstr } from '../../base/field-table.ts';
import type { BindingDefinition, ExchangeDefinition, QueueDefinition } from './definitions.ts';
import type { Steps } from '../stepped-work.ts';
import type { Entry, ReadingContext } from './entry.ts';
import { readSection } from './entry.ts';

export function* readQueues(context: ReadingContext, section: unknown): Steps<QueueDefinition[]> {
  const queues = yield* readSection(context, 'queues', section, ['vhost', 'name', 'type', 'durable', 'auto_delete', 'arguments'], entry => {
    const name = entry.name('name');
    const vhost = entry.vhost();
    const table = entry.arguments();
    const type = readQueueType(entry, table);
    const queue = {
      vhost,
      name,
      type,
      isDurable: entry.boolean('durable', true),
      isAutoDelete: entry.boolean('auto_delete', false),
      arguments: table,
    };
    if (name.startsWith('amq.')) {
      entry.warning(`skipping a queue whose name begins with 'amq.': ${name}`);
      return null;
    }
    return queue;
  });
  return yield* firstOfEach(context, 'queues', queues);
}

/** The type that the entry names. One that is not classic is made an argument too, as it is on every queue of that type. */
function readQueueType(entry: Entry, table: FieldTable): string | null {
  const type = entry.text('type', '') || null;
  const argument = table.get('x-queue-type');
  if (argument === undefined) {
    if (type !== null && type !== 'classic') table.set('x-queue-type', longstr(type));
    return type;
  }
  if (type !== null && argument.value !== type) entry.warning(`type '${type}' differs from the argument x-queue-type, which counts`);
  return typeof argument.value === 'string' ? argument.value : null;
}

export function* readExchanges(context: ReadingContext, section: unknown): Steps<ExchangeDefinition[]> {
  const exchanges = yield* readSection(
    context,
    'exchanges',
    section,
    ['vhost', 'name', 'type', 'durable', 'auto_delete', 'internal', 'arguments'],
    entry => {
      const name = entry.shortText('name');
      const exchange = {
        vhost: entry.vhost(),
        name,
        type: entry.name('type'),
        isDurable: entry.boolean('durable', true),
        isAutoDelete: entry.boolean('auto_delete', false),
        isInternal: entry.boolean('internal', false),
        arguments: entry.arguments(),
      };
      if (name === '') {
        if (entry.has('name')) entry.warning('not importing the default exchange');
        return null;
      }
      if (name.startsWith('amq.')) {
        entry.warning(`skipping an exchange whose name begins with 'amq.': ${name}`);
        return null;
      }
      return exchange;
    },
  );
  return yield* firstOfEach(context, 'exchanges', exchanges);
}

const bindingKeys = ['source', 'vhost', 'destination', 'destination_type', 'routing_key', 'arguments', 'properties_key'];

export function* readBindings(context: ReadingContext, section: unknown): Steps<BindingDefinition[]> {
  return yield* readSection(context, 'bindings', section, bindingKeys, entry => {
    const source = entry.shortText('source');
    const binding: BindingDefinition = {
      vhost: entry.vhost(),
      source,
      destinationKind: readDestinationKind(entry),
      destination: entry.name('destination'),
      key: entry.shortText('routing_key', ''),
      arguments: entry.arguments(),
    };
    if (source === '') {
      if (entry.has('source')) entry.warning('skipping a binding of the default exchange');
      return null;
    }
    return binding;
  });
}

function readDestinationKind(entry: Entry): 'queue' | 'exchange' {
  const kind = entry.text('destination_type', 'queue');
  if (kind === 'queue' || kind === 'exchange') return kind;
  entry.problem(`"destination_type" should be 'queue' or 'exchange'`);
  return 'queue';
}

/** What exists is not changed by a second definition, so only the first of equal names counts. */
function* firstOfEach<Definition extends { readonly vhost: string; readonly name: string }>(
  context: ReadingContext,
  section: string,
  definitions: readonly Definition[],
): Steps<Definition[]> {
  const seen = new Set<string>();
  const first: Definition[] = [];
  for (const definition of definitions) {
    const key = `${definition.vhost}\0${definition.name}`;
    if (seen.size < seen.add(key).size) first.push(definition);
    else
      context.warnings.add(`${section}: '${definition.name}' in vhost '${definition.vhost}' is defined more than once; the first counts`);
    yield 1;
  }
  return first;
}
