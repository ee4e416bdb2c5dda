// Plays a transcript to a broker that does nothing by itself: no time passes, no turn runs and no disk works but when the transcript says so.
// The notation of frames is that of test/differential.
import { protocolHeader } from '../../src/wire/amqp091/frame.ts';
import { TextReader } from '../differential/field-value.ts';
import {
  type Argument,
  argumentText,
  decodeHeader,
  decodeMethod,
  encodeFrame,
  encodeHeader,
  encodeMethod,
  frameBody,
  frameHeader,
  frameHeartbeat,
  frameMethod,
  printField,
  type ReadMethod,
} from '../differential/frames.ts';
import { methodsByName } from '../differential/method-table.ts';
import { GeneratedNames } from '../differential/normalise.ts';
import { type Case, type Command, parseCommands, type Step } from '../differential/script.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';

const allCapabilities =
  '{capabilities: {authentication_failure_close: true, basic.nack: true, connection.blocked: true, consumer_cancel_notify: true}}';

/** A client of the transcript: its socket, and what has come of a message. */
class Peer {
  readonly name: string;
  readonly socket: FakeSocket;
  received = Buffer.alloc(0);
  content: { method: ReadMethod; header: ReturnType<typeof decodeHeader> | null; bodies: Buffer[] } | null = null;
  isStalled = false;
  wasClosed = false;

  constructor(name: string, socket: FakeSocket) {
    this.name = name;
    this.socket = socket;
  }
}

/** Plays a case; returns it with what the broker sent after each step. `needs: disk` gives the broker a disk. */
export function playTranscript(played: Case): Case {
  const player = new Player(played.needs === 'disk');
  return { ...played, steps: played.steps.map(step => player.play(step.text)) };
}

class Player {
  readonly #broker: SimBroker;
  readonly #peers = new Map<string, Peer>();
  readonly #names = new GeneratedNames();
  #lines: string[] = [];
  /** While held, nothing runs after a step. */
  #isHeld = false;

  constructor(hasDisk: boolean) {
    this.#broker = hasDisk ? new SimDurableBroker() : new SimBroker();
  }

