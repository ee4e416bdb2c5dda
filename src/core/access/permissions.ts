/** What can be permitted on an exchange or a queue. [RabbitMQ docs: access control] */
export type PermissionKind = 'configure' | 'write' | 'read';

/** Regular expressions over names of exchanges and queues; '' permits nothing. */
export interface PermissionPatterns {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

export interface Permission extends PermissionPatterns {
  readonly user: string;
  readonly vhost: string;
}

/** Permissions per user and vhost. */
export class PermissionTable {
  readonly #byUser = new Map<string, Map<string, Permission>>();

  get(user: string, vhost: string): Permission | undefined {
    return this.#byUser.get(user)?.get(vhost);
  }

  put(permission: Permission): void {
    let vhosts = this.#byUser.get(permission.user);
    if (vhosts === undefined) {
      vhosts = new Map();
      this.#byUser.set(permission.user, vhosts);
    }
    vhosts.set(permission.vhost, permission);
  }

  delete(user: string, vhost: string): void {
    const vhosts = this.#byUser.get(user);
    vhosts?.delete(vhost);
    if (vhosts?.size === 0) this.#byUser.delete(user);
  }

  deleteUser(user: string): void {
    this.#byUser.delete(user);
  }

  deleteVhost(vhost: string): void {
    for (const user of this.#byUser.keys()) this.delete(user, vhost);
  }

  hasUser(user: string): boolean {
    return this.#byUser.has(user);
  }

  *list(): IterableIterator<Permission> {
    for (const vhosts of this.#byUser.values()) yield* vhosts.values();
  }
}
