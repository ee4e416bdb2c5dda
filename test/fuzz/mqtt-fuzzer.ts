// Sessions of MQTT that begin right and go wrong, against the whole front-end: no error of ours, only answers that the specification has, a
// client beside that is served, and nothing left behind.
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InternalBackend } from '../../src/auth/internal-backend.ts';
import { FrontEnd } from '../../src/protocols/mqtt/front-end.ts';
import { decodePacket } from '../../src/wire/mqtt/decode.ts';
import { encodePacket } from '../../src/wire/mqtt/encode.ts';
import { MqttError } from '../../src/wire/mqtt/mqtt-error.ts';
import { PacketReader, type PacketVisitor } from '../../src/wire/mqtt/packet-reader.ts';
import type { Packet } from '../../src/wire/mqtt/packets.ts';
import type { Properties } from '../../src/wire/mqtt/properties.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const topics = ['a', 'a/b', 'a/b/c', '/data', 'a//', 'x'.repeat(255), '$SYS/x', '$other', 'ä/ö', 'a.b', ' '];
const filters = ['a', '#', '+', 'a/+', 'a/#', '+/b/#', '$share/g/a', '$share/h/#', '/data', 'a/#/b', 'a+', '', '$share/g/', '$SYS/#'];
const clientIds = ['', 'one', 'one', 'one', 'two', 'three', 'x'.repeat(233), 'x'.repeat(234), 'ä'];
/** Reason codes that the broker may send. */
const allowed = new Set([
  0, 1, 2, 3, 4, 5, 0x10, 0x11, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x92, 0x93, 0x94, 0x95, 0x97,
  0x98,
]);

class Answers implements PacketVisitor {
  /** Whether the client answers nothing. */
  isSilent = false;
  readonly version: number;
  packets: Packet[] = [];

  constructor(version: number) {
    this.version = version;
  }

  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean {
    this.packets.push(decodePacket(first, Buffer.from(buffer), start, end, this.version));
    return true;
  }

  onPacketFault(fault: string): void {
    assert.fail(`the broker sent what is no packet: ${fault}`);
  }
}

interface Client {
  readonly socket: FakeSocket;
  readonly reader: PacketReader;
  readonly answers: Answers;
}

