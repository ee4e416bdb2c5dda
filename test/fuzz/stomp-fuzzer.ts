import assert from 'node:assert/strict';
import v8 from 'node:v8';
import vm from 'node:vm';
import { InternalBackend } from '../../src/auth/internal-backend.ts';
import { StompFrontEnd } from '../../src/protocols/stomp/front-end.ts';
import type { Frame } from '../../src/wire/stomp/frame.ts';
import { FrameReader } from '../../src/wire/stomp/frame-reader.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { Wild } from './wild.ts';

export interface StompFuzzReport {
  readonly seed: number;
  sessions: number;
  frames: number;
  /** How often each error was told. */
  readonly errors: Record<string, number>;
  delivered: number;
  receipts: number;
  /** Bytes held after a full collection: at the first measurement, and now. */
  heap: { first: number; last: number };
}

v8.setFlagsFromString('--expose_gc');
const gc = vm.runInNewContext('gc') as () => void;
const roundSessions = 200;

const commands = [
  'SEND',
  'SEND',
  'SEND',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'ACK',
  'NACK',
  'BEGIN',
  'COMMIT',
  'ABORT',
  'DISCONNECT',
  'CONNECT',
  'MESSAGE',
  'X',
];
const destinations = [
  '/queue/a',
  '/queue/b',
  '/queue/c%2Fd',
  'plain',
  '/topic/a.b',
  '/topic/#',
  '/exchange/amq.fanout',
  '/exchange/amq.direct/k',
];
const oddDestinations = [
  '',
  '/',
  '/queue',
  '/queue/',
  '/temp-queue/x',
  '/reply-queue/y',
  '/amq/queue/a',
  '/amq/queue/none',
  '/exchange/no/k',
  '/exchange//',
  '/x/y',
  '/queue/amq.z',
];
const names = [
  'ack',
  'persistent',
  'durable',
  'auto-delete',
  'exclusive',
  'prefetch-count',
  'priority',
  'expiration',
  'timestamp',
  'reply-to',
  'receipt',
  'transaction',
  'id',
  'message-id',
  'requeue',
  'selector',
  'x-message-ttl',
  'x-max-length',
  'x-overflow',
  'x-max-priority',
  'x-queue-type',
  'x-dead-letter-exchange',
  'x-queue-name',
  'user-id',
  'CC',
  'BCC',
  '__proto__',
  'constructor',
  'content-type',
  'x-priority',
];
const values = [
  'true',
  'false',
  'client',
  'client-individual',
  'auto',
  '0',
  '1',
  '5',
  '-1',
  '256',
  '99999999999999999999',
  'NaN',
  '',
  'guest',
  '/temp-queue/t',
  '/queue/a',
  'classic',
  'quorum',
  'reject-publish',
  'amq.fanout',
  't1',
  't2',
  '__proto__',
  'ü',
  '\\n',
  '\\q',
  'a:b',
];

/**
 * Feeds STOMP's front-end with frames that are right, nearly right and not at all, and watches: nothing is thrown, nothing is our own fault, what is sent
 * is frames, a client beside is served, memory stays where it was.
 */
export class StompFuzzer {
  readonly random: Wild;
  readonly report: StompFuzzReport;
  readonly #broker = new SimBroker({ settings: { messageBytesMax: 20_000 } });
  readonly #frontEnd: StompFrontEnd;
  #trail: Buffer[] = [];
  #acks: string[] = [];

  constructor(seed: number) {
    this.random = new Wild(seed);
    const { core } = this.#broker;
    this.#frontEnd = new StompFrontEnd(core, new InternalBackend(core.access, []), { frameBytesMax: 30_000 });
    this.report = { seed, sessions: 0, frames: 0, errors: {}, delivered: 0, receipts: 0, heap: { first: 0, last: 0 } };
  }

  /** Runs sessions until so many frames were sent; `progress` is called now and then. */
  run(frames: number, progress: () => void = () => {}): StompFuzzReport {
    while (this.report.frames < frames) {
      for (let i = 0; i < roundSessions; i++) this.#session();
      this.#cleanUp();
      progress();
    }
    return this.report;
  }

