// A rascal broker for the checks: rascal's own checked configuration, on the broker under test.
import rascal from 'rascal';
import { brokerUrl } from '../support/checks.js';

const { BrokerAsPromised, withTestConfig } = rascal;
const url = new URL(brokerUrl);

/** rascal's connection settings; the HTTP API is used only where a virtual host is asserted, checked or deleted. */
export function connection(httpUrl = null) {
  const settings = {
    hostname: url.hostname,
    port: Number(url.port || 5672),
    user: 'guest',
    password: 'guest',
    retry: { min: 20, max: 100, factor: 2, strategy: 'exponential' },
  };
  return httpUrl ? { ...settings, management: { url: httpUrl } } : settings;
}

export async function withBroker(config, action) {
  const broker = await BrokerAsPromised.create(withTestConfig(config));
  broker.on('error', () => {});
  try {
    return await action(broker);
  } finally {
    await broker.nuke();
  }
}

/** The next event of a publication or a subscription. */
export function next(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.on(event, (...args) => resolve(args));
    if (event !== 'error') emitter.on('error', reject);
  });
}
