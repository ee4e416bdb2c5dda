// An MQTT 5 client for campaigns: packets go to callbacks, and nothing is kept or answered by itself.
import type net from 'node:net';
import { decodePacket } from '../../src/wire/mqtt/decode.ts';
import { encodePacket } from '../../src/wire/mqtt/encode.ts';
import { PacketReader, type PacketVisitor } from '../../src/wire/mqtt/packet-reader.ts';
import type { AckPacket, ConnackPacket, Packet, PublishPacket } from '../../src/wire/mqtt/packets.ts';
import { FastConnection } from './fast-connection.ts';

const version = 5;
const packetBytesMax = 32 * 1024 * 1024;

export interface MqttEvents {
  /** The payload is to be read within the call. */
  published(packet: PublishPacket, client: FastMqtt): void;
  acked(packet: AckPacket, client: FastMqtt): void;
}

export class FastMqtt extends FastConnection implements PacketVisitor {
  readonly #events: MqttEvents;
  readonly #reader = new PacketReader(packetBytesMax);
  #onAnswer: (packet: Packet) => void = () => {};
  isSessionPresent = false;
  #lastId = 0;

  private constructor(socket: net.Socket, events: MqttEvents) {
    super(socket);
    this.#events = events;
  }

  /** Logs in to a session that lasts. @throws Error when the broker does not take the connection */
  static async connect(port: number, clientId: string, events: MqttEvents): Promise<FastMqtt> {
    const client = new FastMqtt(await FastConnection.open(port), events);
    const connack = await client.#call<ConnackPacket>({
      name: 'connect',
      version,
      clientId,
      isCleanStart: false,
      keepAliveSeconds: 0,
      will: null,
      username: 'guest',
      password: Buffer.from('guest'),
      properties: { sessionExpirySeconds: 36_000 },
    });
    if (connack.reason !== 0) throw new Error(`CONNACK ${connack.reason}`);
    client.isSessionPresent = connack.isSessionPresent;
    return client;
  }

  /** A packet id that `isUsed` does not know. */
  nextId(isUsed: (id: number) => boolean): number {
    do this.#lastId = (this.#lastId % 65_535) + 1;
    while (isUsed(this.#lastId));
    return this.#lastId;
  }

  async subscribe(filter: string, qos: number): Promise<void> {
    const subscription = { filter, qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 2 };
    await this.#call({ name: 'subscribe', packetId: this.nextId(() => false), subscriptions: [subscription], properties: {} });
  }

  publish(topic: string, qos: number, packetId: number, payload: Buffer, isDuplicate = false): void {
    this.#send({ name: 'publish', topic, qos, isDuplicate, isRetained: false, packetId, payload, properties: {} });
  }

  ack(name: AckPacket['name'], packetId: number): void {
    this.#send({ name, packetId, reason: 0, properties: {} });
  }

  protected received(bytes: Buffer): void {
    this.#reader.push(bytes, 0, bytes.length, this);
  }

  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean {
    const packet = decodePacket(first, buffer, start, end, version);
    if (packet.name === 'publish') this.#events.published(packet, this);
    else if (packet.name.startsWith('pub')) this.#events.acked(packet as AckPacket, this);
    else this.#onAnswer(packet);
    return this.isOpen;
  }

  onPacketFault(fault: string): void {
    throw new Error(`the broker sends no packet: ${fault}`);
  }

  #send(packet: Packet): void {
    this.write(encodePacket(packet, version));
  }

  #call<Answer extends Packet>(packet: Packet): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#onAnswer = answer => resolve(answer as Answer);
      void this.closed.then(() => reject(new Error('the connection ended')));
      this.#send(packet);
    });
  }
}
