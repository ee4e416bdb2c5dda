import type { BrokerOptions } from '../../src/index.ts';
import { Broker } from '../../src/index.ts';
import { AmqpDriver } from './amqp-driver.ts';

/** Runs a test against a broker of its own, on a free port, which ends with the test. */
export async function withBroker(run: (broker: Broker) => Promise<void>, options: BrokerOptions = {}): Promise<void> {
  const broker = await Broker.start(options);
  try {
    await run(broker);
  } finally {
    await broker.stop();
  }
}

/** The same with a connection of user guest that has channel 1 open. */
export function withClient(run: (client: AmqpDriver, broker: Broker) => Promise<void>, options: BrokerOptions = {}): Promise<void> {
  return withBroker(async broker => {
    const client = await AmqpDriver.connect({ port: broker.port });
    try {
      await client.openChannel(1);
      await run(client, broker);
    } finally {
      client.destroy();
    }
  }, options);
}
