import { notAllowed, notFound } from '../broker-error.ts';
import type { MetadataJournal } from '../ports/metadata-journal.ts';
import { nullJournal } from '../ports/metadata-journal.ts';
import type { AccessChange } from './access-change.ts';
import { compilePattern } from './pattern.ts';
import type { Permission, PermissionKind } from './permissions.ts';
import { PermissionTable } from './permissions.ts';
import type { ResourceKind } from './refusals.ts';
import { resourceRefused, topicRefused, vhostRefused } from './refusals.ts';
import type { TopicPermission, TopicPermissionKind, TopicVariables } from './topic-permissions.ts';
import { expandTopicPattern, TopicPermissionTable } from './topic-permissions.ts';
import type { HashingAlgorithm, User, UserLimits } from './user.ts';
import { checkUser, noUserLimits } from './user.ts';
import type { PermissionSource } from './vhost-access.ts';
import { VhostAccess } from './vhost-access.ts';

/** Restricts a list to one user, one vhost or both. */
export interface PermissionFilter {
  readonly user?: string;
  readonly vhost?: string;
}

/** Hears of changes; of a user that was put also what it was `before`, undefined for a new one. */
export type AccessListener = (change: AccessChange, before: User | undefined) => void;

/**
 * Users and what they may do: the one place that every protocol and the management ask. A state machine over the metadata journal: each
 * mutation records a change and applies it, and replaying the changes gives the same state.
 */
export class AccessControl implements PermissionSource {
  readonly #journal: MetadataJournal;
  readonly #users = new Map<string, User>();
  readonly #permissions = new PermissionTable();
  readonly #topicPermissions = new TopicPermissionTable();
  readonly #accesses = new Map<string, Map<string, VhostAccess>>();
  readonly #listeners = new Set<AccessListener>();
  #lastAccess: VhostAccess;
  #generation = 0;

  constructor(journal: MetadataJournal = nullJournal) {
    this.#journal = journal;
    this.#lastAccess = new VhostAccess(this, '', '');
  }

  /** Rises with every change of a user or a permission. */
  get generation(): number {
    return this.#generation;
  }

  // --- users

  get userCount(): number {
    return this.#users.size;
  }

  user(name: string): User | undefined {
    return this.#users.get(name);
  }

