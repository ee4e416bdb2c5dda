import type { ApiCall } from './api-call.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/**
 * The tag a user must have. Each of them includes management; administrator includes all. 'anybody' stands for requests without a login.
 * [RabbitMQ docs: management, permissions]
 */
export type Tag = 'anybody' | 'management' | 'policymaker' | 'monitoring' | 'administrator';

/**
 * What the user must be to the virtual host in the path: 'member' has a permission there or is an administrator; 'observer' may also have
 * the tag monitoring; 'none' means that the path names no virtual host or that it makes no difference.
 */
export type VhostRule = 'none' | 'member' | 'observer';

/** The body a route takes, for the description of the API; null takes none. */
export interface BodyDescription {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, { readonly type: string | readonly string[]; readonly description?: string }>>;
}

export interface Route {
  readonly method: Method;
  /** Segments with a colon are parameters; each is decoded once. */
  readonly path: string;
  readonly tag: Tag;
  readonly vhost: VhostRule;
  /** What the broker checks besides, in words; 'none' where tag and virtual host say all. */
  readonly permission: string;
  readonly summary: string;
  readonly body: BodyDescription | null;
  /** Whether large bodies are taken: definitions. */
  readonly takesLargeBody: boolean;
  handle(call: ApiCall): Reply | Promise<Reply>;
}
