import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { plainAddress } from '../../base/address.ts';
import { BrokerError } from '../../core/broker-error.ts';
import type { Services } from '../services.ts';
import { ApiCall } from './api-call.ts';
import { type ApiUser, localUser } from './api-user.ts';
import { authorize } from './authorize.ts';
import { httpErrorOf } from './broker-errors.ts';
import { credentialsOf } from './credentials.ts';
import { corsHeaders, isForeign, preflightHeaders } from './cross-origin.ts';
import { parseJsonBody } from './json-body.ts';
import { readBody } from './read-body.ts';
import { badRequest, HttpError, type JsonObject, notFound, type Reply } from './reply.ts';
import { respond, takesGzip } from './respond.ts';
import type { Method, Route } from './route.ts';
import { parameterNames, Router } from './router.ts';
import { routes } from './routes.ts';
import { securityHeaders } from './security-headers.ts';

const bodyBytesMax = 1024 * 1024;
/** Longest path and query of a request. */
const urlCharsMax = 16 * 1024;

/** Serves what is not the API: the web UI's files. Null when there is nothing of the name. */
export type PageHandler = (path: string, request: IncomingMessage) => Promise<Reply | null>;

/** Takes requests to their handlers: login, rights, body, errors and headers are seen to here, once for all. */
export class Dispatcher {
  readonly #services: Services;
  readonly #router = new Router(routes);
  readonly #page: PageHandler | null;

  constructor(services: Services, page: PageHandler | null = null) {
    this.#services = services;
    this.#page = page;
  }

  /** Answers one request. Never rejects. `isLocal`: it came by the control socket. */
  async handle(request: IncomingMessage, response: ServerResponse, isLocal: boolean): Promise<void> {
    const { management } = this.#services.settings;
    const isTls = (request.socket as Partial<TLSSocket>).encrypted === true;
    const [rawPath, search = ''] = splitOnce(request.url ?? '', '?');
    const path = withoutPrefix(rawPath, isLocal ? '' : management.pathPrefix);
    const isApi = path !== null && (path === '/api' || path.startsWith('/api/'));
    const headers: OutgoingHttpHeaders = {
      ...securityHeaders({ csp: management.cspPolicy, hsts: management.hstsPolicy }, isTls, isApi),
      ...corsHeaders(request.headers, management.cors.allowOrigins),
    };
    let reply: Reply;
    try {
      if (path === null || (request.url ?? '').length > urlCharsMax) throw notFound();
      if (path === '') throw new HttpError(301, 'moved', 'the pages are below the prefix', { location: `${management.pathPrefix}/` });
      reply = await this.#answer(request, path, search, isApi, isLocal, isTls, headers);
    } catch (error) {
      reply = this.#replyTo(error, request);
    }
    try {
      await respond(response, reply, headers, request.method === 'HEAD', takesGzip(request.headers['accept-encoding']));
    } catch (error) {
      this.#services.logger.error('default', `HTTP API: the answer to ${request.method} ${printable(rawPath)} broke off`, error);
      response.destroy();
    }
  }

