import type { Actor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { Services } from '../services.ts';
import { actorOf, type ApiUser } from './api-user.ts';
import { isMember, isObserver } from './authorize.ts';
import { accessRefused, type JsonObject, missing, notFound } from './reply.ts';
import type { Route } from './route.ts';

const noBytes = Buffer.alloc(0);

/** One request, authenticated and authorized, with its body read. */
export class ApiCall {
  readonly services: Services;
  readonly route: Route;
  readonly user: ApiUser;
  readonly query: URLSearchParams;
  /** Of a body that is JSON; {} without one. */
  readonly body: JsonObject;
  /** The body as it came. */
  readonly bytes: Buffer;
  readonly #parameters: ReadonlyMap<string, string>;
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Where the request comes from; null for the control socket. */
  readonly peerAddress: string | null;
  readonly isTls: boolean;
  readonly #aborted: () => boolean;

  constructor(given: {
    readonly services: Services;
    readonly route: Route;
    readonly user: ApiUser;
    readonly query: URLSearchParams;
    readonly body: JsonObject;
    readonly bytes: Buffer;
    readonly parameters: ReadonlyMap<string, string>;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly peerAddress: string | null;
    readonly isTls: boolean;
    isAborted(): boolean;
  }) {
    this.services = given.services;
    this.route = given.route;
    this.user = given.user;
    this.query = given.query;
    this.body = given.body;
    this.bytes = given.bytes;
    this.#parameters = given.parameters;
    this.#headers = given.headers;
    this.peerAddress = given.peerAddress;
    this.isTls = given.isTls;
    this.#aborted = () => given.isAborted();
  }

  /** The same client asks another route, as whoever the login stands for by now. */
  sibling(route: Route, user: ApiUser, parameters: ReadonlyMap<string, string>, query: URLSearchParams): ApiCall {
    return new ApiCall({
      services: this.services,
      route,
      user,
      query,
      body: {},
      bytes: noBytes,
      parameters,
      headers: this.#headers,
      peerAddress: this.peerAddress,
      isTls: this.isTls,
      isAborted: () => this.isAborted,
    });
  }

  get core(): BrokerCore {
    return this.services.core;
  }

  get nodeName(): string {
    return this.core.settings.nodeName;
  }

  /** On whose behalf the broker acts. */
  get actor(): Actor {
    return actorOf(this.user);
  }

  /** Whether the client has gone away. */
  get isAborted(): boolean {
    return this.#aborted();
  }

  parameter(name: string): string {
    const value = this.#parameters.get(name);
    if (value === undefined) throw new Error(`${this.route.path} has no parameter ${name}`);
    return value;
  }

  header(name: string): string | null {
    const value = this.#headers[name];
    return typeof value === 'string' ? value : null;
  }

  /** Whether a query parameter is `true`. */
  flag(name: string, absent = false): boolean {
    const value = this.query.get(name);
    return value === null ? absent : value === 'true';
  }

  /** The virtual host of the path. @throws HttpError 404 */
  vhost(): Vhost {
    const vhost = this.core.vhosts.get(this.parameter('vhost'));
    if (vhost === undefined) throw this.route.method === 'PUT' ? missing('vhost_not_found') : notFound();
    return vhost;
  }

  /** The virtual host of the path, for what RabbitMQ does over a connection of its own: a missing one refuses access. */
  vhostToEnter(): Vhost {
    const vhost = this.core.vhosts.get(this.parameter('vhost'));
    if (vhost === undefined) throw accessRefused();
    return vhost;
  }

  /** The virtual hosts whose content the user may list, by name. */
  *memberVhosts(): Iterable<Vhost> {
    for (const vhost of byName(this.core.vhosts.values())) if (isMember(this.user, this.core.access, vhost.name)) yield vhost;
  }

  /** The virtual hosts that are in the user's lists, by name. */
  *observedVhosts(): Iterable<Vhost> {
    for (const vhost of byName(this.core.vhosts.values())) if (isObserver(this.user, this.core.access, vhost.name)) yield vhost;
  }
}

function byName(vhosts: Iterable<Vhost>): Vhost[] {
  return [...vhosts].sort((a, b) => (a.name < b.name ? -1 : 1));
}
