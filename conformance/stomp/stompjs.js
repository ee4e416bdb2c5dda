// @stomp/stompjs in WebSockets, as in browsers, and on a socket.
import net from 'node:net';
import { Client, ReconnectionTimeMode } from '@stomp/stompjs';
import { assert, check, equal, eventually, main, Skip, unique } from '../support/checks.js';

/** A socket with the face of a WebSocket, as the client's documentation has it for TCP. */
class SocketAsWebSocket {
  binaryType = 'arraybuffer';
  #socket = net.connect(Number(process.env.STOMP_PORT), '127.0.0.1');

  constructor() {
    this.#socket.on('connect', () => this.onopen());
    this.#socket.on('data', bytes => this.onmessage({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }));
    this.#socket.on('close', () => this.onclose({ code: 1000 }));
    this.#socket.on('error', error => this.onerror?.(error));
  }

  get readyState() {
    return this.#socket.readyState === 'open' ? 1 : 3;
  }

  send(data) {
    this.#socket.write(typeof data === 'string' ? data : Buffer.from(data));
  }

  close() {
    this.#socket.end();
  }
}

const transports = {
  'a WebSocket': { brokerURL: process.env.WEB_STOMP_URL },
  'a WebSocket with binary frames': { brokerURL: process.env.WEB_STOMP_URL, forceBinaryWSFrames: true },
  'a socket': { webSocketFactory: () => new SocketAsWebSocket() },
};

async function withClient(action, options) {
  const errors = [];
  const client = new Client({
    connectHeaders: { login: 'guest', passcode: 'guest', host: '/' },
    reconnectDelay: 0,
    reconnectTimeMode: ReconnectionTimeMode.LINEAR,
    ...options,
  });
  client.onStompError = frame => errors.push(frame);
  const connected = new Promise(resolve => (client.onConnect = resolve));
  client.activate();
  try {
    await Promise.race([connected, eventually(() => errors.length > 0, 'an answer')]);
    return await action(client, errors);
  } finally {
    await client.deactivate();
  }
}

/** RabbitMQ sends text whatever it is, and cuts it anywhere: browsers and Node.js end such a connection. */
function skipWhereTextIsCut(name) {
  if (process.env.BROKER === 'rabbitmq' && name.includes('WebSocket')) throw new Skip('RabbitMQ cuts characters in two there');
}

function receiptOf(client, id) {
  return new Promise(resolve => client.watchForReceipt(id, resolve));
}

for (const [name, transport] of Object.entries(transports)) {
  check(`a message is sent and received over ${name}`, () =>
    withClient(async client => {
      const destination = `/topic/${unique('topic')}`;
      const messages = [];
      const subscribed = receiptOf(client, 'subscribed');
      client.subscribe(destination, message => messages.push(message), { receipt: 'subscribed' });
      await subscribed;
      client.publish({ destination, body: 'grüße: \u0001', headers: { odd: 'a:b\nc' }, skipContentLengthHeader: false });
      await eventually(() => messages.length === 1, 'the message');
      equal([messages[0].body, messages[0].headers.odd, messages[0].headers.destination], ['grüße: \u0001', 'a:b\nc', destination]);
      equal(client.connectedVersion, '1.2');
    }, transport),
  );

  check(`a body of any bytes, a megabyte of them, arrives over ${name}`, () => {
    skipWhereTextIsCut(name);
    return withClient(async client => {
      const destination = `/topic/${unique('topic')}`;
      const messages = [];
      const subscribed = receiptOf(client, 'subscribed');
      client.subscribe(destination, message => messages.push(message), { receipt: 'subscribed' });
      await subscribed;
      const binaryBody = new Uint8Array(1_000_000).map((_, index) => index % 256);
      client.publish({ destination, binaryBody, headers: { 'content-type': 'application/octet-stream' } });
      await eventually(() => messages.length === 1, 'the message');
      assert(Buffer.from(binaryBody).equals(Buffer.from(messages[0].binaryBody)), 'the body has changed');
    }, transport);
  });

  check(`thousands of texts with letters of several bytes arrive in order over ${name}`, () => {
    skipWhereTextIsCut(name);
    return withClient(async client => {
      const destination = `/topic/${unique('topic')}`;
      const bodies = [];
      const subscribed = receiptOf(client, 'subscribed');
      client.subscribe(destination, message => bodies.push(message.body), { receipt: 'subscribed' });
      await subscribed;
      for (let number = 0; number < 3000; number++) client.publish({ destination, body: `${number} ${'ü€😀'.repeat(20)}` });
      await eventually(() => bodies.length === 3000, '3000 messages');
      equal(
        bodies.findIndex((body, index) => body !== `${index} ${'ü€😀'.repeat(20)}`),
        -1,
      );
    }, transport);
  });

  check(`acknowledgements, transactions and receipts over ${name}`, () =>
    withClient(async client => {
      const destination = `/queue/${unique('queue')}`;
      const messages = [];
      const transaction = client.begin();
      client.publish({ destination, body: '1', headers: { transaction: transaction.id } });
      client.publish({ destination, body: '2', headers: { transaction: transaction.id } });
      transaction.commit();
      const subscription = client.subscribe(destination, message => messages.push(message), {
        ack: 'client-individual',
        'prefetch-count': '1',
      });
      await eventually(() => messages.length === 1, 'the first message');
      messages[0].nack({ requeue: 'true' });
      await eventually(() => messages.length === 2, 'the first message again');
      equal([messages[1].body, messages[1].headers.redelivered], ['1', 'true']);
      messages[1].ack();
      await eventually(() => messages.length === 3, 'the second message');
      equal(messages[2].body, '2');
      messages[2].ack();
      const gone = receiptOf(client, 'gone');
      subscription.unsubscribe({ receipt: 'gone' });
      await gone;
    }, transport),
  );
}

check('heart-beats go both ways in a WebSocket', () =>
  withClient(
    async client => {
      const until = Date.now() + 3500;
      await eventually(() => Date.now() > until, 'some heart-beats');
      equal(client.connected, true);
    },
    { ...transports['a WebSocket'], heartbeatIncoming: 1000, heartbeatOutgoing: 1000 },
  ),
);

check('a wrong password is told', () =>
  withClient(
    async (_, errors) => {
      equal([errors[0].headers.message, errors[0].body.trim()], ['Bad CONNECT', "Access refused for user 'guest'"]);
    },
    { ...transports['a WebSocket'], connectHeaders: { login: 'guest', passcode: 'wrong' } },
  ),
);

await main();
