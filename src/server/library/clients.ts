import type { BrokerCore } from '../../core/broker.ts';
import type { ConnectionInfo } from '../../core/connection-registry.ts';
import type { FrontEnd } from '../../protocols/amqp091/front-end.ts';
import { Intake } from '../../net/intake.ts';
import { Link } from '../../net/link.ts';

/** A client's connection of any protocol, with what is below the protocol. */
export interface Client extends ConnectionInfo {
  readonly link: Link;
  readonly intake: Intake;
}

/** All clients, those of AMQP that have not logged in yet among them. */
export function clients(core: BrokerCore, frontEnd: FrontEnd): Client[] {
  return [...new Set<ConnectionInfo>([...frontEnd.connections(), ...core.connections])].filter(isClient);
}

function isClient(connection: ConnectionInfo): connection is Client {
  const { link, intake } = connection as Partial<Client>;
  return link instanceof Link && intake instanceof Intake;
}
