import type { BrokerErrorCode } from './broker-error.ts';

/** What the broker and its operators can do with a client's connection, whatever its protocol. */
export interface ConnectionInfo {
  readonly id: number;
  /** As RabbitMQ names it: `peer:port -> host:port`. */
  readonly name: string;
  readonly protocol: string;
  /** User name; '' before authentication. */
  readonly user: string;
  /** '' before a virtual host was entered. */
  readonly vhostName: string;
  /** Whether it has published: only such connections are blocked by an alarm. */
  readonly isPublisher: boolean;
  /** Facts for lists; made when asked. */
  describe(): ConnectionDescription;
  /** Ends the connection with an explanation for the client. */
  close(code: BrokerErrorCode, text: string): void;
  /** An alarm began (a reason for the client) or ended (null). */
  alarmChanged(reason: string | null): void;
}

/** A connection as operators see it; field names as in our own lists, units last. */
export interface ConnectionDescription {
  readonly name: string;
  readonly protocol: string;
  readonly user: string;
  readonly vhost: string;
  readonly state: string;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly mechanism: string;
  readonly channelCount: number;
  readonly channelsMax: number;
  readonly frameBytesMax: number;
  readonly heartbeatSeconds: number;
  readonly clientProperties: Readonly<Record<string, unknown>>;
  readonly connectedAtMillis: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** All connections of the node. */
export class ConnectionRegistry {
  readonly #connections = new Set<ConnectionInfo>();
  readonly #perUser = new Map<string, number>();
  #lastId = 0;

  get size(): number {
    return this.#connections.size;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  add(connection: ConnectionInfo): void {
    this.#connections.add(connection);
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
    this.#connections.delete(connection);
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
