import { SlotList } from '../base/slot-list.ts';
import type { BrokerErrorCode } from './broker-error.ts';
import type { Consumer } from './consumer.ts';
import type { TrafficCounters } from './statistics/columns.ts';

/** What the broker and its operators can do with a client's connection, whatever its protocol. */
export interface ConnectionInfo {
  readonly id: number;
  /** Where the registry keeps it; written by the registry only. */
  registrySlot: number;
  /** As RabbitMQ names it: `peer:port -> host:port`. */
  readonly name: string;
  readonly protocol: string;
  /** User name; '' before authentication. */
  readonly user: string;
  /** '' before a virtual host was entered. */
  readonly vhostName: string;
  /** Whether it has published: only such connections are blocked by an alarm. */
  readonly isPublisher: boolean;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Facts for lists; made when asked. */
  describe(): ConnectionDescription;
  /** The channels, for protocols that have such; a session without channels is one channel, number 1. */
  channelInfos(): Iterable<ChannelInfo>;
  /** Ends the connection with an explanation for the client. */
  close(code: BrokerErrorCode, text: string): void;
  /** An alarm began (a reason for the client) or ended (null). */
  alarmChanged(reason: string | null): void;
}

/** What operators see of a channel, whatever the protocol calls it. */
export interface ChannelInfo {
  readonly number: number;
  readonly counters: TrafficCounters;
  describe(): ChannelDescription;
  consumerList(): Iterable<Consumer>;
}

export interface ChannelDescription {
  readonly state: string;
  readonly isConfirming: boolean;
  readonly isTransactional: boolean;
  readonly consumerCount: number;
  readonly unackedCount: number;
  /** When the oldest delivery that waits for its acknowledgement was made, on the broker's clock; left out, or Infinity, when none waits. */
  readonly oldestDeliveredMillis?: number;
  readonly unconfirmedCount: number;
  readonly uncommittedCount: number;
  readonly uncommittedAckCount: number;
  /** Of consumers to come; 0: no limit. */
  readonly prefetchCount: number;
  /** Of all consumers of the channel together; 0: no limit. */
  readonly globalPrefetchCount: number;
}

/** Where a consumer is, for lists of consumers. */
export interface ChannelIdentity {
  readonly connectionName: string;
  readonly number: number;
  readonly user: string;
  readonly peerHost: string;
  readonly peerPort: number;
}

/** RabbitMQ's name of a channel: `peer:port -> host:port (number)`. */
export function channelName(connectionName: string, number: number): string {
  return `${connectionName} (${number})`;
}

/** A connection as operators see it; field names as in our own lists, units last. */
export interface ConnectionDescription {
  readonly name: string;
  /** The client's own name for it (client property connection_name); null without one. */
  readonly givenName: string | null;
  readonly protocol: string;
  readonly user: string;
  readonly vhost: string;
  readonly state: string;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Of the client's certificate; null without one. */
  readonly certificate: { readonly subject: string; readonly issuer: string; readonly validTo: string } | null;
  readonly mechanism: string;
  readonly channelCount: number;
  readonly channelsMax: number;
  readonly frameBytesMax: number;
  readonly heartbeatSeconds: number;
  readonly clientProperties: Readonly<Record<string, unknown>>;
  readonly connectedAtMillis: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Bytes that wait for the client to take them. */
  readonly pendingBytes: number;
}

/** All connections of the node. */
export class ConnectionRegistry {
  readonly #connections = new SlotList<ConnectionInfo>();
  readonly #perUser = new Map<string, number>();
  #lastId = 0;

  get size(): number {
    return this.#connections.size;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  add(connection: ConnectionInfo): void {
    connection.registrySlot = this.#connections.add(connection);
  }

  /** Counts a connection for its user from now on; to be undone with `removeUser`. */
  addUser(user: string): void {
    this.#perUser.set(user, this.countOfUser(user) + 1);
  }

  removeUser(user: string): void {
    const count = this.countOfUser(user) - 1;
    if (count > 0) this.#perUser.set(user, count);
    else this.#perUser.delete(user);
  }

  delete(connection: ConnectionInfo): void {
    this.#connections.remove(connection.registrySlot);
  }

  countOfUser(user: string): number {
    return this.#perUser.get(user) ?? 0;
  }

  inVhost(name: string): ConnectionInfo[] {
    return [...this.#connections].filter(connection => connection.vhostName === name);
  }

  [Symbol.iterator](): Iterator<ConnectionInfo> {
    return this.#connections[Symbol.iterator]();
  }
}
