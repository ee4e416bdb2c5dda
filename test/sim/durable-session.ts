import { type Arrival, LedgerClient } from './durable-client.ts';
import type { Copy, LedgerQueue } from './durable-ledger.ts';
import type { SimNode } from './sim-node.ts';

export const confirmChannel = 1;
export const consumeChannel = 2;
export const adminChannel = 3;
export const txChannel = 4;

export interface Unacked {
  readonly deliveryTag: number;
  readonly queue: LedgerQueue;
  readonly messageId: number;
}

export interface Unconfirmed {
  readonly tag: number;
  readonly event: number;
  readonly copies: readonly Copy[];
}

/** Who hears of what comes to clients. */
interface SessionOwner {
  arrived(session: Session, arrival: Arrival): void;
  confirmed(session: Session, channel: number, tag: number, multiple: boolean): void;
}

/** One client of the world, with what it has under way. */
export class Session {
  readonly client: LedgerClient;
  unconfirmed: Unconfirmed[] = [];
  lastPublishTag = 0;
  unacked: Unacked[] = [];
  readonly consumers = new Map<string, LedgerQueue>();
  readonly noAck = new Set<string>();
  readonly gets: LedgerQueue[] = [];
  txPublishes: (() => Copy[])[] = [];
  txUnacked: Unacked[] = [];
  lastConsumer = 0;

  constructor(node: SimNode, owner: SessionOwner) {
    this.client = new LedgerClient(node, {
      arrived: arrival => owner.arrived(this, arrival),
      confirmed: (channel, tag, multiple) => owner.confirmed(this, channel, tag, multiple),
      cancelled: tag => void this.consumers.delete(tag),
      answered: token => {
        if (typeof token === 'function') (token as () => void)();
      },
    });
  }
}
