import type { Broker, BrokerOptions } from '../../src/index.ts';
import { StompDriver } from './stomp-driver.ts';
import { withBroker } from './with-broker.ts';

export interface StompPlace {
  readonly broker: Broker;
  /** Where STOMP listens. */
  readonly port: number;
  readonly open: (headers?: Record<string, string>) => Promise<StompDriver>;
  /** A connection without login. */
  readonly raw: () => StompDriver;
}

/** Runs a test against a broker of its own with listeners for AMQP and STOMP. */
export async function withStomp(run: (place: StompPlace) => Promise<void>, options: BrokerOptions = {}): Promise<void> {
  const clients: StompDriver[] = [];
  const keep = (client: StompDriver): StompDriver => {
    clients.push(client);
    return client;
  };
  await withBroker(
    async broker => {
      const port = broker.listeners.find(listener => listener.options.protocol === 'stomp')?.port ?? 0;
      try {
        await run({
          broker,
          port,
          open: async headers => keep(await StompDriver.connect(port, headers)),
          raw: () => keep(new StompDriver(port)),
        });
      } finally {
        for (const client of clients) client.destroy();
      }
    },
    { listeners: [{}, { protocol: 'stomp' }], ...options },
  );
}
