import { priorityOf } from '../../core/queues/entry.ts';

/** Names a message in its queue for as long as it is there: `priority-sequence`. */
export function messageId(entry: { readonly meta: number; readonly sequence: number }): string {
  return `${priorityOf(entry.meta)}-${entry.sequence}`;
}

export interface MessagePlace {
  readonly priority: number;
  readonly sequence: number;
}

/** The place that a name stands for; null when it is no name. */
export function parseMessageId(id: string): MessagePlace | null {
  const match = /^(\d{1,3})-(\d{1,16})$/.exec(id);
  if (match === null) return null;
  const place = { priority: Number(match[1]), sequence: Number(match[2]) };
  return place.priority <= 255 && Number.isSafeInteger(place.sequence) ? place : null;
}
