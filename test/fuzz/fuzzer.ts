import assert from 'node:assert/strict';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Vhost } from '../../src/core/vhost.ts';
import { protocolHeader } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { FrameCutter } from '../support/amqp-frames.ts';
import { basicGet, queueDeclare } from '../support/amqp-requests.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { capableClient, SimClient } from '../support/sim-client.ts';
import { hostileDeclaration, methodFrame, someStep } from './grammar.ts';
import { mutateFrame, mutateSession } from './mutate.ts';
import { Wild } from './wild.ts';

/** Reply codes that may be told; 541 would be our own fault. [AMQP 0-9-1 constants] */
const allowedCodes = new Set([311, 312, 313, 320, 402, 403, 404, 405, 406, 501, 502, 503, 504, 505, 506, 530, 540]);

export type SessionKind = 'noise' | 'early' | 'mutated' | 'grammar' | 'bombs';

const kinds: Readonly<Record<SessionKind, number>> = { noise: 10, early: 10, mutated: 30, grammar: 45, bombs: 5 };

export interface FuzzReport {
  readonly seed: number;
  sessions: number;
  frames: number;
  bytes: number;
  turns: number;
  readonly sessionsByKind: Record<string, number>;
  /** How often each reply code was told. */
  readonly codes: Record<string, number>;
  /** Connections that the broker ended without a word. */
  silentEnds: number;
  /** Bytes held after a full collection: at the first measurement, now, and the most there was. */
  heap: { first: number; last: number; max: number };
  oracleChecks: number;
}

v8.setFlagsFromString('--expose_gc');
const gc = vm.runInNewContext('gc') as () => void;

/** How many sessions pass between two times of cleaning up and measuring. */
const roundSessions = 200;

/**
 * Feeds a broker with what no client would send, session after session, and watches: nothing is thrown, everything the broker sends is right in
 * form, only documented codes are told, an ordinary client beside is served all the time, and memory stays where it was.
 */
export class Fuzzer {
  readonly random: Wild;
  readonly report: FuzzReport;
  readonly #broker: SimBroker;
  readonly #vhost: Vhost;
  readonly #oracle: SimClient;
  /** The bytes of the session that is going on, for a failure. */
  #trail: Buffer[] = [];
  #outputText = '';

  constructor(seed: number) {
    this.random = new Wild(seed);
    this.#broker = new SimBroker({ settings: { mechanisms: ['PLAIN', 'AMQPLAIN', 'EXTERNAL'], messageBytesMax: 100_000 } });
    this.#vhost = this.#broker.core.vhosts.get('/') as Vhost;
    this.#oracle = SimClient.connect(this.#broker);
    this.#oracle.openChannel(1);
    this.#oracle.call(queueDeclare(1, { queue: 'oracle', exclusive: true }), methods.QueueDeclareOk);
    const heap = { first: 0, last: 0, max: 0 };
    this.report = { seed, sessions: 0, frames: 0, bytes: 0, turns: 0, sessionsByKind: {}, codes: {}, silentEnds: 0, heap, oracleChecks: 0 };
  }

  /** Runs sessions until both numbers are reached; `progress` is called now and then. */
  run(sessions: number, frames: number, progress: () => void = () => {}): FuzzReport {
    while (this.report.sessions < sessions || this.report.frames < frames) {
      for (let i = 0; i < roundSessions; i++) this.#session();
      this.#cleanUp();
      progress();
    }
    return this.report;
  }

