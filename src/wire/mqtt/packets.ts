// The packets of MQTT 3.1, 3.1.1 and 5.0 as values. The hot path (PUBLISH and its acknowledgements) has readers and writers of its own.
import type { PacketName } from './constants.ts';
import type { Properties } from './properties.ts';

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly isRetained: boolean;
  readonly properties: Properties;
}

export interface ConnectPacket {
  readonly name: 'connect';
  /** 3, 4 or 5: the version of all packets that follow. */
  readonly version: number;
  readonly clientId: string;
  readonly isCleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly will: Will | null;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly properties: Properties;
}

export interface ConnackPacket {
  readonly name: 'connack';
  readonly isSessionPresent: boolean;
  /** A reason code in MQTT 5, a return code before. */
  readonly reason: number;
  readonly properties: Properties;
}

export interface PublishPacket {
  readonly name: 'publish';
  readonly topic: string;
  readonly qos: number;
  readonly isDuplicate: boolean;
  readonly isRetained: boolean;
  /** 0 with QoS 0. */
  readonly packetId: number;
  readonly payload: Buffer;
  readonly properties: Properties;
}

export interface AckPacket {
  readonly name: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  readonly packetId: number;
  readonly reason: number;
  readonly properties: Properties;
}

export interface Subscription {
  readonly filter: string;
  readonly qos: number;
  readonly isNoLocal: boolean;
  readonly isRetainAsPublished: boolean;
  /** 0: retained messages are sent; 1: for a new subscription only; 2: not. */
  readonly retainHandling: number;
}

export interface SubscribePacket {
  readonly name: 'subscribe';
  readonly packetId: number;
  readonly subscriptions: readonly Subscription[];
  readonly properties: Properties;
}

export interface UnsubscribePacket {
  readonly name: 'unsubscribe';
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

export interface SubackPacket {
  readonly name: 'suback' | 'unsuback';
  readonly packetId: number;
  readonly reasons: readonly number[];
  readonly properties: Properties;
}

export interface PingPacket {
  readonly name: 'pingreq' | 'pingresp';
}

export interface EndPacket {
  readonly name: 'disconnect' | 'auth';
  readonly reason: number;
  readonly properties: Properties;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | UnsubscribePacket
  | SubackPacket
  | PingPacket
  | EndPacket;

/** Names of packet types by their number. */
export const packetNames: readonly (PacketName | undefined)[] = [
  undefined,
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
];
