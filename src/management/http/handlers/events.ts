import { setTimeout as delay } from 'node:timers/promises';
import { BrokerError } from '../../../core/broker-error.ts';
import { ApiCall } from '../api-call.ts';
import type { ApiUser } from '../api-user.ts';
import { authorize } from '../authorize.ts';
import { httpErrorOf } from '../broker-errors.ts';
import { credentialsOf } from '../credentials.ts';
import { badRequest, HttpError, notFound, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { parameterNames, Router } from '../router.ts';

/** Paths that one stream watches. */
const watchesMax = 12;
const watchCharsMax = 4096;
/** Streams that are open at a time. Each page of the web UI in sight has one. */
const streamsMax = 256;
const answerCharsMax = 2 * 1024 * 1024;
const intervalSecondsDefault = 5;
const intervalSecondsMax = 60;
/** After so long a silence a comment is sent: who is in between must not think that the connection is dead. */
const silenceMillisMax = 15_000;

interface Watch {
  readonly index: number;
  readonly route: Route;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** What was told last. */
  told: string;
}

/**
 * Tells what GET answers for several paths, and again whenever an answer has changed: what a page shows comes by one stream in place of a
 * poll per panel. Each round asks the routes themselves, with the rights that the user has by then.
 */
export class EventStreams {
  readonly #router: Router;
  #openCount = 0;

  constructor(routes: readonly Route[]) {
    this.#router = new Router(routes);
  }

  /** @throws HttpError 400 for paths that cannot be watched, 503 when there are too many streams */
  open(call: ApiCall): Reply {
    const interval = intervalOf(call.query.get('interval'));
    const paths = call.query.getAll('watch');
    if (paths.length === 0 || paths.length > watchesMax) throw badRequest(`watch has to be given 1 to ${watchesMax} times`);
    const watches = paths.map((path, index) => this.#watch(path, index));
    if (this.#openCount >= streamsMax) throw new HttpError(503, 'too_many_streams', `${streamsMax} streams of events are open`);
    return {
      status: 200,
      events: this.#tell(call, watches, interval * 1000),
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    };
  }

  #watch(text: string, index: number): Watch {
    const at = text.indexOf('?');
    const path = at < 0 ? text : text.slice(0, at);
    let match: ReturnType<Router['match']> = null;
    try {
      match = text.length > watchCharsMax ? null : this.#router.match(path);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
    }
    const route = match?.routes.get('GET');
    if (match === null || route === undefined || route.tag === 'anybody' || route.path === eventsPath)
      throw badRequest(`'${text.slice(0, 200)}' cannot be watched`);
    const { values } = match;
    const parameters = new Map(parameterNames(route.path).map((name, position) => [name, values[position] ?? '']));
    return { index, route, parameters, query: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)), told: '' };
  }

  async *#tell(call: ApiCall, watches: readonly Watch[], intervalMillis: number): AsyncGenerator<string, void, undefined> {
    this.#openCount++;
    try {
      yield 'retry: 3000\n\n';
      let toldMillis = performance.now();
      while (!call.isAborted) {
        const startMillis = performance.now();
        const user = await userNow(call);
        if (user === null) {
          yield 'event: end\ndata: "login"\n\n';
          return;
        }
        for (const watch of watches) {
          const answer = await answerOf(call, user, watch);
          if (answer === watch.told) continue;
          watch.told = answer;
          toldMillis = performance.now();
          yield `data: {"watch":${watch.index},${answer}}\n\n`;
          if (call.isAborted) return;
        }
        if (performance.now() - toldMillis > silenceMillisMax) {
          toldMillis = performance.now();
          yield ': still here\n\n';
        }
        await delay(Math.max(100, startMillis + intervalMillis - performance.now()), undefined, { ref: false });
      }
    } finally {
      this.#openCount--;
    }
  }
}

export const eventsPath = '/api/events';

function intervalOf(text: string | null): number {
  if (text === null) return intervalSecondsDefault;
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > intervalSecondsMax)
    throw badRequest(`interval is 1 to ${intervalSecondsMax} seconds`);
  return Number(text);
}

/** Who the stream belongs to, with today's tags; null when the login no longer holds. */
async function userNow(call: ApiCall): Promise<ApiUser | null> {
  if (call.user.isLocal) return call.user;
  try {
    const credentials = credentialsOf({
      authorization: call.header('authorization') ?? undefined,
      cookie: call.header('cookie') ?? undefined,
    });
    return await call.services.login.user(credentials, call.peerAddress, false);
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
}

/** Members of a JSON object: the status, and the body. */
async function answerOf(call: ApiCall, user: ApiUser, watch: Watch): Promise<string> {
  let reply: Reply;
  try {
    reply = await ask(call, user, watch);
  } catch (error) {
    if (error instanceof HttpError) reply = error.toReply();
    else if (error instanceof BrokerError) reply = httpErrorOf(error).toReply();
    else throw error;
  }
  let text = reply.text ?? JSON.stringify(reply.json ?? null);
  if (reply.chunks !== undefined) {
    text = '';
    for await (const chunk of reply.chunks) {
      text += chunk;
      if (text.length > answerCharsMax)
        return '"status":413,"body":{"error":"too_large","reason":"the list is too long to be watched: ask for pages"}';
    }
  }
  return `"status":${reply.status},"body":${text}`;
}

async function ask(call: ApiCall, user: ApiUser, { route, parameters, query }: Watch): Promise<Reply> {
  const { core } = call;
  const vhost = parameters.get('vhost') ?? null;
  core.turn.begin();
  authorize(route, user, core.access, vhost, vhost !== null && core.vhosts.has(vhost));
  if (vhost !== null && !core.vhosts.has(vhost)) throw notFound();
  return await route.handle(call.sibling(route, user, parameters, query));
}
