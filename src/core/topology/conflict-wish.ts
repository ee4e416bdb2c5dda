import type { FieldTable } from '../../base/field-table.ts';

/** What a declaration wishes for where the queue exists in another shape: error, keep or migrate. It is no argument of the queue. */
export const onConflictName = 'x-on-conflict';

/** What is left for the queue to have. */
export function withoutWish(args: FieldTable): FieldTable {
  return new Map([...args].filter(([name]) => name !== onConflictName));
}
