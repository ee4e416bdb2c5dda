// Sessions that the network cuts, or delivers in other pieces than they were sent in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternalBackend } from '../../../src/auth/internal-backend.ts';
import { StompFrontEnd } from '../../../src/protocols/stomp/front-end.ts';
import type { FakeSocket } from '../../support/fake-socket.ts';
import { SimBroker } from '../../support/sim-broker.ts';

const frame = (command: string, headers: Readonly<Record<string, string>>, body = ''): string =>
  `${command}\n${Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n${body}\0`;

const connect = frame('CONNECT', { 'accept-version': '1.2', host: '/', login: 'guest', passcode: 'guest' });
const subscribe = frame('SUBSCRIBE', { id: '0', destination: '/queue/held', ack: 'client-individual', 'prefetch-count': '10' });
const sends = [1, 2].map(number => frame('SEND', { destination: '/queue/q', 'content-length': '40' }, String(number).repeat(40)));
const begin = frame('BEGIN', { transaction: 't' });
const within = frame('SEND', { destination: '/queue/q', transaction: 't' }, 'never committed');
/** Its length tells behind which byte which of its frames is whole. */
const session = Buffer.from([connect, subscribe, ...sends, begin, within].join(''));
const firstSend = connect.length + subscribe.length;

interface Started {
  readonly broker: SimBroker;
  readonly accept: () => FakeSocket;
}

function start(): Started {
  const broker = new SimBroker();
  const frontEnd = new StompFrontEnd(broker.core, new InternalBackend(broker.core.access, []), {});
  const accept = (): FakeSocket => broker.accept({}, frontEnd);
  const maker = accept();
  for (const queue of ['q', 'held'])
    maker.receive(Buffer.from((queue === 'q' ? connect : '') + frame('SEND', { destination: `/queue/${queue}` }, 'x')));
  broker.settle();
  maker.hangUp();
  broker.settle();
  broker.core.vhosts.get('/')?.queues.get('q')?.purge();
  return { broker, accept };
}

const ways: readonly (readonly [string, (socket: FakeSocket) => void])[] = [
  ['reset', socket => socket.reset()],
  ['end', socket => socket.hangUp()],
];

for (const [way, breakOff] of ways) {
  test(`a session that ends by ${way} behind any of its bytes leaves no part of a message, no transaction, and what it held goes back`, () => {
    const { broker, accept } = start();
    const { queues } = broker.core.vhosts.get('/') ?? assert.fail();
    for (let count = 0; count <= session.length; count++) {
      const socket = accept();
      socket.receive(session.subarray(0, count));
      broker.settle();
      const hasSubscribed = count >= firstSend;
      assert.equal(queues.get('held')?.unackedCount, hasSubscribed ? 1 : 0, `behind byte ${count}`);
      breakOff(socket);
      broker.settle();
      const whole = sends.filter((_, index) => count >= firstSend + sends.slice(0, index + 1).join('').length).length;
      assert.equal(queues.get('q')?.purge(), whole, `behind byte ${count}`);
      assert.deepEqual([queues.get('held')?.readyCount, queues.get('held')?.unackedCount], [1, 0], `behind byte ${count}`);
      assert.equal(broker.core.connections.size, 0, `behind byte ${count}`);
    }
  });
}

test('a session has the same answers however its bytes are cut', () => {
  const frames = (size: number): string[] => {
    const { broker, accept } = start();
    const socket = accept();
    const bytes = Buffer.concat([session, Buffer.from(frame('COMMIT', { transaction: 't', receipt: 'r' }))]);
    for (let at = 0; at < bytes.length; at += size) {
      socket.receive(bytes.subarray(at, at + size));
      broker.settle();
    }
    assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.readyCount, 3);
    // What is made anew for each session has a name of its own; messages come when there is time for them.
    return String(socket.read())
      .replace(/(session|message-id|ack):[^\n]*/g, '$1:')
      .split('\0\n')
      .sort();
  };
  const whole = frames(session.length * 2);
  assert.deepEqual(
    whole.map(each => each.split('\n')[0]),
    ['', 'CONNECTED', 'MESSAGE', 'RECEIPT'],
  );
  for (const size of [1, 2, 3, 7, 64]) assert.deepEqual(frames(size), whole, `pieces of ${size} bytes`);
});
