import { notImplemented } from '../../../core/broker-error.ts';
import { decodeAccessRequest, decodeChannelFlow, encodeAccessRequestOk, encodeChannelFlowOk } from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';

/** RabbitMQ takes flow from a client only where it changes nothing. [RabbitMQ docs: specification, channel.flow] */
export function flow(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const { active } = decodeChannelFlow(buffer, start, end);
  if (!active) throw notImplemented('active=false');
  channel.reply(encodeChannelFlowOk(channel.number, { active }));
}

/** The access class is gone from the specification but old clients still ask for a ticket. [RabbitMQ: rabbit_channel, access.request] */
export function accessRequest(channel: Channel, buffer: Buffer, start: number, end: number): void {
  decodeAccessRequest(buffer, start, end);
  channel.reply(encodeAccessRequestOk(channel.number, { ticket: 1 }));
}