  play(text: string): Step {
    this.#lines = [];
    const writes = new Map<Peer, Buffer[]>();
    for (const command of parseCommands(this.#names.restore(text))) this.#perform(command, writes);
    for (const [peer, parts] of writes) peer.socket.receive(Buffer.concat(parts));
    if (!this.#isHeld) this.#broker.settle();
    for (const peer of this.#peers.values()) this.#read(peer);
    return { text, replies: this.#lines.map(line => this.#names.normalise(line)) };
  }

  #perform(command: Command, writes: Map<Peer, Buffer[]>): void {
    if (command.connection === '') {
      this.#performOnBroker(command);
      return;
    }
    if (command.verb === 'connect') {
      this.#connect(command.connection);
      return;
    }
    if (command.verb === 'open') {
      this.#open(command);
      return;
    }
    const peer = this.#peers.get(command.connection);
    if (peer === undefined) throw new SyntaxError(`${command.connection} is not connected`);
    const parts = writes.get(peer) ?? [];
    writes.set(peer, parts);
    parts.push(...this.#bytesOf(command, peer));
  }

  #performOnBroker(command: Command): void {
    const broker = this.#broker;
    const amount = Number([...command.named.keys()][0] ?? 0);
    switch (command.verb) {
      case 'time':
        broker.advance(amount);
        return;
      case 'hold':
        this.#isHeld = true;
        return;
      case 'go':
        this.#isHeld = false;
        return;
      case 'turn':
        while (broker.ticks.length > 0) broker.step();
        broker.scheduler.runTurn();
        return;
      case 'disk':
        (broker as SimDurableBroker).finishDisk();
        return;
      case 'alarm':
        if (command.named.has('off')) broker.core.alarms.clear('memory');
        else broker.core.alarms.set('memory');
        return;
      default:
        throw new SyntaxError(`unknown command ${command.verb}`);
    }
  }

  #connect(name: string): Peer {
    const peer = new Peer(name, this.#broker.accept());
    this.#peers.set(name, peer);
    return peer;
  }

  /** The handshake in one go; what comes of it is not shown. */
  #open(command: Command): void {
    const peer = this.#connect(command.connection);
    const text = (name: string, otherwise: string): string => (command.named.has(name) ? argumentText(command.named.get(name)) : otherwise);
    const user = text('user', 'guest');
    const clientProperties = command.named.get('client-properties') ?? new TextReader(allCapabilities).table();
    const channels = text('channels', '1')
      .split(',')
      .filter(number => number !== '0');
    const method = (channel: number, name: string, args: Record<string, Argument | string>): Buffer =>
      methodFrame(
        channel,
        name,
        new Map(Object.entries(args).map(([key, value]) => [key, typeof value === 'string' ? Buffer.from(value) : value])),
      );
    peer.socket.receive(
      Buffer.concat([
        protocolHeader,
        method(0, 'connection.start-ok', {
          'client-properties': clientProperties,
          mechanism: 'PLAIN',
          response: `\0${user}\0${user}`,
          locale: 'en_US',
        }),
        method(0, 'connection.tune-ok', {
          'channel-max': text('channel-max', '2047'),
          'frame-max': '131072',
          heartbeat: text('heartbeat', '0'),
        }),
        method(0, 'connection.open', { 'virtual-host': '/' }),
        ...channels.map(number => method(Number(number), 'channel.open', {})),
      ]),
    );
    this.#broker.settle();
    peer.socket.read();
  }

  #bytesOf(command: Command, peer: Peer): Buffer[] {
    const channel = command.channel ?? 0;
    const given = (name: string, otherwise: number): number =>
      command.named.has(name) ? Number(argumentText(command.named.get(name))) : otherwise;
    const properties = (): ReturnType<TextReader['table']> => {
      const table = command.named.get('props');
      return table === undefined || Buffer.isBuffer(table) ? [] : table;
    };
    switch (command.verb) {
      case 'raw':
        return [command.bare[0] ?? Buffer.alloc(0)];
      case 'header-of-protocol':
        return [Buffer.from(protocolHeader)];
      case 'stall':
        peer.isStalled = true;
        peer.socket.kernelBytesMax = 0;
        return [];
      case 'read':
        peer.isStalled = false;
        peer.socket.kernelBytesMax = Infinity;
        return [];
      case 'end':
        peer.socket.hangUp();
        return [];
      case 'cut':
        peer.socket.reset();
        return [];
      case 'heartbeat':
        return [encodeFrame(frameHeartbeat, channel, Buffer.alloc(0))];
      case 'frame': {
        const payload = command.named.get('payload');
        return [encodeFrame(given('type', 1), channel, Buffer.isBuffer(payload) ? payload : Buffer.alloc(0), given('end', 0xce))];
      }
      case 'header':
        return [encodeFrame(frameHeader, channel, encodeHeader(given('class', 60), given('size', 0), properties()))];
      case 'body':
        return [encodeFrame(frameBody, channel, command.bare[0] ?? Buffer.alloc(0))];
      case 'publish': {
        const method = new Map([...command.named].filter(([name]) => ['exchange', 'routing-key', 'mandatory', 'immediate'].includes(name)));
        const frames: Buffer[] = [];
        const bare = command.named.get('body');
        for (let i = 1; i <= given('repeat', 1); i++) {
          const text = Buffer.isBuffer(bare) ? bare.toString('latin1').replaceAll('{i}', String(i)) : '';
          const body = command.named.has('body-bytes') ? Buffer.alloc(given('body-bytes', 0), 'abc') : Buffer.from(text, 'latin1');
          frames.push(
            methodFrame(channel, 'basic.publish', method),
            encodeFrame(frameHeader, channel, encodeHeader(60, body.length, properties())),
          );
          for (let at = 0; at < body.length; at += 131_064) frames.push(encodeFrame(frameBody, channel, body.subarray(at, at + 131_064)));
        }
        return frames;
      }
      default:
        return [methodFrame(channel, command.verb, command.named)];
    }
  }

  #read(peer: Peer): void {
    if (!peer.isStalled) {
      for (let bytes = peer.socket.read(); bytes.length > 0; bytes = peer.socket.read()) {
        peer.received = Buffer.concat([peer.received, bytes]);
        if (!this.#isHeld) this.#broker.settle();
      }
    }
    for (;;) {
      const { received } = peer;
      if (received.toString('latin1', 0, 4) === 'AMQP') {
        this.#note(peer, 0, `protocol-header ${[...received.subarray(4, 8)].join('-')}`);
        peer.received = received.subarray(8);
        continue;
      }
      if (received.length < 7 || received.length < received.readUInt32BE(3) + 8) break;
      const payloadBytes = received.readUInt32BE(3);
      peer.received = received.subarray(payloadBytes + 8);
      this.#onFrame(peer, received.readUInt8(0), received.readUInt16BE(1), received.subarray(7, payloadBytes + 7));
    }
    if ((peer.socket.isClosed || peer.socket.hasEnded) && !peer.wasClosed && peer.socket.readableBytes === 0) {
      peer.wasClosed = true;
      this.#lines.push(`${peer.name} < closed`);
    }
  }

  #onFrame(peer: Peer, type: number, channel: number, payload: Buffer): void {
    if (type === frameHeartbeat) {
      this.#note(peer, channel, 'heartbeat');
    } else if (type === frameMethod) {
      const method = decodeMethod(payload);
      if (method.hasContent) peer.content = { method, header: null, bodies: [] };
      else this.#note(peer, channel, printMethod(method));
    } else if (peer.content !== null) {
      const { content } = peer;
      if (type === frameHeader) content.header = decodeHeader(payload);
      else content.bodies.push(payload);
      const body = Buffer.concat(content.bodies);
      if (content.header === null || body.length < content.header.bodyBytes) return;
      peer.content = null;
      const properties = [...content.header.properties].map(([name, value]) => `${name}: ${printField(value)}`);
      const shown = body.length > 100 ? `<${body.length} bytes>` : JSON.stringify(body.toString('latin1'));
      this.#note(peer, channel, `${printMethod(content.method)} {${properties.join(', ')}} ${shown}`);
    }
  }

  #note(peer: Peer, channel: number, text: string): void {
    this.#lines.push(`${peer.name}${channel === 0 ? '' : `.${channel}`} < ${text}`);
  }
}

function methodFrame(channel: number, name: string, args: ReadonlyMap<string, Argument>): Buffer {
  const shape = methodsByName.get(name);
  if (shape === undefined) throw new SyntaxError(`no method ${name}`);
  return encodeFrame(frameMethod, channel, encodeMethod(shape, args));
}

/** Server properties and the like would bury the rest. */
const unprinted = new Set(['server-properties']);

function printMethod(method: ReadMethod): string {
  const fields = [...method.fields].filter(([name]) => !unprinted.has(name)).map(([name, value]) => `${name}=${printField(value)}`);
  return [method.name, ...fields].join(' ');
}
