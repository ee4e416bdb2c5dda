import type { BrokerCore } from '../core/broker.ts';
import type { AuthBackend } from '../core/ports/auth-backend.ts';
import type { Link } from '../net/link.ts';
import type { BrokerOptions } from './broker.ts';

/** A protocol besides AMQP 0-9-1, as the server sees it. */
export interface ProtocolFrontEnd {
  /** Takes over a new connection; it may destroy it. */
  accept(link: Link): unknown;
}

/** What a protocol gets of the broker. */
export interface ProtocolServices {
  readonly core: BrokerCore;
  readonly auth: AuthBackend;
  /** The options the broker was started with; a protocol looks at its own. */
  readonly options: BrokerOptions;
}

/** Loads a protocol: called when a listener for it is started, so that nobody pays for one that is not used. */
export type ProtocolLoader = (services: ProtocolServices) => Promise<ProtocolFrontEnd>;
