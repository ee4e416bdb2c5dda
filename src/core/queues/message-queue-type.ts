import type { FieldTable } from '../../base/field-table.ts';
import { groupHeaderArgument, groupLists, parkAfterArgument } from '../groups/group-arguments.ts';
import type { GroupLists } from '../groups/group-lists.ts';
import { integerArgument } from './queue-arguments.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueueType } from './queue-type.ts';
import type { ReadyLists } from './ready-lists.ts';

/** What differs between message queues by type and declaration. */
export interface MessageQueueOptions {
  /** In what order messages go out; empty. */
  readonly lists: ReadyLists;
  readonly hasSingleActiveConsumer: boolean;
  /** The same lists when they have message groups; null for a queue without. */
  readonly groups: GroupLists | null;
  /** Returns of a message after which its group is parked; 0: never. */
  readonly groupParkAfter: number;
}

/** A type whose queues are message queues: one can become a queue of another such type. */
export interface MessageQueueType extends QueueType {
  options(args: FieldTable, context: QueueContext): MessageQueueOptions;
}

/** Arguments that decide in what order messages go out, besides the type. */
const orderArguments = ['x-max-priority', groupHeaderArgument, parkAfterArgument];

/** Whether two shapes hand messages out in the same order, so that lists of the one are lists of the other. */
export function hasSameOrder(a: QueueType, aArgs: FieldTable, b: QueueType, bArgs: FieldTable): boolean {
  return a === b && orderArguments.every(name => aArgs.get(name)?.value === bArgs.get(name)?.value);
}

/** What the arguments say that all message queues have; `lists` gives the order of messages that have no groups. */
export function messageQueueOptions(args: FieldTable, context: QueueContext, lists: () => ReadyLists): MessageQueueOptions {
  const groups = groupLists(args, context);
  return {
    lists: groups ?? lists(),
    groups,
    groupParkAfter: integerArgument(args, parkAfterArgument, 0),
    hasSingleActiveConsumer: args.get('x-single-active-consumer')?.value === true,
  };
}

export function isMessageQueueType(type: QueueType): type is MessageQueueType {
  return 'options' in type;
}