  #session(): void {
    const { random, report } = this;
    random.wildness = random.pick([0, 0.005, 0.02, 0.1, 0.4]);
    this.#trail = [];
    this.#acks = [];
    try {
      this.#runSession();
      if (random.chance(0.1)) this.#serveOther();
    } catch (error) {
      throw new Error(
        `session ${report.sessions} failed: ${(error as Error).message}\nsent:\n${this.#trail.map(bytes => JSON.stringify(bytes.toString('latin1'))).join('\n')}`,
        { cause: error },
      );
    }
    report.sessions++;
  }

  #runSession(): void {
    const { random, report } = this;
    const broker = this.#broker;
    const options = { kernelBytesMax: random.chance(0.05) ? 5000 : Infinity, takesAtOnce: random.chance(0.8) };
    const socket = broker.accept(options, this.#frontEnd);
    const reader = new FrameReader(1_000_000);
    const readsNothing = random.chance(0.03);
    if (!random.isWild()) this.#send(socket, this.#connect());
    for (let left = random.between(5, 120); left > 0 && !socket.isDestroyed && !socket.hasEnded; left--) {
      let bytes = this.#frame();
      if (random.isWild()) bytes = this.#mutated(bytes);
      report.frames++;
      if (random.chance(0.2) && bytes.length > 2) {
        const at = random.between(1, bytes.length - 1);
        this.#send(socket, bytes.subarray(0, at));
        this.#send(socket, bytes.subarray(at));
      } else {
        this.#send(socket, bytes);
      }
      if (!readsNothing) this.#read(socket, reader);
      if (random.chance(0.005)) broker.advance(random.pick([1, 600, 5000]));
    }
    if (random.chance(0.5)) socket.hangUp();
    else socket.reset();
    broker.settle();
    if (!socket.isClosed) broker.advance(60_000);
    assert.ok(socket.isClosed, 'the connection is still there');
  }

  #send(socket: FakeSocket, bytes: Buffer): void {
    this.#trail.push(bytes);
    socket.receive(Buffer.from(bytes));
    this.#broker.settle();
  }

  #read(socket: FakeSocket, reader: FrameReader): void {
    const bytes = socket.read();
    reader.push(bytes, 0, bytes.length, { onFrame: frame => this.#note(frame) });
  }

  #note({ command, headers }: Frame): boolean {
    const { report } = this;
    assert.ok(['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'].includes(command), command);
    if (command === 'RECEIPT') report.receipts++;
    if (command === 'MESSAGE') {
      report.delivered++;
      const ack = headers.get('ack');
      if (ack !== undefined) this.#acks.push(ack);
    }
    if (command === 'ERROR') {
      const message = headers.get('message') ?? '';
      assert.notEqual(message, 'Processing error');
      report.errors[message] = (report.errors[message] ?? 0) + 1;
    }
    return true;
  }

  #connect(): Buffer {
    const { random } = this;
    const version = random.pick(['1.0', '1.1', '1.2', '1.2', '1.2', '1.0,1.1,1.2']);
    const beat = random.pick(['0,0', '0,0', '1000,2000', '5,5']);
    return Buffer.from(`CONNECT\naccept-version:${version}\nhost:/\nlogin:guest\npasscode:guest\nheart-beat:${beat}\n\n\0`);
  }

  #frame(): Buffer {
    const { random } = this;
    if (random.isWild()) return random.bytes(random.skewed(2000));
    const command = random.isWild() ? random.pick(commands) : random.pick(commands.slice(0, 10));
    const lines: string[] = [];
    if (command === 'SEND' || command === 'SUBSCRIBE' || random.chance(0.1)) {
      lines.push(`destination:${random.pick(random.isWild() ? oddDestinations : destinations)}`);
    }
    if (command.includes('SUBSCRIBE') && !random.isWild()) lines.push(`id:${random.between(0, 5)}`);
    if (command === 'SUBSCRIBE' && random.chance(0.7)) lines.push(`ack:${random.pick(['auto', 'client', 'client-individual'])}`);
    if ((command === 'ACK' || command === 'NACK') && this.#acks.length > 0 && !random.isWild()) {
      const [ack] = this.#acks.splice(random.below(this.#acks.length), 1);
      lines.push(`id:${ack}`, `message-id:${ack}`);
    }
    if (['BEGIN', 'COMMIT', 'ABORT'].includes(command) && !random.isWild()) lines.push(`transaction:${random.pick(['t1', 't2'])}`);
    if (random.chance(0.3)) lines.push(`receipt:${random.between(1, 1000)}`);
    for (let i = random.isWild() ? random.skewed(110) : random.below(3); i > 0; i--) {
      if (random.isWild()) lines.push(`${random.pick(names)}:${random.pick(values)}`);
      else if (random.chance(0.3)) lines.push(`h${i}:${random.pick(values.slice(0, 8))}`);
    }
    const body = command === 'SEND' ? 'b'.repeat(random.isWild() ? random.skewed(25_000) : random.skewed(300)) : '';
    if (random.chance(0.5)) lines.push(`content-length:${random.isWild() ? random.pick(values) : body.length}`);
    const end = random.chance(0.1) ? '\r\n' : '\n';
    return Buffer.from(`${command}${end}${lines.map(line => `${line}${end}`).join('')}${end}${body}\0${random.chance(0.3) ? '\n' : ''}`);
  }

  /** The same with one thing wrong. */
  #mutated(bytes: Buffer): Buffer {
    const { random } = this;
    const at = random.below(Math.max(1, bytes.length));
    switch (random.below(4)) {
      case 0:
        return Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, 4)), bytes.subarray(at)]);
      case 1:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, 4))]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(['\0', '\n', '\r', ':', '\\', '\n\n'])), bytes.subarray(at)]);
      default:
        return bytes.subarray(0, at);
    }
  }

  /** A client that does everything right gets what it asks for, whatever others do. */
  #serveOther(): void {
    const broker = this.#broker;
    const socket = broker.accept({}, this.#frontEnd);
    socket.receive(Buffer.from('CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0'));
    socket.receive(
      Buffer.from('SUBSCRIBE\nid:0\ndestination:/queue/beside\ndurable:false\n\n\0SEND\ndestination:/queue/beside\nreceipt:r\n\nhello\0'),
    );
    broker.settle();
    const text = socket.read().toString();
    assert.ok(text.includes('receipt-id:r') && text.includes('hello'), `the client beside was not served: ${text}`);
    socket.hangUp();
    broker.settle();
  }

  #cleanUp(): void {
    const { core } = this.#broker;
    this.#broker.advance(60_000);
    assert.equal(this.#frontEnd.connectionCount, 0);
    const vhost = core.vhosts.get('/');
    for (const queue of [...(vhost?.queues.values() ?? [])]) vhost?.removeQueue(queue);
    this.#broker.settle();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const { heap } = this.report;
    heap.last = heapUsed + arrayBuffers;
    if (heap.first === 0) heap.first = heap.last;
  }
}