  async #answer(
    request: IncomingMessage,
    path: string,
    search: string,
    isApi: boolean,
    isLocal: boolean,
    isTls: boolean,
    headers: OutgoingHttpHeaders,
  ): Promise<Reply> {
    const { method } = request;
    const match = isApi ? this.#match(path) : null;
    if (match === null) {
      const page = this.#page === null || (method !== 'GET' && method !== 'HEAD') ? null : await this.#page(path, request);
      if (page === null) throw notFound();
      return page;
    }
    const allow = allowedMethods(match.routes);
    if (method === 'OPTIONS') {
      const { allowOrigins, ageSecondsMax } = this.#services.settings.management.cors;
      Object.assign(headers, preflightHeaders(request.headers, allowOrigins, allow, ageSecondsMax));
      return { status: 200, headers: { allow } };
    }
    const route = match.routes.get((method === 'HEAD' ? 'GET' : method) as Method);
    if (route === undefined) return { status: 405, headers: { allow } };
    return await this.#run(request, route, match.values, search, isLocal, isTls);
  }

  #match(path: string): ReturnType<Router['match']> {
    try {
      return this.#router.match(path);
    } catch (error) {
      if (error instanceof URIError) throw badRequest('the path is not percent-encoded UTF-8');
      throw error;
    }
  }

  async #run(
    request: IncomingMessage,
    route: Route,
    values: readonly string[],
    search: string,
    isLocal: boolean,
    isTls: boolean,
  ): Promise<Reply> {
    const { core, settings, login } = this.#services;
    const isReading = route.method === 'GET';
    if (!isReading && isForeign(request.headers, settings.management.cors.allowOrigins)) {
      throw new HttpError(403, 'forbidden', 'a page of another origin must not do this');
    }
    const peerAddress = isLocal ? null : plainAddress(request.socket.remoteAddress);
    const parameters = new Map(parameterNames(route.path).map((name, index) => [name, values[index] ?? '']));
    const user = isLocal
      ? localUser
      : route.tag === 'anybody'
        ? nobody
        : await login.user(credentialsOf(request.headers), peerAddress, !isScript(request));
    const vhost = parameters.get('vhost') ?? null;
    authorize(route, user, core.access, vhost, vhost !== null && core.vhosts.has(vhost));
    const bytes = isReading ? noBytes : await readBody(request, route.takesLargeBody ? settings.management.bodyBytesMax : bodyBytesMax);
    const call = new ApiCall({
      services: this.#services,
      route,
      user,
      query: new URLSearchParams(search),
      body: isForm(request) || route.takesLargeBody ? {} : jsonOf(bytes),
      bytes,
      parameters,
      headers: request.headers,
      peerAddress,
      isTls,
      isAborted: () => request.socket.destroyed,
    });
    core.turn.begin();
    try {
      const reply = await core.events.actingAs(user.name, () => route.handle(call));
      // What was changed must outlive the broker before it is called done.
      if (!isReading) await core.committed();
      this.#audit(call, 'done', '');
      return reply;
    } catch (error) {
      this.#audit(
        call,
        error instanceof HttpError || error instanceof BrokerError ? 'refused' : 'failed',
        error instanceof Error ? error.message : '',
      );
      throw error;
    }
  }

  /** Changes are noted, and what was refused; reading is not. */
  #audit(call: ApiCall, outcome: 'done' | 'refused' | 'failed', detail: string): void {
    if (call.route.method === 'GET' || call.route.path === '/api/login') return;
    // A password in a path must not get into a log.
    this.#services.audit.note({
      user: call.user.name,
      peerAddress: call.peerAddress,
      action: `${call.route.method} ${call.route.path.replace(/:([a-z]+)/g, (_match, name: string) => call.parameter(name))}`,
      outcome,
      detail,
    });
  }

  #replyTo(error: unknown, request: IncomingMessage): Reply {
    if (error instanceof HttpError) return error.toReply();
    if (error instanceof BrokerError) return httpErrorOf(error).toReply();
    this.#services.core.counters.internalErrors++;
    this.#services.logger.error('default', `HTTP API: ${request.method} ${printable(request.url ?? '')} failed`, error);
    return new HttpError(500, 'internal_error', 'the broker failed to answer; see its log').toReply();
  }
}

const nobody: ApiUser = { name: '', tags: [], isLocal: false };
const noBytes = Buffer.alloc(0);

function jsonOf(bytes: Buffer): JsonObject {
  return bytes.length === 0 ? {} : parseJsonBody(bytes.toString('utf8'));
}

function isForm(request: IncomingMessage): boolean {
  const type = request.headers['content-type'] ?? '';
  return type.startsWith('application/x-www-form-urlencoded') || type.startsWith('multipart/form-data');
}

/** A request that a page's script makes: a browser must not open its login window for it. */
function isScript(request: IncomingMessage): boolean {
  const mode = request.headers['sec-fetch-mode'];
  return mode === 'cors' || mode === 'same-origin' || request.headers['x-requested-with'] === 'XMLHttpRequest';
}

function allowedMethods(routes: ReadonlyMap<Method, Route>): string {
  const methods: string[] = routes.has('GET') ? ['HEAD', 'GET'] : [];
  for (const method of ['PUT', 'POST', 'DELETE'] as const) if (routes.has(method)) methods.push(method);
  return [...methods, 'OPTIONS'].join(', ');
}

/** The path behind the configured prefix; null when it is outside. */
function withoutPrefix(path: string, prefix: string): string | null {
  if (prefix === '') return path;
  if (path === prefix) return '';
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : null;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 300));
}
