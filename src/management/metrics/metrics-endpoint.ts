import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Services } from '../services.ts';

export class MetricsEndpoint {
  readonly #services: Services;
  constructor(services: Services) {
    this.#services = services;
  }
  async handle(_request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.end(String(this.#services.core.connections.size));
    await Promise.resolve();
  }
}