  users(): User[] {
    return [...this.#users.values()];
  }

  /** Users that can enter no vhost. */
  usersWithoutPermissions(): User[] {
    return this.users().filter(user => !this.#permissions.hasUser(user.name));
  }

  hasTag(user: string, tag: string): boolean {
    return this.#users.get(user)?.tags.includes(tag) ?? false;
  }

  /** Throws BrokerError: NOT_ALLOWED if there is such a user, PRECONDITION_FAILED if it is malformed. */
  addUser(user: User): void {
    if (this.#users.has(user.name)) throw notAllowed(`User "${user.name}" already exists`);
    this.putUser(user);
  }

  /** Creates or replaces a user; its permissions stay. Throws BrokerError PRECONDITION_FAILED if the user is malformed. */
  putUser(user: User): void {
    checkUser(user);
    this.#change({ kind: 'user.put', user: copyUser(user) });
  }

  /** '' as the hash takes the password away. Throws BrokerError NOT_FOUND. */
  setPasswordHash(name: string, passwordHash: string, hashingAlgorithm: HashingAlgorithm): void {
    this.putUser({ ...this.#existing(name), passwordHash, hashingAlgorithm });
  }

  /** Throws BrokerError NOT_FOUND. */
  setTags(name: string, tags: readonly string[]): void {
    this.putUser({ ...this.#existing(name), tags });
  }

  /** Replaces the user's limits. Throws BrokerError NOT_FOUND. */
  setUserLimits(name: string, limits: UserLimits): void {
    this.#existing(name);
    this.#change({ kind: 'user-limits.put', user: name, limits: copyLimits(limits) });
  }

  clearUserLimits(name: string): void {
    this.setUserLimits(name, noUserLimits);
  }

  /** Deletes the user with its permissions; false if there was none. */
  deleteUser(name: string): boolean {
    if (!this.#users.has(name)) return false;
    this.#change({ kind: 'user.delete', user: name });
    return true;
  }

  // --- permissions

  permissionOf(user: string, vhost: string): Permission | undefined {
    return this.#permissions.get(user, vhost);
  }

  permissions(filter: PermissionFilter = {}): Permission[] {
    return [...this.#permissions.list()].filter(each => matchesFilter(each, filter));
  }

  /** That the vhost exists is for the caller to know. Throws BrokerError: NOT_FOUND without such a user, PatternError. */
  putPermission(permission: Permission): void {
    this.#existing(permission.user);
    const { user, vhost, configure, write, read } = permission;
    for (const source of [configure, write, read]) compilePattern(source);
    this.#change({ kind: 'permission.put', permission: { user, vhost, configure, write, read } });
  }

  /** False if there was none. */
  deletePermission(user: string, vhost: string): boolean {
    if (this.#permissions.get(user, vhost) === undefined) return false;
    this.#change({ kind: 'permission.delete', user, vhost });
    return true;
  }

  // --- topic permissions

  topicPermissionsOf(user: string, vhost: string): ReadonlyMap<string, TopicPermission> | undefined {
    return this.#topicPermissions.of(user, vhost);
  }

  topicPermissions(filter: PermissionFilter = {}): TopicPermission[] {
    return [...this.#topicPermissions.list()].filter(each => matchesFilter(each, filter));
  }

  /** That vhost and exchange exist is for the caller to know. Throws BrokerError: NOT_FOUND without such a user, PatternError. */
  putTopicPermission(permission: TopicPermission): void {
    this.#existing(permission.user);
    const { user, vhost, exchange, write, read } = permission;
    const sample: TopicVariables = { username: 'u', vhost: 'v', clientId: 'c' };
    for (const source of [write, read]) compilePattern(expandTopicPattern(source, sample));
    this.#change({ kind: 'topic-permission.put', permission: { user, vhost, exchange, write, read } });
  }

  /** Deletes the topic permission for one exchange, or for all (null); says how many there were. */
  deleteTopicPermissions(user: string, vhost: string, exchange: string | null): number {
    const exchanges = [...(this.#topicPermissions.of(user, vhost)?.keys() ?? [])].filter(name => exchange === null || name === exchange);
    for (const name of exchanges) this.#change({ kind: 'topic-permission.delete', user, vhost, exchange: name });
    return exchanges.length;
  }

  /** Drops all permissions for a vhost that is being deleted. Not for a replay of that deletion: the change made here replays itself. */
  vhostDeleted(vhost: string): void {
    if (this.permissions({ vhost }).length === 0 && this.topicPermissions({ vhost }).length === 0) return;
    this.#change({ kind: 'vhost-permissions.delete', vhost });
  }

  // --- questions

  /** What the user may do in the vhost; a connection may keep it. */
  access(user: string, vhost: string): VhostAccess {
    const last = this.#lastAccess;
    if (last.user === user && last.vhost === vhost) return last;
    let vhosts = this.#accesses.get(user);
    let access = vhosts?.get(vhost);
    if (access === undefined) {
      access = new VhostAccess(this, user, vhost);
      // Only real permissions are worth a place, so that unknown names from the network take none.
      if (this.#permissions.get(user, vhost) !== undefined) {
        vhosts ??= new Map();
        vhosts.set(vhost, access);
        this.#accesses.set(user, vhosts);
      }
    }
    this.#lastAccess = access;
    return access;
  }

  mayAccessVhost(user: string, vhost: string): boolean {
    return this.access(user, vhost).mayEnter();
  }

  /** Whether the user may configure, write to or read the exchange or queue; '' is the default exchange. */
  authorize(user: string, vhost: string, permission: PermissionKind, resourceName: string): boolean {
    return this.access(user, vhost).allows(permission, resourceName);
  }

  authorizeTopic(
    user: string,
    vhost: string,
    exchange: string,
    permission: TopicPermissionKind,
    routingKey: string,
    clientId: string | null = null,
  ): boolean {
    return this.access(user, vhost).allowsTopic(permission, exchange, routingKey, clientId);
  }

  /** Throws BrokerError NOT_ALLOWED unless the user may enter the vhost. */
  checkVhost(user: string, vhost: string): void {
    if (!this.mayAccessVhost(user, vhost)) throw vhostRefused(vhost, user);
  }

  /** Throws BrokerError ACCESS_REFUSED unless the user may do this to the exchange or queue. */
  checkResource(user: string, vhost: string, permission: PermissionKind, kind: ResourceKind, name: string): void {
    if (!this.authorize(user, vhost, permission, name)) throw resourceRefused(permission, kind, name, vhost, user);
  }

  /** Throws BrokerError ACCESS_REFUSED unless the user may use the routing key on the topic exchange. */
  checkTopic(
    user: string,
    vhost: string,
    exchange: string,
    permission: TopicPermissionKind,
    routingKey: string,
    clientId: string | null = null,
  ): void {
    if (!this.authorizeTopic(user, vhost, exchange, permission, routingKey, clientId)) {
      throw topicRefused(permission, routingKey, exchange, vhost, user);
    }
  }

  // --- state machine

  /** Calls back after each change made here, not for replayed ones. Returns the way to stop it. */
  onChange(listener: AccessListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Applies a change that the journal already has. */
  apply(change: AccessChange): void {
    switch (change.kind) {
      case 'user.put':
        this.#users.set(change.user.name, change.user);
        break;
      case 'user.delete':
        this.#users.delete(change.user);
        this.#permissions.deleteUser(change.user);
        this.#topicPermissions.deleteUser(change.user);
        this.#accesses.delete(change.user);
        break;
      case 'user-limits.put': {
        const user = this.#users.get(change.user);
        if (user !== undefined) this.#users.set(user.name, { ...user, limits: change.limits });
        break;
      }
      case 'permission.put':
        this.#permissions.put(change.permission);
        break;
      case 'permission.delete':
        this.#permissions.delete(change.user, change.vhost);
        this.#accesses.get(change.user)?.delete(change.vhost);
        break;
      case 'topic-permission.put':
        this.#topicPermissions.put(change.permission);
        break;
      case 'topic-permission.delete':
        this.#topicPermissions.delete(change.user, change.vhost, change.exchange);
        break;
      case 'vhost-permissions.delete':
        this.#permissions.deleteVhost(change.vhost);
        this.#topicPermissions.deleteVhost(change.vhost);
        for (const vhosts of this.#accesses.values()) vhosts.delete(change.vhost);
        break;
    }
    this.#generation += 1;
  }

  /** The whole state as changes; applied to an empty AccessControl they give it again. */
  snapshot(): AccessChange[] {
    const changes: AccessChange[] = [];
    for (const user of this.#users.values()) changes.push({ kind: 'user.put', user });
    for (const permission of this.#permissions.list()) changes.push({ kind: 'permission.put', permission });
    for (const permission of this.#topicPermissions.list()) changes.push({ kind: 'topic-permission.put', permission });
    return changes;
  }

  #change(change: AccessChange): void {
    const before = change.kind === 'user.put' ? this.#users.get(change.user.name) : undefined;
    this.#journal.record(change);
    this.apply(change);
    for (const listener of this.#listeners) listener(change, before);
  }

  #existing(name: string): User {
    const user = this.#users.get(name);
    if (user === undefined) throw notFound(`User "${name}" does not exist`);
    return user;
  }
}

// What is recorded is plain data of known shape, and nobody else holds it.

function copyUser(user: User): User {
  const { name, passwordHash, hashingAlgorithm, tags, limits } = user;
  return { name, passwordHash, hashingAlgorithm, tags: [...tags], limits: copyLimits(limits) };
}

function copyLimits({ maxConnections, maxChannels }: UserLimits): UserLimits {
  return { maxConnections, maxChannels };
}

function matchesFilter(each: { readonly user: string; readonly vhost: string }, filter: PermissionFilter): boolean {
  return (filter.user === undefined || each.user === filter.user) && (filter.vhost === undefined || each.vhost === filter.vhost);
}