export class MqttFuzzer {
  readonly random: Random;
  readonly broker = new SimBroker();
  readonly frontEnd: FrontEnd;
  readonly report = { sessions: 0, packets: 0, bytes: 0, reasons: new Map<number, number>(), heapFirst: 0, heapLast: 0 };
  #oracle: Client;
  #lingering: Client[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.frontEnd = new FrontEnd(this.broker.core, new InternalBackend(this.broker.core.access, []), {
      receiveMax: 3,
      subscriptionsMax: 4,
      retained: { messagesMax: 50, bytesMax: 10_000 },
      anonymousLogin: { user: 'guest', password: 'guest' },
    });
    this.#oracle = this.#connectOracle();
  }

  run(sessions: number, packets: number, onProgress: () => void = () => {}): this {
    const { report } = this;
    while (report.sessions < sessions || report.packets < packets) {
      this.#session();
      report.sessions++;
      if (report.sessions % 50 === 0) this.#checkOracle();
      if (report.sessions % 500 === 0) this.#measure();
      onProgress();
    }
    this.#checkOracle();
    this.#measure();
    return this;
  }

  #session(): void {
    const { random, broker } = this;
    const version = random.pick([3, 4, 5]);
    const wildness = random.pick([0, 0.02, 0.1, 0.5]);
    const socket = broker.accept({}, this.frontEnd);
    const answers = new Answers(version);
    const reader = new PacketReader(300_000_000);
    const length = random.between(1, 40);
    // Some send message after message of QoS 2 and release none.
    answers.isSilent = random.chance(0.05);
    for (let i = 0; i < length && !socket.isOver; i++) {
      const isFirst = i === 0 && !random.chance(wildness);
      const packet = isFirst ? this.#connect(version) : answers.isSilent ? this.#publish(version, i + 1, 2) : this.#packet(version);
      this.report.packets++;
      let bytes: Buffer;
      try {
        bytes = encodePacket(packet, version);
      } catch (error) {
        if (error instanceof RangeError) continue;
        throw error;
      }
      if (random.chance(wildness)) bytes = mutated(random, bytes);
      this.#send(socket, bytes);
      this.#read(socket, reader, answers);
    }
    if (random.chance(0.3)) broker.advance(random.pick([100, 2000, 200_000]));
    for (const each of this.#lingering) this.#read(each.socket, each.reader, each.answers);
    if (random.chance(0.45)) {
      // Others come while it is there, some with its client id.
      this.#lingering.push({ socket, reader, answers });
      if (this.#lingering.length > 3) this.#lingering.shift()?.socket.reset();
    } else if (random.chance(0.5)) socket.hangUp();
    else socket.reset();
    broker.settle();
    broker.advance(6000);
    broker.check();
    assert.equal(broker.core.counters.internalErrors, 0);
  }

  #connect(version: number): Packet {
    const { random } = this;
    const properties: Properties = {};
    if (version === 5) {
      if (random.chance(0.5)) properties.sessionExpirySeconds = random.pick([0, 1, 100, 0xffff_ffff]);
      if (random.chance(0.3)) properties.receiveMax = random.pick([1, 2, 65_535]);
      if (random.chance(0.3)) properties.packetBytesMax = random.pick([1, 10, 100, 100_000]);
      if (random.chance(0.3)) properties.topicAliasMax = random.pick([0, 1, 100]);
    }
    const hasWill = random.chance(0.3);
    return {
      name: 'connect',
      version: random.chance(0.02) ? random.pick([0, 6, 0x84]) : version,
      clientId: random.pick(clientIds),
      isCleanStart: random.chance(0.5),
      keepAliveSeconds: random.pick([0, 1, 60]),
      will: hasWill
        ? {
            topic: random.pick([...topics, '#', '']),
            payload: Buffer.from('will'),
            qos: random.below(3),
            isRetained: random.chance(0.3),
            properties: version === 5 && random.chance(0.5) ? { willDelaySeconds: random.below(3) } : {},
          }
        : null,
      username: random.chance(0.05) ? null : random.pick(['guest', 'guest', 'guest', '/:guest', 'nobody']),
      password: random.chance(0.05) ? null : Buffer.from(random.pick(['guest', 'guest', 'guest', 'wrong'])),
      properties,
    };
  }

  #packet(version: number): Packet {
    const { random } = this;
    const id = random.pick([1, 2, 3, 4, 5, 65_535, random.between(1, 65_535)]);
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#publish(version, id);
      case 4:
      case 5: {
        const subscriptions = Array.from({ length: random.between(1, 3) }, () => ({
          filter: random.pick(filters),
          qos: random.below(3),
          isNoLocal: random.chance(0.1),
          isRetainAsPublished: random.chance(0.3),
          retainHandling: random.below(3),
        }));
        return {
          name: 'subscribe',
          packetId: id,
          subscriptions,
          properties: random.chance(0.3) ? { subscriptionIds: [random.between(1, 300)] } : {},
        };
      }
      case 6:
        return { name: 'unsubscribe', packetId: id, filters: [random.pick(filters)], properties: {} };
      case 7:
        return { name: 'puback', packetId: id, reason: random.pick([0, 0, 0x80]), properties: {} };
      case 8:
        return {
          name: random.pick(['pubrec', 'pubrel', 'pubcomp'] as const),
          packetId: id,
          reason: random.pick([0, 0, 0x92]),
          properties: {},
        };
      case 9:
        return { name: 'pingreq' };
      case 10:
        if (random.chance(0.7)) return { name: 'pingreq' };
        return {
          name: 'disconnect',
          reason: random.pick([0, 4, 0x80]),
          properties: random.chance(0.3) ? { sessionExpirySeconds: random.below(3) } : {},
        };
      default:
        if (random.chance(0.8)) return this.#publish(version, id);
        return random.pick<Packet>([
          this.#connect(version),
          { name: 'connack', isSessionPresent: false, reason: 0, properties: {} },
          { name: 'suback', packetId: id, reasons: [0], properties: {} },
          { name: 'pingresp' },
          { name: 'auth', reason: 0x18, properties: {} },
        ]);
    }
  }

  #publish(version: number, packetId: number, qos = this.random.below(3)): Packet {
    const { random } = this;
    const properties: Properties = {};
    if (version === 5) {
      if (random.chance(0.2)) properties.topicAlias = random.pick([1, 2, 16, 17, 0]);
      if (random.chance(0.2)) properties.messageExpirySeconds = random.pick([0, 1, 0xffff_ffff]);
      if (random.chance(0.2)) properties.userProperties = [['__proto__', 'x']];
      if (random.chance(0.1)) properties.responseTopic = random.pick([...topics, '#']);
      if (random.chance(0.1)) properties.correlationData = random.bytes(random.below(300));
      if (random.chance(0.1)) properties.contentType = 'c'.repeat(random.below(300));
    }
    return {
      name: 'publish',
      topic: random.chance(0.05) ? random.pick(['', '#', 'a/+', 'x'.repeat(256)]) : random.pick(topics),
      qos,
      isDuplicate: qos > 0 && random.chance(0.2),
      isRetained: random.chance(0.2),
      packetId: qos === 0 ? 0 : packetId,
      payload: random.bytes(random.pick([0, 1, 16, 300, random.chance(0.01) ? 70_000 : 20])),
      properties,
    };
  }

  #send(socket: FakeSocket, bytes: Buffer): void {
    const { random } = this;
    this.report.bytes += bytes.length;
    if (random.chance(0.8)) socket.receive(Buffer.from(bytes));
    else {
      for (let at = 0; at < bytes.length; ) {
        const count = random.chance(0.3) ? 1 : random.between(1, 200);
        socket.receive(Buffer.from(bytes.subarray(at, at + count)));
        at += count;
      }
    }
    this.broker.settle();
  }

  /** Everything that comes must be right in form; what has to be answered mostly is. */
  #read(socket: FakeSocket, reader: PacketReader, answers: Answers): void {
    for (let bytes = socket.read(); bytes.length > 0; bytes = socket.read()) {
      try {
        reader.push(bytes, 0, bytes.length, answers);
      } catch (error) {
        // A CONNACK of another version than we say we speak, because what we said was changed on the way.
        if (!(error instanceof MqttError)) throw error;
        return;
      }
      const { packets } = answers;
      answers.packets = [];
      for (const packet of packets) {
        const codes = 'reason' in packet ? [packet.reason] : 'reasons' in packet ? packet.reasons : [];
        for (const code of codes) {
          assert.ok(allowed.has(code), `${packet.name} with reason ${code}`);
          this.report.reasons.set(code, (this.report.reasons.get(code) ?? 0) + 1);
        }
        if (answers.isSilent || !this.random.chance(0.7) || socket.isOver) continue;
        const answer = answerTo(packet);
        if (answer !== null) socket.receive(encodePacket(answer, answers.version));
      }
      this.broker.settle();
    }
  }

  #connectOracle(): Client {
    const socket = this.broker.accept({}, this.frontEnd);
    const answers = new Answers(4);
    const connect: Packet = {
      name: 'connect',
      version: 4,
      clientId: 'oracle',
      isCleanStart: true,
      keepAliveSeconds: 0,
      will: null,
      username: 'guest',
      password: Buffer.from('guest'),
      properties: {},
    };
    socket.receive(encodePacket(connect, 4));
    const subscription = { filter: 'oracle/#', qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 };
    socket.receive(encodePacket({ name: 'subscribe', packetId: 1, subscriptions: [subscription], properties: {} }, 4));
    this.broker.settle();
    const oracle = { socket, reader: new PacketReader(1_000_000), answers };
    oracle.reader.push(socket.read(), 0, 9, answers);
    assert.deepEqual(
      answers.packets.map(packet => packet.name),
      ['connack', 'suback'],
    );
    answers.packets = [];
    return oracle;
  }

  #checkOracle(): void {
    const { socket, reader, answers } = this.#oracle;
    const payload = Buffer.from(String(this.report.sessions));
    const publish: Packet = {
      name: 'publish',
      topic: 'oracle/x',
      qos: 1,
      isDuplicate: false,
      isRetained: false,
      packetId: 7,
      payload,
      properties: {},
    };
    socket.receive(encodePacket(publish, 4));
    this.broker.settle();
    const bytes = socket.read();
    reader.push(bytes, 0, bytes.length, answers);
    const [first, second] = answers.packets.sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual([first?.name, second?.name], ['puback', 'publish']);
    assert(second?.name === 'publish');
    assert.equal(second.payload.toString(), payload.toString(), 'the client beside is not served');
    answers.packets = [];
    socket.receive(encodePacket({ name: 'puback', packetId: second.packetId, reason: 0, properties: {} }, 4));
    this.broker.settle();
  }

  /** Ends the sessions that are left, checks that nothing else is, and measures. */
  #measure(): void {
    const { core } = this.broker;
    for (const { socket } of this.#lingering) socket.reset();
    this.#lingering = [];
    this.broker.settle();
    core.turn.begin();
    const vhost = core.vhosts.get('/');
    assert(vhost !== undefined);
    this.broker.advance(90_000_000);
    for (const queue of Array.from(vhost.queues.values())) if (!queue.name.includes('oracle')) vhost.removeQueue(queue);
    this.broker.settle();
    core.compactMemory(0);
    assert.equal(core.connections.size, 1, 'connections are left');
    assert.ok(this.frontEnd.sessions.count <= 8, `${this.frontEnd.sessions.count} sessions are left`);
    assert.equal(core.store.liveCount, 0, 'messages are left that nobody has');
    gc();
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    this.report.heapLast = heapUsed + arrayBuffers;
    if (this.report.heapFirst === 0) this.report.heapFirst = this.report.heapLast;
  }
}

function answerTo(packet: Packet): Packet | null {
  if (packet.name === 'publish' && packet.qos === 1) return { name: 'puback', packetId: packet.packetId, reason: 0, properties: {} };
  if (packet.name === 'publish' && packet.qos === 2) return { name: 'pubrec', packetId: packet.packetId, reason: 0, properties: {} };
  if (packet.name === 'pubrec') return { name: 'pubrel', packetId: packet.packetId, reason: 0, properties: {} };
  if (packet.name === 'pubrel') return { name: 'pubcomp', packetId: packet.packetId, reason: 0, properties: {} };
  return null;
}

/** The packet with something wrong in it. */
function mutated(random: Random, original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  const at = random.below(bytes.length);
  switch (random.below(6)) {
    case 0:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff]);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 2:
      bytes[0] = random.below(256);
      return bytes;
    case 3:
      // The remaining length.
      bytes[1] = random.below(256);
      return bytes;
    case 4:
      return bytes.subarray(0, at);
    default:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(10)), bytes.subarray(at)]);
  }
}
