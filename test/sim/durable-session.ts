import { type Arrival, LedgerClient } from './durable-client.ts';
import type { HeldCopy } from './delay-ledger.ts';
import type { Copy, LedgerQueue } from './durable-ledger.ts';
import type { StreamCursor } from './durable-streams.ts';
import type { SimNode } from './sim-node.ts';
import type { StreamRecord } from './stream-ledger.ts';

export const confirmChannel = 1;
export const consumeChannel = 2;
export const adminChannel = 3;
export const txChannel = 4;
export const streamChannel = 5;
export const channelCount = 5;

export interface Unacked {
  readonly deliveryTag: number;
  readonly queue: LedgerQueue;
  readonly messageId: number;
  /** Null for what basic.get brought. */
  readonly consumerTag: string | null;
}

/** Where a message went. */
export interface Sent {
  readonly copies: readonly Copy[];
  readonly records: readonly StreamRecord[];
  /** What an exchange holds of it. */
  readonly held: readonly HeldCopy[];
}

export interface Unconfirmed extends Sent {
  readonly tag: number;
  readonly event: number;
}

/** Who hears of what comes to clients. */
interface SessionOwner {
  arrived(arrival: Arrival): void;
  confirmed(channel: number, tag: number, multiple: boolean): void;
}

/** One client of the world, with what it has under way. */
export class Session {
  /** Tells it from the others. */
  readonly number: number;
  readonly client: LedgerClient;
  unconfirmed: Unconfirmed[] = [];
  lastPublishTag = 0;
  unacked: Unacked[] = [];
  readonly consumers = new Map<string, LedgerQueue>();
  readonly noAck = new Set<string>();
  readonly gets: LedgerQueue[] = [];
  txPublishes: (() => Sent)[] = [];
  txUnacked: Unacked[] = [];
  lastConsumer = 0;
  /** Consumers of streams, by tag, and what they have not acknowledged. */
  readonly cursors = new Map<string, StreamCursor>();
  streamUnacked: number[] = [];

  constructor(number: number, node: SimNode, owner: SessionOwner) {
    this.number = number;
    this.client = new LedgerClient(node, {
      arrived: arrival => owner.arrived(arrival),
      confirmed: (channel, tag, multiple) => owner.confirmed(channel, tag, multiple),
      cancelled: tag => void this.consumers.delete(tag),
      answered: token => {
        if (typeof token === 'function') (token as () => void)();
      },
    });
  }
  /** Whether it has messages of a queue with message groups. */
  get hasOfGroups(): boolean {
    return this.unacked.some(({ queue }) => queue.hasGroups);
  }
}
