// One client connection of a script: writes what it is told, and notes every frame the server sends as a line of text.
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type FieldTable, printBytes } from './field-value.ts';
import {
  decodeHeader,
  decodeMethod,
  encodeFrame,
  encodeMethod,
  frameBody,
  frameHeader,
  frameHeartbeat,
  frameMethod,
  printField,
  type Argument,
  type ReadField,
  type ReadMethod,
} from './frames.ts';
import { methodsByName } from './method-table.ts';
import { normaliseDeaths } from './normalise.ts';

export interface PeerEvent {
  readonly channel: number;
  readonly text: string;
  /** The method's name, or `closed`, `heartbeat`, `protocol-header`, ... */
  readonly kind: string;
  readonly fields: ReadonlyMap<string, ReadField>;
}

interface Content {
  readonly method: ReadMethod;
  header: { bodyBytes: number; properties: ReadonlyMap<string, ReadField> } | null;
  readonly bodies: Buffer[];
}

interface ChannelState {
  content: Content | null;
  isConfirming: boolean;
  published: number;
  unconfirmed: number[];
}

const noFields: ReadonlyMap<string, ReadField> = new Map();

export class Peer {
  readonly name: string;
  events: PeerEvent[] = [];
  isClosed = false;
  /** Set by `cN manual`: the script itself answers channel.close and connection.close. */
  isManual = false;
  /** True for connections that the script did not open itself: their channels are opened on first use too. */
  isImplicit = false;
  hasOpened = false;
  isDefaultVhost = true;
  frameBytesMax = 131072;
  lastActivityMillis = performance.now();
  readonly openChannels = new Set<number>();
  /** Channels that were opened once: when the server closes one, only the script reopens it. */
  readonly usedChannels = new Set<number>();
  readonly #channels = new Map<number, ChannelState>();
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onChange: () => void;

