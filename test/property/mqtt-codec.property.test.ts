// The codec of MQTT: what is encoded is decoded to the same, in whatever pieces it comes; bytes of any kind throw nothing but MqttError.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePacket } from '../../src/wire/mqtt/decode.ts';
import { encodePacket } from '../../src/wire/mqtt/encode.ts';
import { MqttError } from '../../src/wire/mqtt/mqtt-error.ts';
import { PacketReader, type PacketVisitor } from '../../src/wire/mqtt/packet-reader.ts';
import type { Packet } from '../../src/wire/mqtt/packets.ts';
import type { Properties } from '../../src/wire/mqtt/properties.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(value => !value.includes('\0') && value.isWellFormed());
const id = fc.integer({ min: 1, max: 0xffff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const binary = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes));
const bit = fc.integer({ min: 0, max: 1 });
const pairs = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });
const reason = fc.integer({ min: 0, max: 255 });

const some = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(model, { requiredKeys: [] }).map(values => ({ ...values })) as fc.Arbitrary<Partial<T>>;
/** Records with a prototype, as the decoder's have. */
const plain = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model).map(values => ({ ...values })) as fc.Arbitrary<T>;
const messageProperties = {
  payloadFormat: bit,
  messageExpirySeconds: uint32,
  contentType: text,
  responseTopic: text,
  correlationData: binary,
  userProperties: pairs,
};
const answerProperties = some<Properties>({ reasonString: text, userProperties: pairs }) as fc.Arbitrary<Properties>;
const publishProperties = some<Properties>({ ...messageProperties, topicAlias: id }) as fc.Arbitrary<Properties>;

/** Packets of MQTT 5; older versions have no properties, and fewer options. */
const packets: fc.Arbitrary<Packet> = fc.oneof(
  plain({
    name: fc.constant('connect' as const),
    version: fc.constant(5),
    clientId: text,
    isCleanStart: fc.boolean(),
    keepAliveSeconds: uint16,
    will: fc.option(
      plain({
        topic: text,
        payload: binary,
        qos: fc.integer({ min: 0, max: 2 }),
        isRetained: fc.boolean(),
        properties: some<Properties>({ ...messageProperties, willDelaySeconds: uint32 }) as fc.Arbitrary<Properties>,
      }),
    ),
    username: fc.option(text),
    password: fc.option(binary),
    properties: some<Properties>({ sessionExpirySeconds: uint32, receiveMax: id, topicAliasMax: uint16 }) as fc.Arbitrary<Properties>,
  }),
  plain({
    name: fc.constant('connack' as const),
    isSessionPresent: fc.boolean(),
    reason,
    properties: some<Properties>({ assignedClientId: text, qosMax: bit, serverReference: text }) as fc.Arbitrary<Properties>,
  }),
  plain({
    name: fc.constant('publish' as const),
    topic: text,
    qos: fc.integer({ min: 0, max: 2 }),
    isDuplicate: fc.boolean(),
    isRetained: fc.boolean(),
    packetId: id,
    payload: binary,
    properties: publishProperties,
  }).map(packet => (packet.qos === 0 ? { ...packet, packetId: 0, isDuplicate: false } : packet)),
  plain({
    name: fc.constantFrom('puback' as const, 'pubrec' as const, 'pubrel' as const, 'pubcomp' as const),
    packetId: id,
    reason,
    properties: answerProperties,
  }),
  plain({
    name: fc.constant('subscribe' as const),
    packetId: id,
    subscriptions: fc.array(
      plain({
        filter: text.filter(value => !value.startsWith('$share/')),
        qos: fc.integer({ min: 0, max: 2 }),
        isNoLocal: fc.boolean(),
        isRetainAsPublished: fc.boolean(),
        retainHandling: fc.integer({ min: 0, max: 2 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    properties: some<Properties>({ userProperties: pairs }) as fc.Arbitrary<Properties>,
  }),
  plain({
    name: fc.constant('unsubscribe' as const),
    packetId: id,
    filters: fc.array(text, { minLength: 1, maxLength: 5 }),
    properties: some<Properties>({ userProperties: pairs }) as fc.Arbitrary<Properties>,
  }),
  plain({
    name: fc.constantFrom('suback' as const, 'unsuback' as const),
    packetId: id,
    reasons: fc.array(reason, { maxLength: 5 }),
    properties: answerProperties,
  }),
  plain({ name: fc.constantFrom('pingreq' as const, 'pingresp' as const) }),
  plain({ name: fc.constantFrom('disconnect' as const, 'auth' as const), reason, properties: answerProperties }),
);

class Collector implements PacketVisitor {
  readonly packets: Packet[] = [];
  readonly faults: string[] = [];

  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean {
    this.packets.push(decodePacket(first, Buffer.from(buffer), start, end, 5));
    return true;
  }

  onPacketFault(fault: string): void {
    this.faults.push(fault);
  }
}

test('what is encoded is decoded to the same, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(packets, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sent, sizes) => {
      const bytes = Buffer.concat(sent.map(packet => encodePacket(packet, 5)));
      const collector = new Collector();
      const reader = new PacketReader(1_000_000);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const piece = bytes.subarray(at, at + (sizes[i % sizes.length] as number));
        assert.equal(reader.push(Buffer.from(piece), 0, piece.length, collector), piece.length);
        at += piece.length;
      }
      assert.equal(reader.keptBytes, 0);
      assert.deepEqual(collector.packets, sent);
    }),
    { numRuns: 300 },
  );
});

