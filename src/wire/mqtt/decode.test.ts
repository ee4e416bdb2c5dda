import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePacket, UnsupportedVersion } from './decode.ts';
import { reasons } from './constants.ts';
import { MqttError } from './mqtt-error.ts';
import { userPropertiesMax } from './properties.ts';

function refusal(hex: string, version = 5): number | null {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  try {
    decodePacket(bytes[0] as number, bytes, 1, bytes.length, version);
    return null;
  } catch (error) {
    if (error instanceof MqttError) return error.reason;
    throw error;
  }
}

// First byte, then what stands behind the remaining length.
const broken: readonly (readonly [what: string, hex: string, reason: number, version?: number])[] = [
  ['packet type 0', '00', reasons.malformedPacket],
  ['AUTH before MQTT 5', 'f0', reasons.malformedPacket, 4],
  ['a flag of CONNECT', '11 0004 4d515454 05 02 003c 00 0000', reasons.malformedPacket],
  ['the reserved connect flag', '10 0004 4d515454 04 03 003c 0000', reasons.malformedPacket],
  ['another protocol name', '10 0004 4d515455 04 02 003c 0000', reasons.malformedPacket],
  ['a will of QoS 3', '10 0004 4d515454 04 1e 003c 0000 0000 0000', reasons.malformedPacket],
  ['a will QoS without a will', '10 0004 4d515454 04 0a 003c 0000', reasons.malformedPacket],
  ['a retained will without a will', '10 0004 4d515454 04 22 003c 0000', reasons.malformedPacket],
  ['a password without a user in 3.1.1', '10 0004 4d515454 04 42 003c 0000 0000', reasons.malformedPacket],
  ['a client id cut short', '10 0004 4d515454 04 02 003c 0005 61', reasons.malformedPacket],
  ['bytes behind CONNECT', '10 0004 4d515454 04 02 003c 0000 00', reasons.malformedPacket],
  ['receive maximum 0', '10 0004 4d515454 05 02 003c 03 21 0000 0000', reasons.protocolError],
  ['maximum packet size 0', '10 0004 4d515454 05 02 003c 05 27 00000000 0000', reasons.protocolError],
  ['a property twice', '10 0004 4d515454 05 02 003c 0a 11 00000001 11 00000001 0000', reasons.protocolError],
  ['a property of another packet', '10 0004 4d515454 05 02 003c 03 23 0001 0000', reasons.protocolError],
  ['an unknown property', '10 0004 4d515454 05 02 003c 02 7f 00 0000', reasons.malformedPacket],
  ['authentication data without a method', '10 0004 4d515454 05 02 003c 03 16 0000 0000', reasons.protocolError],
  ['request problem information 2', '10 0004 4d515454 05 02 003c 02 17 02 0000', reasons.protocolError],
  ['U+0000 in a topic', '30 0003 610061 00', reasons.malformedPacket],
  ['a surrogate in a topic', '30 0003 eda080 00', reasons.malformedPacket],
  ['an overlong form in a topic', '30 0002 c0af 00', reasons.malformedPacket],
  ['QoS 3', '36 0001 61 0001 00', reasons.malformedPacket],
  ['a duplicate of QoS 0', '38 0001 61 00', reasons.malformedPacket],
  ['packet id 0', '32 0001 61 0000 00', reasons.protocolError],
  ['properties longer than the packet', '30 0001 61 05', reasons.malformedPacket],
  ['a property length of five bytes', '30 0001 61 ffffffff01', reasons.malformedPacket],
  ['a property length longer than it needs to be', '30 0001 61 8000', reasons.malformedPacket],
  ['PUBREL with flags 0', '60 0001', reasons.malformedPacket],
  ['SUBSCRIBE with flags 0', '80 0001 00 0001 61 00', reasons.malformedPacket],
  ['SUBSCRIBE without a filter', '82 0001 00', reasons.protocolError],
  ['SUBSCRIBE without a filter in 3.1.1', '82 0001', reasons.protocolError, 4],
  ['a subscription of QoS 3', '82 0001 00 0001 61 03', reasons.malformedPacket],
  ['retain handling 3', '82 0001 00 0001 61 30', reasons.malformedPacket],
  ['reserved bits of a subscription', '82 0001 00 0001 61 40', reasons.malformedPacket],
  ['options of MQTT 5 in 3.1.1', '82 0001 0001 61 04', reasons.malformedPacket, 4],
  ['a shared subscription with No Local', '82 0001 00 000a 2473686172652f672f61 04', reasons.protocolError],
  ['subscription identifier 0', '82 0001 02 0b00 0001 61 00', reasons.protocolError],
  ['two subscription identifiers', '82 0001 04 0b01 0b02 0001 61 00', reasons.protocolError],
  ['UNSUBSCRIBE without a filter', 'a2 0001 00', reasons.protocolError],
  ['PINGREQ with a body', 'c0 00', reasons.malformedPacket],
  ['DISCONNECT with a body in 3.1.1', 'e0 00', reasons.malformedPacket, 4],
];

for (const [what, hex, reason, version] of broken) {
  test(`${what} is refused with reason 0x${reason.toString(16)}`, () => assert.equal(refusal(hex, version), reason));
}

// [Eclipse Mosquitto: broker tests, 03-publish-c2b-disconnect-qos2]
test('PUBREL, SUBSCRIBE and UNSUBSCRIBE may be repeats in MQTT 3.1, and in no later version', () => {
  for (const [first, rest] of [
    [0x6a, '0001'],
    [0x8a, '0001 0001 61 00'],
    [0xaa, '0001 0001 61'],
  ] as const) {
    const bytes = Buffer.from(rest.replaceAll(' ', ''), 'hex');
    assert.deepEqual(decodePacket(first, bytes, 0, bytes.length, 3), decodePacket(first & 0xf7, bytes, 0, bytes.length, 3));
    assert.throws(() => decodePacket(first, bytes, 0, bytes.length, 4), /flags 10/);
  }
  assert.throws(() => decodePacket(0xc8, Buffer.alloc(0), 0, 0, 3), /flags 8 of PINGREQ/);
});

test('a version that is not spoken is told apart, with the version', () => {
  const bytes = Buffer.from('00044d515454060200000000', 'hex');
  assert.throws(
    () => decodePacket(0x10, bytes, 0, bytes.length, 5),
    (error: unknown) => error instanceof UnsupportedVersion && error.version === 6,
  );
});

test('as many user properties as allowed are taken, one more is refused', () => {
  const pair = '26 0000 0000';
  const packet = (count: number): string => {
    const bytes = count * 5;
    const length = Buffer.from([(bytes & 0x7f) | 0x80, bytes >> 7]).toString('hex');
    return `30 0001 61 ${length} ${pair.repeat(count)}`;
  };
  assert.equal(refusal(packet(userPropertiesMax)), null);
  assert.equal(refusal(packet(userPropertiesMax + 1)), reasons.quotaExceeded);
});
