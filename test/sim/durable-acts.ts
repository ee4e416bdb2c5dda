import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../support/amqp-requests.ts';
import type { Random } from '../support/random.ts';
import type { DurableKept } from './durable-kept.ts';
import type { Ledger } from './durable-ledger.ts';
import type { DurableMessages } from './durable-messages.ts';
import { names, streamNames } from './durable-names.ts';
import { consumeChannel, type Session } from './durable-session.ts';
import type { DurableStreams } from './durable-streams.ts';
import type { DurableTopology } from './durable-topology.ts';
import type { SimNode } from './sim-node.ts';

const allNames = [...names, ...streamNames];

/** What clients act on. */
export interface ActedOn {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly topology: DurableTopology;
  readonly messages: DurableMessages;
  readonly streams: DurableStreams;
  readonly kept: DurableKept;
  /** The broker's disk does nothing any more: it is as good as dead. */
  isFrozen(): boolean;
  /** All that the broker has decided so far reaches the clients. */
  catchUp(node: SimNode): void;
  /** The client's connection breaks, and another client comes. */
  drop(session: Session): void;
}

/** What clients of the world do, by chance. */
export class DurableActs {
  readonly #world: ActedOn;

  constructor(world: ActedOn) {
    this.#world = world;
  }

  act(session: Session, node: SimNode): void {
    const { random, ledger, topology, messages, streams, kept } = this.#world;
    const what = random.weighted({
      publish: 40,
      publishKept: 20,
      park: 2,
      burst: 6,
      ack: 20,
      nack: 5,
      reject: 4,
      consume: 6,
      get: 4,
      cancel: 2,
      tx: 6,
      declare: 4,
      reshape: 2,
      delete: 1,
      purge: 1,
      bind: 3,
      drop: 1,
      settle: 4,
      readStream: 5,
      ackStream: 8,
      leaveStream: 1,
    });
    // What was handed out before a group's messages come back, or it is parked, is not handed out because of it.
    const changesGroups = what === 'park' || what === 'drop' || ((what === 'nack' || what === 'reject') && session.hasOfGroups);
    if (changesGroups) this.#world.catchUp(node);
    switch (what) {
      case 'publish':
        messages.publish(session, node);
        return;
      case 'burst':
        for (let count = random.between(5, 40); count > 0 && !this.#world.isFrozen(); count--) messages.publish(session, node);
        return;
      case 'publishKept':
        for (let count = random.between(1, 6); count > 0 && !this.#world.isFrozen(); count--) kept.publish(session, node);
        return;
      case 'park':
        kept.park(node);
        return;
      case 'ack':
        messages.settleOne(session, 'ack');
        return;
      case 'nack':
        messages.settleOne(session, 'nack');
        return;
      case 'reject':
        messages.settleOne(session, 'reject');
        return;
      case 'consume':
        messages.consume(session, node);
        return;
      case 'get':
        messages.get(session, node);
        return;
      case 'cancel': {
        const [tag] = session.consumers.keys();
        if (tag !== undefined) {
          ledger.nextEvent();
          session.client.call(requests.basicCancel(consumeChannel, tag), methods.BasicCancelOk, null);
        }
        return;
      }
      case 'tx':
        messages.transact(session, node);
        return;
      case 'declare':
        topology.declare(session, node, random.pick(allNames));
        return;
      case 'reshape':
        topology.reshape(session, node);
        return;
      case 'delete':
        topology.delete(session, node, random.pick(allNames));
        return;
      case 'purge':
        topology.purge(session, node, random.pick(names));
        return;
      case 'bind':
        topology.bind(session, node);
        return;
      case 'drop':
        this.#world.drop(session);
        return;
      case 'settle':
        node.settle();
        return;
      case 'readStream':
        streams.consume(session, node);
        return;
      case 'ackStream':
        streams.acknowledge(session);
        return;
      case 'leaveStream':
        streams.cancel(session);
    }
  }
}
