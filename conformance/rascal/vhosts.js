// rascal asserts, checks and deletes virtual hosts through the HTTP API: this file needs BROKER_HTTP_URL.
import rascal from 'rascal';
import { assert, check, equal, errorOf, main, unique } from '../support/checks.js';
import { connection, next, withBroker } from './broker.js';

const { BrokerAsPromised, withTestConfig } = rascal;
const httpUrl = process.env.BROKER_HTTP_URL;
if (!httpUrl) {
  console.error('BROKER_HTTP_URL is not set');
  process.exit(2);
}

function inVhost(vhost, settings) {
  return {
    vhosts: { [vhost]: { connection: connection(httpUrl), ...settings, queues: { work: {} } } },
    publications: { out: { vhost, queue: 'work' } },
    subscriptions: { in: { vhost, queue: 'work' } },
  };
}

check('a virtual host is created when asserted, used, and deleted', async () => {
  const vhost = unique('vhost').replaceAll('.', '-');
  await withBroker(inVhost(vhost, { assert: true }), async broker => {
    await next(await broker.publish('out', 'hello'), 'success');
    const subscription = await broker.subscribe('in');
    const [, content, ackOrNack] = await next(subscription, 'message');
    ackOrNack();
    equal(content, 'hello');
  });
  const error = await errorOf(() => BrokerAsPromised.create(withTestConfig(inVhost(vhost, { check: true, assert: false }))));
  assert(error.message.includes('Failed to check vhost') && error.message.includes('404'), error.message);
});

await main();
