// A raw MQTT client for tests: sends what it is told, right or wrong, and keeps what it gets.
import net from 'node:net';
import { Broker, type BrokerOptions } from '../../src/index.ts';
import { decodePacket } from '../../src/wire/mqtt/decode.ts';
import { encodePacket } from '../../src/wire/mqtt/encode.ts';
import { PacketReader, type PacketVisitor } from '../../src/wire/mqtt/packet-reader.ts';
import type { ConnackPacket, ConnectPacket, Packet, PublishPacket, Subscription } from '../../src/wire/mqtt/packets.ts';
import type { Properties } from '../../src/wire/mqtt/properties.ts';
import { waitUntil } from './wait-until.ts';

type NamedOf<Each, Name> = Each extends { readonly name: infer Names } ? (Name extends Names ? Each : never) : never;
type Named<Name extends Packet['name']> = NamedOf<Packet, Name>;

export interface ConnectOptions extends Partial<Omit<ConnectPacket, 'name' | 'password'>> {
  readonly password?: string | null;
}

export class MqttDriver implements PacketVisitor {
  readonly socket: net.Socket;
  readonly version: number;
  /** What came and was not taken yet. */
  readonly inbox: Packet[] = [];
  isClosed = false;
  #lastId = 0;

  private constructor(socket: net.Socket, version: number) {
    this.socket = socket;
    this.version = version;
    const reader = new PacketReader(300_000_000);
    socket.on('data', bytes => reader.push(bytes, 0, bytes.length, this));
    socket.on('error', () => {});
    socket.on('close', () => (this.isClosed = true));
  }

  /** A connection without a word said. */
  static async open(port: number, version = 5): Promise<MqttDriver> {
    const socket = net.connect(port, '127.0.0.1');
    const driver = new MqttDriver(socket, version);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.setNoDelay(true);
    return driver;
  }

  /** A connection that was let in; the CONNACK is taken. */
  static async connect(port: number, options: ConnectOptions = {}): Promise<MqttDriver> {
    const driver = await MqttDriver.open(port, options.version ?? 5);
    const connack = await driver.login(options);
    if (connack.reason !== 0) throw new Error(`CONNACK ${connack.reason}`);
    return driver;
  }

  login(options: ConnectOptions = {}): Promise<ConnackPacket> {
    const { password = 'guest', ...rest } = options;
    this.send({
      name: 'connect',
      version: this.version,
      clientId: 'test',
      isCleanStart: true,
      keepAliveSeconds: 0,
      will: null,
      username: 'guest',
      properties: {},
      ...rest,
      password: password === null ? null : Buffer.from(password),
    });
    return this.next('connack');
  }

  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean {
    this.inbox.push(decodePacket(first, Buffer.from(buffer), start, end, this.version));
    return true;
  }

  onPacketFault(fault: string): void {
    throw new Error(`the broker sends no packet: ${fault}`);
  }

  send(packet: Packet): void {
    this.socket.write(encodePacket(packet, this.version));
  }

  /** Bytes as they are, in hexadecimal digits. */
  sendHex(hex: string): void {
    this.socket.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  }

  nextId(): number {
    return (this.#lastId = (this.#lastId % 65_535) + 1);
  }

  /** Takes the next packet of a kind; those of other kinds stay where they are. */
  async next<Name extends Packet['name']>(name: Name): Promise<Named<Name>> {
    let index = -1;
    await waitUntil(
      () => {
        index = this.inbox.findIndex(packet => packet.name === name);
        return index >= 0 || this.isClosed;
      },
      { message: () => `${name}; there are ${this.inbox.map(packet => packet.name).join(', ') || 'none'}` },
    );
    if (index < 0) throw new Error(`closed before ${name}`);
    return this.inbox.splice(index, 1)[0] as Named<Name>;
  }

  async subscribe(filter: string, qos = 0, options: Partial<Subscription> = {}, properties: Properties = {}): Promise<number> {
    const subscription = { filter, qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0, ...options };
    this.send({ name: 'subscribe', packetId: this.nextId(), subscriptions: [subscription], properties });
    return (await this.next('suback')).reasons[0] as number;
  }

  async unsubscribe(...filters: string[]): Promise<readonly number[]> {
    this.send({ name: 'unsubscribe', packetId: this.nextId(), filters, properties: {} });
    return (await this.next('unsuback')).reasons;
  }

  /** Sends a PUBLISH; returns its packet id. */
  publish(topic: string, payload: string | Buffer, options: Partial<Omit<PublishPacket, 'name' | 'topic' | 'payload'>> = {}): number {
    const packetId = options.packetId ?? ((options.qos ?? 0) > 0 ? this.nextId() : 0);
    this.send({
      name: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos: 0,
      isDuplicate: false,
      isRetained: false,
      properties: {},
      ...options,
      packetId,
    });
    return packetId;
  }

  /** Sends a PUBLISH of QoS 1 and waits for its acknowledgement, whose reason it returns. */
  async publishAndWait(topic: string, payload: string, options: Partial<PublishPacket> = {}): Promise<number> {
    this.publish(topic, payload, { qos: 1, ...options });
    return (await this.next('puback')).reason;
  }

  ack(name: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, reason = 0): void {
    this.send({ name, packetId, reason, properties: {} });
  }

  /** Answers to a PINGREQ come behind all that was asked before. */
  async ping(): Promise<void> {
    this.send({ name: 'pingreq' });
    await this.next('pingresp');
  }

  async closed(): Promise<void> {
    await waitUntil(() => this.isClosed, { message: () => 'the connection to be closed' });
  }

  /** Says goodbye and waits until the broker has closed. */
  async disconnect(reason = 0, properties: Properties = {}): Promise<void> {
    this.send({ name: 'disconnect', reason, properties });
    await this.closed();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** What came of a PUBLISH, in short. */
export function told({ topic, payload }: PublishPacket): string {
  return `${topic}=${payload.toString()}`;
}

/** Runs a test against a broker with an MQTT listener, beside that of AMQP; `port` is the former's. */
export async function withMqtt(run: (port: number, broker: Broker) => Promise<void>, options: BrokerOptions = {}): Promise<void> {
  const broker = await Broker.start({ listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }], ...options });
  try {
    await run(broker.listeners[1]?.port ?? 0, broker);
  } finally {
    await broker.stop();
  }
}
