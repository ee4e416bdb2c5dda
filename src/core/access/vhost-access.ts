import type { Pattern } from './pattern.ts';
import { compilePattern, patternCharsMax } from './pattern.ts';
import type { Permission, PermissionKind } from './permissions.ts';
import { RecentMap } from './recent-map.ts';
import type { TopicPermission, TopicPermissionKind } from './topic-permissions.ts';
import { expandTopicPattern } from './topic-permissions.ts';

/** Where permissions come from. The generation rises with every change of them. */
export interface PermissionSource {
  readonly generation: number;
  permissionOf(user: string, vhost: string): Permission | undefined;
  topicPermissionsOf(user: string, vhost: string): ReadonlyMap<string, TopicPermission> | undefined;
}

const decisionsMax = 1024;
const topicPatternsMax = 256;
/** Names longer than this are decided anew each time rather than remembered. */
const rememberedCharsMax = 255;
const rememberedKeyCharsMax = 2 * patternCharsMax;

const bit: Readonly<Record<PermissionKind, number>> = { configure: 1, write: 2, read: 4 };
const kinds: readonly PermissionKind[] = ['configure', 'write', 'read'];

/** An expression that permits nothing: what does not compile must not open anything. */
const nothing: Pattern = { source: '', isCheap: true, test: () => false };

/**
 * What one user may do in one vhost. Safe to hold for the life of a connection: a change of permissions shows at the next question.
 * Answers are remembered, so that a publish costs one look-up.
 */
export class VhostAccess {
  readonly user: string;
  readonly vhost: string;
  readonly #source: PermissionSource;
  #generation = -1;
  #permission: Permission | undefined;
  #topics: ReadonlyMap<string, TopicPermission> | undefined;
  #patterns: (Pattern | null)[] = [null, null, null];
  /** Per name: three bits of what is allowed, three more of which of them are known. */
  readonly #decisions = new RecentMap<number>(decisionsMax);
  readonly #topicPatterns = new RecentMap<Pattern>(topicPatternsMax);

  constructor(source: PermissionSource, user: string, vhost: string) {
    this.#source = source;
    this.user = user;
    this.vhost = vhost;
  }

  /** Whether the user has a permission entry for the vhost, even one that permits nothing. [RabbitMQ: check_vhost_access] */
  mayEnter(): boolean {
    this.#refresh();
    return this.#permission !== undefined;
  }

  /** Whether the user may do this to the exchange or queue of that name; '' is the default exchange, known as 'amq.default'. */
  allows(kind: PermissionKind, resourceName: string): boolean {
    this.#refresh();
    const permission = this.#permission;
    if (permission === undefined) return false;
    const name = resourceName === '' ? 'amq.default' : resourceName;
    const pattern = this.#pattern(permission, kind);
    if (pattern.isCheap || name.length > rememberedCharsMax) return pattern.test(name);
    const allowed = bit[kind];
    const known = allowed << 3;
    const decision = this.#decisions.get(name) ?? 0;
    if ((decision & known) !== 0) return (decision & allowed) !== 0;
    const answer = pattern.test(name);
    this.#decisions.set(name, decision | known | (answer ? allowed : 0));
    return answer;
  }

  /** Whether the user may do any of the three to it, which is enough to ask whether it exists. [RabbitMQ 4.3: passive declare] */
  allowsAny(resourceName: string): boolean {
    return kinds.some(kind => this.allows(kind, resourceName));
  }

  /** Whether the user may publish (write) or bind (read) with the routing key on the topic exchange. Without a topic permission for the
   * exchange everything is allowed. [RabbitMQ docs: topic authorisation] */
  allowsTopic(kind: TopicPermissionKind, exchange: string, routingKey: string, clientId: string | null): boolean {
    this.#refresh();
    const permission = this.#topics?.get(exchange);
    if (permission === undefined) return true;
    return this.#topicPattern(permission[kind], clientId).test(routingKey);
  }

  #pattern(permission: Permission, kind: PermissionKind): Pattern {
    const index = bit[kind] >> 1;
    const pattern = this.#patterns[index] ?? compileOrNothing(permission[kind]);
    this.#patterns[index] = pattern;
    return pattern;
  }

  #topicPattern(source: string, clientId: string | null): Pattern {
    // The user and the vhost are this object's own, so only the client identifier varies.
    const key = clientId !== null && source.includes('{client_id}') ? `${source}\n${clientId}` : source;
    const known = this.#topicPatterns.get(key);
    if (known !== undefined) return known;
    const pattern = compileOrNothing(expandTopicPattern(source, { username: this.user, vhost: this.vhost, clientId }));
    if (key.length <= rememberedKeyCharsMax) this.#topicPatterns.set(key, pattern);
    return pattern;
  }

  #refresh(): void {
    if (this.#generation === this.#source.generation) return;
    this.#generation = this.#source.generation;
    this.#topics = this.#source.topicPermissionsOf(this.user, this.vhost);
    this.#topicPatterns.clear();
    const permission = this.#source.permissionOf(this.user, this.vhost);
    if (permission === this.#permission) return;
    this.#permission = permission;
    this.#patterns = [null, null, null];
    this.#decisions.clear();
  }
}

/** '' permits nothing, that is, it stands for ^$. [RabbitMQ docs: access control] */
function compileOrNothing(source: string): Pattern {
  try {
    return compilePattern(source === '' ? '^$' : source);
  } catch {
    return nothing;
  }
}