test('bytes of any kind throw nothing but MqttError, in every version', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 120 }), fc.constantFrom(3, 4, 5), (first, raw, version) => {
      const bytes = Buffer.from(raw);
      try {
        decodePacket(first, bytes, 0, bytes.length, version);
      } catch (error) {
        assert(error instanceof MqttError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('a packet at the limit passes, one byte more is refused before any of it is kept', () => {
  const packet: Packet = {
    name: 'publish',
    topic: 't',
    qos: 0,
    isDuplicate: false,
    isRetained: false,
    packetId: 0,
    payload: Buffer.alloc(200),
    properties: {},
  };
  const bytes = encodePacket(packet, 5);
  for (const pieceBytes of [bytes.length, 1]) {
    const at = new Collector();
    const reader = new PacketReader(bytes.length);
    for (let i = 0; i < bytes.length; i += pieceBytes)
      reader.push(bytes.subarray(i, i + pieceBytes), 0, Math.min(pieceBytes, bytes.length - i), at);
    assert.deepEqual([at.packets.length, at.faults], [1, []]);
    const past = new Collector();
    const stricter = new PacketReader(bytes.length - 1);
    for (let i = 0; i < bytes.length; i += pieceBytes)
      stricter.push(bytes.subarray(i, i + pieceBytes), 0, Math.min(pieceBytes, bytes.length - i), past);
    assert.deepEqual([past.packets.length, past.faults, stricter.keptBytes], [0, ['too-large'], 0]);
  }
});

test('a remaining length of five bytes is no length, however it comes', () => {
  for (const pieces of [[6], [1, 1, 1, 1, 1, 1], [3, 3]]) {
    const bytes = Buffer.from('30ffffffff01', 'hex');
    const collector = new Collector();
    const reader = new PacketReader(300_000_000);
    let at = 0;
    for (const count of pieces) reader.push(bytes.subarray(at, (at += count)), 0, count, collector);
    assert.deepEqual(collector.faults, ['length']);
  }
});

test('a visitor that wants no more is given the rest later', () => {
  const bytes = Buffer.from('c000c000c000', 'hex');
  let count = 0;
  const reader = new PacketReader(100);
  const visitor: PacketVisitor = { onPacket: () => ++count !== 2, onPacketFault() {} };
  assert.equal(reader.push(bytes, 0, 6, visitor), 4);
  assert.equal(reader.push(bytes, 4, 6, visitor), 6);
  assert.equal(count, 3);
});
