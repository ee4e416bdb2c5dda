import type { FieldTable } from '../../base/field-table.ts';
import type { MessageRef } from '../messages/message-ref.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import { groupKey } from './group-key.ts';
import { GroupLists } from './group-lists.ts';

export const groupHeaderArgument = 'x-group-header';
export const parkAfterArgument = 'x-group-park-after';

/** The lists of a queue with message groups; null for a queue without. */
export function groupLists(args: FieldTable, context: QueueContext): GroupLists | null {
  const { store } = context;
  const header = args.get(groupHeaderArgument)?.value;
  if (typeof header !== 'string') return null;
  const keyOf = (ref: MessageRef): string | null | undefined => {
    if (!store.isResident(ref)) return undefined;
    // What is damaged belongs to no group; it is found out when it is handed out.
    if (!store.isIntact(ref)) return null;
    store.locate(ref);
    const { loose } = store;
    const headers =
      loose === null
        ? context.format(store.format).headers(store.bytes, store.propertiesStart, store.propertiesBytes)
        : context.format(store.format).headers(loose.properties, 0, loose.properties.length);
    return groupKey(headers, header);
  };
  return new GroupLists(keyOf, context.indexPager);
}