  constructor(name: string, host: string, port: number, onChange: () => void) {
    this.name = name;
    this.#onChange = onChange;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', chunk => {
      this.lastActivityMillis = performance.now();
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#readFrames();
      this.#onChange();
    });
    this.#socket.on('end', () => this.#closed());
    this.#socket.on('close', () => this.#closed());
    // A reset reads as the close that follows it: which of the two a client sees is a race.
    this.#socket.on('error', () => {});
  }

  send(bytes: Buffer): void {
    this.lastActivityMillis = performance.now();
    if (!this.#socket.writableEnded) this.#socket.write(bytes);
  }

  sendMethod(channel: number, name: string, given: ReadonlyMap<string, Argument>): void {
    this.send(this.encodeMethod(channel, name, given));
  }

  /** The frame of a method; notes what the peer has to know of it (channels opened, publishes to be confirmed). */
  encodeMethod(channel: number, name: string, given: ReadonlyMap<string, Argument>): Buffer {
    const shape = methodsByName.get(name);
    if (shape === undefined) throw new SyntaxError(`no method ${name}`);
    if (name === 'channel.open') {
      this.openChannels.add(channel);
      this.usedChannels.add(channel);
      this.#channels.delete(channel);
    } else if (name === 'channel.close') this.openChannels.delete(channel);
    else if (name === 'confirm.select') this.#state(channel).isConfirming = true;
    else if (name === 'basic.publish') {
      const state = this.#state(channel);
      if (state.isConfirming) state.unconfirmed.push(++state.published);
    }
    return encodeFrame(frameMethod, channel, encodeMethod(shape, given));
  }

  hasUnconfirmed(channel: number): boolean {
    return this.#state(channel).unconfirmed.length > 0;
  }

  /** Closes the writing side. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#onChange = () => {};
    this.#socket.destroy();
  }

  #state(channel: number): ChannelState {
    let state = this.#channels.get(channel);
    if (state === undefined) {
      state = { content: null, isConfirming: false, published: 0, unconfirmed: [] };
      this.#channels.set(channel, state);
    }
    return state;
  }

  #closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.lastActivityMillis = performance.now();
    this.#note(0, 'closed', 'closed', noFields);
    this.#socket.end();
    this.#onChange();
  }

  #note(channel: number, kind: string, text: string, fields: ReadonlyMap<string, ReadField>): void {
    this.events.push({ channel, kind, fields, text: `${this.name}${channel === 0 ? '' : `.${channel}`} < ${text}` });
  }

  #readFrames(): void {
    for (;;) {
      const bytes = this.#received;
      if (bytes.length >= 8 && bytes.toString('latin1', 0, 4) === 'AMQP') {
        this.#note(0, 'protocol-header', `protocol-header ${[...bytes.subarray(4, 8)].join('-')}`, noFields);
        this.#received = bytes.subarray(8);
        continue;
      }
      if (bytes.length < 7 || bytes.toString('latin1', 0, 4) === 'AMQP') return;
      const payloadBytes = bytes.readUInt32BE(3);
      if (bytes.length < payloadBytes + 8) return;
      this.#received = bytes.subarray(payloadBytes + 8);
      const channel = bytes.readUInt16BE(1);
      if (bytes[payloadBytes + 7] !== 0xce) this.#note(channel, 'bad-frame-end', `bad-frame-end ${bytes[payloadBytes + 7]}`, noFields);
      try {
        this.#onFrame(bytes.readUInt8(0), channel, bytes.subarray(7, payloadBytes + 7));
      } catch (error) {
        this.#note(channel, 'undecodable', `undecodable frame: ${error instanceof Error ? error.message : ''}`, noFields);
      }
    }
  }

  #onFrame(type: number, channel: number, payload: Buffer): void {
    const state = this.#state(channel);
    if (type === frameHeartbeat) {
      // How many come in a while is a matter of timing.
      if (this.events.at(-1)?.kind !== 'heartbeat') this.#note(channel, 'heartbeat', 'heartbeat', noFields);
    } else if (type === frameMethod) this.#onMethod(channel, state, decodeMethod(payload));
    else if (type === frameHeader && state.content !== null && state.content.header === null) {
      state.content.header = decodeHeader(payload);
      this.#finishContent(channel, state, state.content);
    } else if (type === frameBody && state.content !== null && state.content.header !== null) {
      state.content.bodies.push(payload);
      this.#finishContent(channel, state, state.content);
    } else this.#note(channel, 'unexpected', `unexpected frame type ${type} of ${payload.length} bytes`, noFields);
  }

  #onMethod(channel: number, state: ChannelState, method: ReadMethod): void {
    if (state.content !== null) {
      this.#note(channel, 'unexpected', `content of ${state.content.method.name} cut off`, noFields);
      state.content = null;
    }
    if (method.hasContent) {
      state.content = { method, header: null, bodies: [] };
      return;
    }
    if (state.isConfirming && (method.name === 'basic.ack' || method.name === 'basic.nack')) {
      this.#noteConfirms(channel, state, method);
      return;
    }
    this.#note(channel, method.name, printMethod(method), method.fields);
    if (method.name === 'channel.close' || method.name === 'channel.close-ok') {
      this.openChannels.delete(channel);
      this.#channels.delete(channel);
    }
    if (this.isManual) return;
    if (method.name === 'channel.close') this.sendMethod(channel, 'channel.close-ok', new Map());
    if (method.name === 'connection.close') this.sendMethod(0, 'connection.close-ok', new Map());
  }

  /** How a broker groups confirms depends on timing alone, so each confirmed message gets a line of its own. */
  #noteConfirms(channel: number, state: ChannelState, method: ReadMethod): void {
    const tag = Number(method.fields.get('delivery-tag'));
    const isMultiple = method.fields.get('multiple') === 'true';
    const settled = state.unconfirmed.filter(open => (isMultiple ? tag === 0 || open <= tag : open === tag));
    state.unconfirmed = state.unconfirmed.filter(open => !settled.includes(open));
    if (settled.length === 0) this.#note(channel, method.name, `${printMethod(method)} (nothing to confirm)`, method.fields);
    for (const open of settled) this.#note(channel, method.name, `${method.name} delivery-tag=${open}`, method.fields);
  }

  #finishContent(channel: number, state: ChannelState, content: Content): void {
    const { header, bodies, method } = content;
    if (header === null) return;
    const body = Buffer.concat(bodies);
    if (body.length < header.bodyBytes) return;
    state.content = null;
    const properties = [...header.properties].map(([name, value]) => {
      return `${name}: ${printField(typeof value === 'string' ? value : normaliseDeaths(value))}`;
    });
    const frames = bodies.length > 1 ? ` body-frames=${bodies.map(part => part.length).join('+')}` : '';
    const excess = body.length > header.bodyBytes ? ` (header says ${header.bodyBytes})` : '';
    const fields = new Map<string, ReadField>([...method.fields, ...header.properties]);
    this.#note(channel, method.name, `${printMethod(method)} {${properties.join(', ')}} ${printBody(body)}${frames}${excess}`, fields);
  }
}

function printMethod(method: ReadMethod): string {
  return [method.name, ...[...method.fields].map(([name, value]) => `${name}=${printField(value as string | FieldTable)}`)].join(' ');
}

function printBody(body: Buffer): string {
  if (body.length <= 200) {
    const printed = printBytes(body);
    return printed.startsWith('"') ? printed : `"${printed}"`;
  }
  return `<${body.length} bytes ${createHash('sha256').update(body).digest('hex').slice(0, 12)}>`;
}
