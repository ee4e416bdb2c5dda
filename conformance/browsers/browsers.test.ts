// The clients that run in web pages, in a real browser: AMQP 0-9-1, MQTT and STOMP inside WebSockets, and the list of origins that all
// WebSocket listeners share.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';

/** What the page loads, by path. */
const scripts = new Map([
  ['/amqp.mjs', '@cloudamqp/amqp-client/dist/amqp-websocket-client.mjs'],
  ['/mqtt.js', 'mqtt/dist/mqtt.min.js'],
  ['/stomp.js', '@stomp/stompjs/bundles/stomp.umd.js'],
]);

const page = `<!doctype html><meta charset="utf-8"><title>clients</title><script src="/mqtt.js"></script><script src="/stomp.js"></script>
<script type="module">
import { AMQPWebSocketClient } from '/amqp.mjs';
window.amqp = async url => {
  const connection = await new AMQPWebSocketClient({ url, vhost: '/', username: 'guest', password: 'guest' }).connect();
  const channel = await connection.channel();
  const { name } = await channel.queueDeclare('', { exclusive: true });
  await channel.confirmSelect();
  let taken;
  const got = new Promise(resolve => { taken = resolve; });
  await channel.basicConsume(name, { noAck: false }, message => {
    void message.ack();
    taken(message.bodyString());
  });
  await channel.basicPublish('', name, 'gr\\u00fc\\u00dfe by AMQP');
  const text = await got;
  await connection.close();
  return text;
};
window.mqttClient = url => new Promise((resolve, reject) => {
  const client = window.mqtt.connect(url, { username: 'guest', password: 'guest', protocolVersion: 5, reconnectPeriod: 0 });
  client.on('error', reject);
  client.on('close', () => reject(new Error('closed')));
  client.on('message', (topic, payload) => { resolve(topic + '=' + payload.toString()); client.end(); });
  client.on('connect', () => client.subscribe('browser/#', { qos: 2 }, () => client.publish('browser/t', 'gr\\u00fc\\u00dfe by MQTT', { qos: 2 })));
});
window.stomp = url => new Promise((resolve, reject) => {
  const client = new window.StompJs.Client({ brokerURL: url, reconnectDelay: 0, connectHeaders: { login: 'guest', passcode: 'guest', host: '/' } });
  client.onWebSocketClose = () => reject(new Error('closed'));
  client.onStompError = frame => reject(new Error(frame.headers.message));
  client.onConnect = () => {
    client.subscribe('/queue/browser', message => { resolve(message.body); message.ack(); void client.deactivate(); }, { ack: 'client' });
    client.publish({ destination: '/queue/browser', body: 'gr\\u00fc\\u00dfe by STOMP' });
  };
  client.activate();
});
window.isReady = true;
</script>`;

const skip = process.env.BROKER === 'rabbitmq' ? 'RabbitMQ speaks no AMQP 0-9-1 in WebSockets' : (reasonBrokerIsFixed() ?? false);

test('clients in a browser', { skip, timeout: 240_000 }, async t => {
  const reason = ensureDebianPackages('chromium');
  if (reason !== null) {
    t.skip(reason);
    return;
  }
  await ensureNpmClients();
  const site = http.createServer((request, response) => {
    const script = scripts.get(request.url ?? '');
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script === undefined ? page : readFileSync(join(conformanceRoot, 'node_modules', script)));
  });
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve));
  t.after(() => site.close());
  const { port } = site.address() as AddressInfo;
  const [amqp = 0, mqtt = 0, stomp = 0] = await freePorts(3);
  await brokerFor(t, {
    config: [
      ...[
        ['web_amqp', amqp],
        ['web_mqtt', mqtt],
        ['web_stomp', stomp],
      ].flatMap(([name, each]) => [`${name}.tcp.ip = 127.0.0.1`, `${name}.tcp.port = ${each}`]),
      `warren.web_socket_origins.1 = http://shop.test:${port}`,
    ],
  });
  // Every name is this machine: the browser says where a page is from as it does in earnest.
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  });
  t.after(() => browser.close());
  const open = async (host: string): Promise<Page> => {
    const opened = await browser.newPage();
    await opened.goto(`http://${host}:${port}/`);
    await opened.waitForFunction('window.isReady === true');
    return opened;
  };
  const clients = [
    ['@cloudamqp/amqp-client', `window.amqp('ws://127.0.0.1:${amqp}/ws')`, 'grüße by AMQP'],
    ['MQTT.js', `window.mqttClient('ws://127.0.0.1:${mqtt}/ws')`, 'browser/t=grüße by MQTT'],
    ['@stomp/stompjs', `window.stomp('ws://127.0.0.1:${stomp}/ws')`, 'grüße by STOMP'],
  ] as const;

  const shop = await open('shop.test');
  for (const [name, call, answer] of clients)
    await t.test(`${name} in a page of an origin that is listed`, async () => assert.equal(await shop.evaluate(call), answer));

  const stranger = await open('evil.test');
  for (const [name, call] of clients)
    await t.test(`${name} in a page of another origin gets no connection`, () => assert.rejects(stranger.evaluate(call)));
});
