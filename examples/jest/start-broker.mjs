// globalSetup: one broker for the whole run, a virtual host for each worker would be `broker.fork()`.
export default async function start() {
  const { Broker } = await import('warrenmq');
  globalThis.broker = await Broker.start();
  process.env.AMQP_URL = globalThis.broker.amqpUrl;
}
