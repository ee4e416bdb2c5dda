import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { plainAddress } from '../../base/address.ts';
import { credentialsOf } from '../http/credentials.ts';
import { isMonitor } from '../http/api-user.ts';
import { HttpError, notAuthorised, type Reply } from '../http/reply.ts';
import { respond, takesGzip } from '../http/respond.ts';
import type { Services } from '../services.ts';
import { header } from './metric.ts';
import { aggregatedPage, detailedPage, memoryPage, perObjectPage, type Piece } from './pages.ts';

const contentType = 'text/plain; version=0.0.4; charset=utf-8';
/** How long a page is made before others get their turn. */
const sliceMillis = 5;
const chunkChars = 64 * 1024;

/** Scrapes so far, of one page. */
class ScrapeCount {
  count = 0;
  seconds = 0;
  chars = 0;
}

/** Serves the metrics in Prometheus' text format. Pages are sent while they are made, in slices that hold up nobody. */
export class MetricsEndpoint {
  readonly #services: Services;
  readonly #scrapes = new ScrapeCount();

  constructor(services: Services) {
    this.#services = services;
  }

  /** Answers one request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
    let reply: Reply;
    try {
      reply = await this.#reply(request);
    } catch (error) {
      reply = error instanceof HttpError ? error.toReply() : { status: 500 };
      if (!(error instanceof HttpError)) this.#services.logger.error('default', 'metrics: a request failed', error);
    }
    try {
      await respond(response, reply, headers, request.method === 'HEAD', takesGzip(request.headers['accept-encoding']));
    } catch (error) {
      this.#services.logger.error('default', 'metrics: a scrape broke off', error);
      response.destroy();
    }
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    const { settings, node, core } = this.#services;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { path, perObjectMetrics, authentication } = settings.prometheus;
    if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, headers: { allow: 'GET, HEAD' } };
    if (authentication) await this.#authenticate(request);
    const page = url.pathname.replace(/\/$/, '');
    core.turn.begin();
    await node.refresh();
    switch (page) {
      case path:
        return this.#page(perObjectMetrics ? perObjectPage(this.#services) : aggregatedPage(this.#services));
      case `${path}/per-object`:
        return this.#page(perObjectPage(this.#services));
      case `${path}/detailed`: {
        const vhosts = url.searchParams.getAll('vhost');
        const families = new Set(url.searchParams.getAll('family'));
        return this.#page(detailedPage(this.#services, { families, vhosts: vhosts.length === 0 ? null : new Set(vhosts) }));
      }
      case `${path}/memory-breakdown`:
        return this.#page(memoryPage(this.#services));
      default:
        throw new HttpError(404, 'Object Not Found', 'Not Found');
    }
  }

  async #authenticate(request: IncomingMessage): Promise<void> {
    const peer = plainAddress(request.socket.remoteAddress);
    const user = await this.#services.login.user(credentialsOf(request.headers), peer, true);
    if (!isMonitor(user)) throw notAuthorised('Not monitor user');
  }

  #page(pieces: Generator<Piece, void, undefined>): Reply {
    return { status: 200, chunks: this.#chunks(pieces), headers: { 'content-type': contentType } };
  }

  async *#chunks(pieces: Generator<Piece, void, undefined>): AsyncGenerator<string, void, undefined> {
    const start = performance.now();
    let sliceStart = start;
    let text = '';
    let chars = 0;
    for (const piece of pieces) {
      if (piece !== null) text += piece;
      if (text.length >= chunkChars) {
        chars += text.length;
        yield text;
        text = '';
      }
      if (performance.now() - sliceStart < sliceMillis) continue;
      await nextTurn();
      sliceStart = performance.now();
    }
    text += this.#telemetry();
    yield text;
    this.#scrapes.count++;
    this.#scrapes.seconds += (performance.now() - start) / 1000;
    this.#scrapes.chars += chars + text.length;
  }

  /** What scraping itself has taken so far. */
  #telemetry(): string {
    const { count, seconds, chars } = this.#scrapes;
    const summary = (name: string, help: string, sum: number): string =>
      `${header(name, { name, type: 'summary', help })}${name}_count ${count}\n${name}_sum ${sum}\n`;
    return (
      summary('telemetry_scrape_duration_seconds', 'Time that scrapes took', seconds) +
      summary('telemetry_scrape_size_bytes', 'Size of scrapes', chars) +
      summary('telemetry_scrape_encoded_size_bytes', 'Size of scrapes before compression', chars)
    );
  }
}