  #session(): void {
    const { random, report } = this;
    const kind = random.weighted(kinds);
    // Most sessions do one thing wrong in a hundred, so that they get far before it counts.
    random.wildness = random.pick([0, 0.002, 0.002, 0.01, 0.05, 0.3]);
    this.#trail = [];
    this.#outputText = '';
    try {
      this.#runSession(this.#framesOf(kind));
      this.#checkOracle();
    } catch (error) {
      throw new Error(
        `session ${report.sessions} (${kind}) failed: ${(error as Error).message}\nsent:\n${this.#trail.map(bytes => bytes.toString('hex')).join('\n')}\ngot: ${this.#outputText}`,
        { cause: error },
      );
    }
    report.sessions++;
    report.sessionsByKind[kind] = (report.sessionsByKind[kind] ?? 0) + 1;
  }

  /** What the client is going to send, frame by frame; drawn as it goes on, so that it can act on what it has got. */
  *#framesOf(kind: SessionKind): Iterable<Buffer> {
    const { random } = this;
    switch (kind) {
      case 'noise': {
        const noise = (): Buffer => random.bytes(random.skewed(3000));
        const before = random.pick([[], [Buffer.from(protocolHeader)], this.#opening()]);
        yield* before;
        for (let i = random.between(1, 6); i > 0; i--) yield noise();
        return;
      }
      case 'early': {
        // Before the connection is open: methods in wrong states, broken or hostile client properties.
        const header = random.chance(0.9) ? Buffer.from(protocolHeader) : mutateFrame(random, Buffer.from(protocolHeader));
        const opening = [methods.ConnectionStartOk, methods.ConnectionTuneOk, methods.ConnectionOpen];
        const steps = Array.from({ length: random.between(1, 8) }, () =>
          random.chance(0.6) ? methodFrame(random, random.pick(opening), 0) : (someStep(random)[0] as Buffer),
        );
        yield* random.chance(0.5) ? [header, ...steps] : mutateSession(random, [...this.#opening(), ...steps]);
        return;
      }
      case 'mutated':
        yield* this.#opening();
        yield* mutateSession(random, this.#ordinary());
        return;
      case 'bombs': {
        // Frames announced and never sent, bodies that never end, very many small things.
        yield* this.#opening();
        for (let number = random.between(1, 300); number > 0; number--) yield methods.encodeChannelOpen(number);
        for (let i = 0; i < 200; i++) {
          const step = someStep(random);
          yield step[0] as Buffer;
          for (let repeat = random.skewed(30); repeat > 0; repeat--) yield step.at(-1) as Buffer;
        }
        return;
      }
      default: {
        yield* this.#opening();
        for (let number = 1; number <= 3; number++) yield methods.encodeChannelOpen(number);
        if (random.chance(0.05)) yield hostileDeclaration(random, 1);
        for (let i = random.between(20, 300); i > 0; i--) yield* someStep(random);
      }
    }
  }

  #opening(): Buffer[] {
    const clientProperties = capableClient('authentication_failure_close', 'consumer_cancel_notify', 'connection.blocked');
    return [
      Buffer.from(protocolHeader),
      methods.encodeConnectionStartOk(0, {
        clientProperties,
        mechanism: 'PLAIN',
        response: Buffer.from('\0guest\0guest'),
        locale: 'en_US',
      }),
      methods.encodeConnectionTuneOk(0, { channelMax: 2047, frameMax: this.random.pick([4096, 131_072]), heartbeat: 0 }),
      methods.encodeConnectionOpen(0, { virtualHost: '/' }),
    ];
  }

  /** A session as clients have it. */
  #ordinary(): Buffer[] {
    const { random } = this;
    const frames = [methods.encodeChannelOpen(1)];
    for (let i = random.between(10, 80); i > 0; i--) frames.push(...someStep(random));
    return frames;
  }

  #runSession(frames: Iterable<Buffer>): void {
    const { random, report } = this;
    const broker = this.#broker;
    const socket = broker.accept({ kernelBytesMax: random.chance(0.1) ? 5000 : Infinity, takesAtOnce: random.chance(0.8) });
    const cutter = new FrameCutter();
    const readsNothing = random.chance(0.03);
    random.forgetTags();
    // What comes after the end of a connection is not read and does not count; a little of it is sent all the same.
    let left = random.below(20);
    let packet: Buffer[] = [];
    let packetFrames = 1;
    const flush = (): void => {
      if (packet.length === 0) return;
      if (this.#outputText.includes('connection.close')) left--;
      else report.frames += packet.length;
      this.#send(socket, Buffer.concat(packet));
      packet = [];
      packetFrames = random.chance(0.5) ? 1 : random.between(1, 30);
      if (!readsNothing) this.#read(socket, cutter);
      if (random.chance(0.01)) broker.advance(random.pick([1, 500, 3000, 10_000]));
    };
    for (const frame of frames) {
      packet.push(frame);
      if (packet.length >= packetFrames) flush();
      if (socket.isDestroyed || left < 0) break;
    }
    flush();
    if (!readsNothing) this.#read(socket, cutter);
    if (socket.isOver && !this.#outputText.includes('close')) report.silentEnds++;
    if (random.chance(0.5)) socket.hangUp();
    else socket.reset();
    broker.settle();
    if (!socket.isClosed) broker.advance(40_000);
    assert.ok(socket.isClosed, 'the connection is still there');
    assert.equal(broker.core.connections.size, 1, 'connections are left');
    report.turns = broker.core.turn.count;
  }

  /** Sends in one piece or in several. */
  #send(socket: FakeSocket, chunk: Buffer): void {
    const { random, report } = this;
    this.#trail.push(chunk);
    report.bytes += chunk.length;
    if (random.chance(0.8)) {
      socket.receive(chunk);
    } else {
      for (let at = 0; at < chunk.length; ) {
        const count = random.chance(0.3) ? 1 : random.between(1, 200);
        socket.receive(Buffer.from(chunk.subarray(at, at + count)));
        at += count;
      }
    }
    this.#broker.settle();
  }

  #read(socket: FakeSocket, cutter: FrameCutter): void {
    for (let bytes = socket.read(); bytes.length > 0; bytes = socket.read()) {
      // Throws when it is not right in form.
      for (const frame of cutter.push(bytes)) {
        if (frame.method === methods.BasicDeliver || frame.method === methods.BasicGetOk) {
          this.random.noteTag(frame.channel, frame.args.deliveryTag as number);
        }
        if (frame.method !== methods.ConnectionClose && frame.method !== methods.ChannelClose) continue;
        const { replyCode, replyText } = frame.args;
        this.#outputText += `${frame.name} ${replyCode} ${replyText}\n`;
        assert.ok(allowedCodes.has(replyCode), `${frame.name} with ${replyCode} ${replyText}`);
        this.report.codes[replyCode] = (this.report.codes[replyCode] ?? 0) + 1;
        if (frame.method === methods.ChannelClose) this.random.forgetTags(frame.channel);
        if (frame.method === methods.ChannelClose && !this.random.isWild()) {
          socket.receive(methods.encodeChannelCloseOk(frame.channel));
          socket.receive(methods.encodeChannelOpen(frame.channel));
          this.report.frames += 2;
        }
        if (frame.method === methods.ConnectionClose && this.random.chance(0.7)) socket.receive(methods.encodeConnectionCloseOk(0));
      }
      this.#broker.settle();
    }
  }

  /** The client beside gets what it asks for, whatever the others do. */
  #checkOracle(): void {
    const body = String(this.report.sessions);
    this.#oracle.publish(1, { routingKey: 'oracle', body });
    this.#oracle.send(basicGet(1, 'oracle', true));
    assert.equal(this.#oracle.takeDelivery(1)?.body.toString(), body, 'the client beside is not served');
    this.report.oracleChecks++;
    this.#broker.check();
    assert.equal(this.#broker.core.counters.internalErrors, 0);
  }

  /** Deletes what sessions have left, checks that nothing else is left, and measures. */
  #cleanUp(): void {
    const { core } = this.#broker;
    core.turn.begin();
    for (const queue of Array.from(this.#vhost.queues.values())) if (queue.name !== 'oracle') this.#vhost.removeQueue(queue);
    for (const exchange of Array.from(this.#vhost.exchanges.values())) {
      if (exchange.name !== '' && !exchange.name.startsWith('amq.')) this.#vhost.removeExchange(exchange);
    }
    for (const exchange of this.#vhost.exchanges.values()) {
      for (const binding of Array.from(exchange.bindings.values())) {
        this.#vhost.unbind(exchange, binding.destination, binding.key, binding.arguments);
      }
    }
    this.#broker.settle();
    core.compactMemory(0);
    assert.equal(core.store.liveCount, 0, 'messages are left that nobody has');
    assert.equal(this.#vhost.hiddenQueues.size, 0, 'reply queues are left');
    assert.equal(core.counters.channelsOpened - core.counters.channelsClosed, 1, 'channels are left');
    assert.ok([...core.refHolders()].length <= 4, 'holders of references are left');
    // Twice: what the first finds may hold buffers.
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const { heap } = this.report;
    heap.last = heapUsed + arrayBuffers;
    heap.max = Math.max(heap.max, heap.last);
    // What code and caches take is there after some rounds.
    if (this.report.sessions <= 10 * roundSessions) heap.first = heap.last;
  }
}
