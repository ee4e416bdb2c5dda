import { quotePattern } from './pattern.ts';

/** Regular expressions over the routing keys published to (write) and bound on (read) one topic exchange; '' permits nothing.
 * {username}, {vhost} and {client_id} stand for the connection's. [RabbitMQ docs: topic authorisation] */
export interface TopicPermission {
  readonly user: string;
  readonly vhost: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

export type TopicPermissionKind = 'write' | 'read';

/** What the variables in a topic permission stand for; null if the protocol has no such thing. */
export interface TopicVariables {
  readonly username: string;
  readonly vhost: string;
  readonly clientId: string | null;
}

/**
 * The expression with its variables replaced. A value counts as literal text: a client identifier of '.*' must not widen its owner's
 * permission. A variable without a value stays as it is.
 */
export function expandTopicPattern(source: string, variables: TopicVariables): string {
  if (!source.includes('{')) return source;
  return source.replace(/\{(username|vhost|client_id)\}/g, (variable, name: string) => {
    const value = name === 'username' ? variables.username : name === 'vhost' ? variables.vhost : variables.clientId;
    return value === null ? variable : quotePattern(value);
  });
}

/** Topic permissions per user, vhost and exchange. */
export class TopicPermissionTable {
  readonly #byUser = new Map<string, Map<string, Map<string, TopicPermission>>>();

  /** The user's topic permissions in the vhost by exchange, or undefined if there are none. */
  of(user: string, vhost: string): ReadonlyMap<string, TopicPermission> | undefined {
    return this.#byUser.get(user)?.get(vhost);
  }

  put(permission: TopicPermission): void {
    let vhosts = this.#byUser.get(permission.user);
    if (vhosts === undefined) {
      vhosts = new Map();
      this.#byUser.set(permission.user, vhosts);
    }
    let exchanges = vhosts.get(permission.vhost);
    if (exchanges === undefined) {
      exchanges = new Map();
      vhosts.set(permission.vhost, exchanges);
    }
    exchanges.set(permission.exchange, permission);
  }

  delete(user: string, vhost: string, exchange: string): void {
    const vhosts = this.#byUser.get(user);
    const exchanges = vhosts?.get(vhost);
    exchanges?.delete(exchange);
    if (exchanges?.size === 0) vhosts?.delete(vhost);
    if (vhosts?.size === 0) this.#byUser.delete(user);
  }

  deleteUser(user: string): void {
    this.#byUser.delete(user);
  }

  deleteVhost(vhost: string): void {
    for (const [user, vhosts] of this.#byUser) {
      vhosts.delete(vhost);
      if (vhosts.size === 0) this.#byUser.delete(user);
    }
  }

  *list(): IterableIterator<TopicPermission> {
    for (const vhosts of this.#byUser.values()) {
      for (const exchanges of vhosts.values()) yield* exchanges.values();
    }
  }
}
