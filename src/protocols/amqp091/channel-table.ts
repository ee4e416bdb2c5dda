// hot path: see docs/STYLE.md
import { BrokerError } from '../../core/broker-error.ts';
import { channelCreated } from '../../core/events/session-events.ts';
import {
  BasicPublish,
  ChannelClose,
  ChannelOpen,
  decodeChannelClose,
  encodeChannelCloseOk,
  encodeChannelOpenOk,
} from '../../wire/amqp091/methods.gen.ts';
import { Channel } from './channel.ts';
import type { Connection } from './connection.ts';
import { noContentExpected } from './publishing.ts';
import { ConnectionError, misplacedFrame } from './reply-error.ts';

/** The channels of one connection: opens and closes them, and finds the one that a frame is for. */
export class ChannelTable {
  readonly #connection: Connection;
  readonly #channels = new Map<number, Channel>();
  /** The channel of the last frame: the next one is for it as a rule. */
  #last: Channel | null = null;
  /** Channels that the client has closed in what is being read: what follows for them there is ignored. */
  #closedInRead: Set<number> | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get size(): number {
    return this.#channels.size;
  }

  [Symbol.iterator](): MapIterator<Channel> {
    return this.#channels.values();
  }

  get(channelNumber: number): Channel | null {
    return this.#channels.get(channelNumber) ?? null;
  }

  /** A method for a channel, open or not. */
  onMethod(method: number, channelNumber: number, buffer: Buffer, start: number, end: number): void {
    let channel = this.#last;
    if (channel === null || channel.number !== channelNumber) {
      channel = this.#channels.get(channelNumber) ?? null;
      if (this.#last !== null) this.#last.publishing.keep();
      this.#last = channel;
    }
    if (channel !== null && method !== ChannelOpen && method !== ChannelClose) channel.onMethod(method, buffer, start, end);
    else this.#onLifeMethod(method, channelNumber, channel, buffer, start, end);
  }

  /** The channel that a frame of content is for; null when it is to be ignored. */
  ofContent(type: number, channelNumber: number, buffer: Buffer, start: number, end: number): Channel | null {
    let channel = this.#last;
    if (channel === null || channel.number !== channelNumber) {
      channel = this.#channels.get(channelNumber) ?? null;
      if (channel === null) {
        if (channelNumber === 0) throw misplacedFrame(type, buffer.subarray(start, end));
        if (this.#closedInRead !== null && this.#closedInRead.has(channelNumber)) return null;
        throw noContentExpected();
      }
      this.#last?.publishing.keep();
      this.#last = channel;
    }
    return channel.isClosing ? null : channel;
  }

  /** All that was read is acted on. What is half received must not point into a buffer that larger traffic would pin. */
  endOfRead(): void {
    if (this.#last !== null) this.#last.publishing.keep();
    this.#closedInRead = null;
  }

  /** The client confirmed the end of a channel. */
  forget(channel: Channel): void {
    channel.close();
    this.#channels.delete(channel.number);
    this.#connection.frontEnd.left(channel);
    if (this.#last === channel) this.#last = null;
  }

  /** The connection ends. Returns the channels whose deliveries are given back in steps; null for none. */
  closeAll(): Channel[] | null {
    if (this.#channels.size === 0) return null;
    let settling: Channel[] | null = null;
    for (const channel of this.#channels.values()) {
      channel.close();
      if (!channel.settling.isUnderWay) continue;
      this.#connection.frontEnd.left(channel);
      (settling ??= []).push(channel);
    }
    this.#channels.clear();
    this.#last = null;
    return settling;
  }

  /** channel.open, channel.close, and what comes on a channel that is not there. */
  #onLifeMethod(method: number, channelNumber: number, channel: Channel | null, buffer: Buffer, start: number, end: number): void {
    this.#connection.worked(1);
    if (channel === null) {
      this.#onUnopened(method, channelNumber);
      return;
    }
    if (channel.publishing.isExpectingContent || channel.isClosing) {
      channel.onMethod(method, buffer, start, end);
      return;
    }
    if (method === ChannelOpen) throw new BrokerError('CHANNEL_ERROR', "second 'channel.open' seen");
    decodeChannelClose(buffer, start, end);
    this.forget(channel);
    (this.#closedInRead ??= new Set()).add(channelNumber);
    channel.replyToClose();
  }

  #onUnopened(method: number, channelNumber: number): void {
    const connection = this.#connection;
    if (method !== ChannelOpen && this.#closedInRead !== null && this.#closedInRead.has(channelNumber)) {
      if (method === ChannelClose) connection.send(encodeChannelCloseOk(channelNumber));
      return;
    }
    this.#assertRoom();
    const channel = new Channel(connection, channelNumber);
    if (method === ChannelOpen) {
      this.#channels.set(channelNumber, (this.#last = channel));
      channel.open();
      const { events, counters } = connection.broker;
      if (events.isObserved) channelCreated(events, channel.identity(), connection.vhostName);
      counters.channelsOpened++;
      connection.send(encodeChannelOpenOk(channelNumber));
      return;
    }
    const error = new BrokerError('CHANNEL_ERROR', "expected 'channel.open'");
    if (method !== BasicPublish) throw error;
    // What has content is looked at when that is complete.
    this.#channels.set(channelNumber, (this.#last = channel));
    channel.publishing.refuse(method, error);
  }

  /** @throws ConnectionError NOT_ALLOWED */
  #assertRoom(): void {
    const { broker, frontEnd, tuning, user } = this.#connection;
    const { channelsMax } = tuning;
    if (this.#channels.size >= channelsMax) {
      throw new ConnectionError(
        'NOT_ALLOWED',
        `number of channels opened (${this.#channels.size}) has reached the negotiated channel_max (${channelsMax})`,
      );
    }
    const userMax = broker.access.user(user)?.limits.maxChannels ?? null;
    if (userMax !== null && userMax >= 0 && frontEnd.channelsOfUser(user) >= userMax) {
      throw new ConnectionError(
        'NOT_ALLOWED',
        `number of channels opened for user '${user}' has reached the maximum allowed user limit of (${userMax})`,
      );
    }
    if (broker.counters.channelsOpened - broker.counters.channelsClosed >= broker.settings.channelsPerNodeMax) {
      throw new ConnectionError(
        'NOT_ALLOWED',
        `number of channels opened on node has reached the maximum allowed limit of (${broker.settings.channelsPerNodeMax})`,
      );
    }
  }
}
