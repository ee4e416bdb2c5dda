// hot path: see docs/STYLE.md

/** Flags of an entry, in the low bits of its `meta`; the delivery count stands above them. */
export const metaRedelivered = 1;
export const metaPersistent = 2;
export const metaHasTtl = 4;
/** The message was written to the log and its settlement must be, too. */
export const metaLogged = 8;
/** Why the message died stands in bits 4 to 6, for one that is kept until others have taken it; 0: it has not. */
export const metaDeathShift = 4;
/** The message's priority stands in bits 8 to 15, also where its queue has fewer. */
export const metaPriorityShift = 8;
const deliveryCountShift = 16;
/** One more delivery in `meta`. */
export const metaOneDelivery = 1 << deliveryCountShift;

/** The message's own priority; a queue with fewer takes its highest instead. */
export function priorityOf(meta: number): number {
  return (meta >> metaPriorityShift) & 0xff;
}

/** The meta of a message that comes back once more. More than 65,535 times are not counted. */
export function countedDelivery(meta: number): number {
  const redelivered = meta | metaRedelivered;
  return meta >>> deliveryCountShift === 0xffff ? redelivered : redelivered + metaOneDelivery;
}

/** How often the message was delivered and came back. */
export function deliveryCount(meta: number): number {
  return meta >>> deliveryCountShift;
}

/** The part of `meta` that holds over a crash: how often the message came back, and why it died. */
export function lastingPart(meta: number): number {
  return meta & (0xffff_0000 | (7 << metaDeathShift));
}

/**
 * One message in one queue, taken out of the columns it is kept in. Queues hand out a single object that is filled again each time.
 */
export class Entry {
  /** Names the bytes in the message store. */
  ref = 0;
  meta = 0;
  /** Body bytes; kept beside the reference so that counting needs no look at the message. */
  bytes = 0;
  /** Place in the queue: a returned message goes back to it. */
  sequence = 0;
  /** Monotonic milliseconds at which it expires; 0 means never. */
  expiryMillis = 0;
}
