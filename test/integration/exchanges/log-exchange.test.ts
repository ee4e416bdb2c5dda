import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogConfig } from '../../../src/server/config/config.ts';
import { createLogger } from '../../../src/server/logging/create-logger.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

function loggerWith(exchange: NonNullable<LogConfig['exchange']>): ReturnType<typeof createLogger> {
  return createLogger({ console: null, file: null, exchange, categories: [] });
}

const settings = { logExchangeVhost: '/' };

async function bindLog(client: AmqpDriver, routingKey: string): Promise<void> {
  await client.call(queueDeclare(1, { queue: 'log', exclusive: true }), methods.QueueDeclareOk);
  await client.call(queueBind(1, { queue: 'log', exchange: 'amq.rabbitmq.log', routingKey }), methods.QueueBindOk);
  client.send(basicConsume(1, { queue: 'log', noAck: true }));
  await client.expect(methods.BasicConsumeOk);
}

describe('amq.rabbitmq.log', () => {
  test('gets the lines of the log with their level as the routing key', () =>
    withClient(
      async (client, { core, port }) => {
        await bindLog(client, '#');
        core.logger.warning('queue', 'something is odd');
        const delivery = await client.nextDelivery();
        assert.ok(delivery.kind === 'deliver');
        assert.equal(delivery.args.routingKey, 'warning');
        assert.equal(delivery.properties.contentType, 'text/plain');
        assert.equal(delivery.properties.headers?.get('node')?.value, core.settings.nodeName);
        assert.match(delivery.body.toString(), /^\d{4}-\d\d-\d\d [\d:.+]+ \[warning\] <0\.\d+\.0> something is odd$/);
        await assert.rejects(AmqpDriver.connect({ port, password: 'wrong' }));
        const refused = await client.nextDelivery();
        assert.ok(refused.kind === 'deliver');
        assert.equal(refused.args.routingKey, 'error');
        assert.match(refused.body.toString(), /login refused/);
      },
      { settings, logger: loggerWith({ level: 'warning', format: 'plaintext' }) },
    ));

  test('gets objects where the configuration says so, and levels that were asked for', () =>
    withClient(
      async (client, { core }) => {
        await bindLog(client, 'info');
        core.logger.error('queue', 'an error');
        core.logger.info('queue', 'some information');
        const delivery = await client.nextDelivery();
        assert.equal(delivery.properties.contentType, 'application/json');
        assert.equal((JSON.parse(delivery.body.toString()) as { msg: string }).msg, 'some information');
      },
      { settings, logger: loggerWith({ level: 'info', format: 'json' }) },
    ));

  test('is there only where it is wanted', () =>
    withClient(async client => {
      client.send(exchangeDeclare(1, { exchange: 'amq.rabbitmq.log', passive: true }));
      assert.equal((await client.expectChannelClose(1)).replyCode, 404);
    }));
});
