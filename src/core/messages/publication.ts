// hot path: see docs/STYLE.md
import type { ConfirmWaiter } from '../confirm-ledger.ts';
import type { Throttleable } from '../flow-control.ts';
import type { LargeBody } from './large-body.ts';

const nothing = Buffer.alloc(0);

/** Somebody publishes it. */
export const fromPublisher: number = 0;
/** It died in a queue. */
export const fromDeadLetter: number = 1;
/** An exchange has held it for a while, and publishes it now. */
export const fromDelay: number = 2;

/**
 * The message on its way from a publisher to its queues. One object is filled again for every publish, so it must not be kept:
 * what stays is copied by MessageStore.append. All byte ranges are (buffer, start, count).
 */
export class Publication {
  /** Exchange name and routing key as they are in AMQP's methods and on our disk, and what envelope.ts puts behind them. */
  envelope: Buffer = nothing;
  envelopeStart = 0;
  envelopeBytes = 0;
  /** The properties as the publisher's protocol wrote them. */
  properties: Buffer = nothing;
  propertiesStart = 0;
  propertiesBytes = 0;
  body: Buffer = nothing;
  bodyStart = 0;
  bodyBytes = 0;
  /** A large body, in place of `body`: whoever publishes holds it meanwhile, whoever keeps it holds it as well. */
  large: LargeBody | null = null;
  /** Tag of the MessageFormat that can read `properties`. */
  format = 0;
  isPersistent = false;
  priority = 0;
  /** Per-message time to live in milliseconds; -1 means none. */
  ttlMillis = -1;
  /** Who waits for the confirm; null when nobody does. */
  waiter: ConfirmWaiter | null = null;
  /** Whose reading stops when a queue gets too long too fast; null for messages of the broker's own. */
  publisher: Throttleable | null = null;
  /** Set by a queue that does not take the message (overflow reject-publish): the waiter gets a nack. */
  isRefused = false;
  /** Set by the publisher: its bytes went to the log, and the disk may have to be waited for. */
  isLogged = false;
  /** Queues that a dead-lettered message has been through without being rejected: it must not go round. Null for others. */
  cycleGuard: ReadonlySet<string> | null = null;
  /** Where it comes from: fromPublisher, fromDeadLetter or fromDelay. */
  origin = fromPublisher;
}
