// A backend that has to ask elsewhere who a client is: what the client sends meanwhile waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthBackend, AuthResult } from '../../../src/core/ports/auth-backend.ts';
import { Link } from '../../../src/net/link.ts';
import { FrontEnd } from '../../../src/protocols/amqp091/front-end.ts';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { FakeSocket, type FakeSocketOptions } from '../../support/fake-socket.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { capableClient, SimClient } from '../../support/sim-client.ts';

const refused: AuthResult = { ok: false, reason: 'not known here', delayMillis: 0 };
const guest: AuthResult = { ok: true, user: { name: 'guest', tags: [] } };

/** Answers when the test says so. */
class SlowBackend implements AuthBackend {
  readonly #answers: ((result: AuthResult) => void)[] = [];

  authenticate(): Promise<AuthResult> {
    return new Promise(resolve => this.#answers.push(resolve));
  }

  async answer(result: AuthResult): Promise<void> {
    this.#answers.shift()?.(result);
    await Promise.resolve();
  }
}

class SlowBroker extends SimBroker {
  readonly backend = new SlowBackend();
  readonly #frontEnd = new FrontEnd(this.core, this.backend);

  override accept(options: FakeSocketOptions = {}): FakeSocket {
    const socket = new FakeSocket(this.ticks, options);
    const facts = {
      peerHost: '127.0.0.1',
      peerPort: 1,
      host: '127.0.0.1',
      port: 5672,
      isTls: false,
      isWebSocket: false,
      tls: null,
      peerCertificate: null,
    };
    this.#frontEnd.accept(new Link(socket, facts, this.core.settings.outboxBytesMax));
    return socket;
  }
}

/** A client that sends its whole handshake in one write. */
function connect(broker: SlowBroker): SimClient {
  const client = new SimClient(broker);
  client.send(
    Buffer.concat([
      Buffer.from(protocolHeader),
      methods.encodeConnectionStartOk(0, {
        clientProperties: capableClient('authentication_failure_close'),
        mechanism: 'PLAIN',
        response: Buffer.from('\0guest\0guest'),
        locale: 'en_US',
      }),
      methods.encodeConnectionTuneOk(0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }),
      methods.encodeConnectionOpen(0, { virtualHost: '/' }),
      methods.encodeChannelOpen(1),
    ]),
  );
  client.expect(methods.ConnectionStart);
  return client;
}

test('what comes behind start-ok is acted on when the backend has answered', async () => {
  const broker = new SlowBroker();
  const client = connect(broker);
  assert.deepEqual(client.takeAll(), []);
  await broker.backend.answer(guest);
  broker.settle();
  client.expect(methods.ConnectionTune);
  client.expect(methods.ConnectionOpenOk);
  client.expect(methods.ChannelOpenOk);
});

test('of a client that is refused nothing more is read', async () => {
  const broker = new SlowBroker();
  const client = connect(broker);
  await broker.backend.answer(refused);
  broker.settle();
  assert.equal(client.expect(methods.ConnectionClose).replyCode, 403);
  assert.deepEqual(client.takeAll(), []);
  assert.equal(broker.core.counters.channelsOpened, 0);
});

test('a client that goes while the backend is asked leaves nothing behind', async () => {
  const broker = new SlowBroker();
  const client = connect(broker);
  client.drop();
  await broker.backend.answer(guest);
  broker.settle();
  assert.equal([...broker.core.connections].length, 0);
});

test('a backend that never answers is given up with the handshake', () => {
  const broker = new SlowBroker();
  const client = connect(broker);
  broker.advance(broker.core.settings.handshakeTimeoutMillis + 1000);
  assert.equal(client.socket.isDestroyed, true);
});
