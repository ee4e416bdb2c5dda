// hot path: see docs/STYLE.md
import type { Actor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { BrokerError, type BrokerErrorCode } from '../../core/broker-error.ts';
import type { ChannelInfo, ConnectionDescription, ConnectionInfo } from '../../core/connection-registry.ts';
import { connectionClosed, connectionCreated } from '../../core/events/session-events.ts';
import { Publication } from '../../core/messages/publication.ts';
import type { Flushable } from '../../core/turn.ts';
import type { Vhost } from '../../core/vhost.ts';
import { Intake } from '../../net/intake.ts';
import type { Link, LinkSession } from '../../net/link.ts';
import { nameOf } from '../../net/link-description.ts';
import type { Outbox } from '../../net/outbox.ts';
import { FrameBody, FrameHeader, FrameHeartbeat, FrameMethod } from '../../wire/amqp091/constants.gen.ts';
import { FrameReader, type FrameFault, type FrameVisitor } from '../../wire/amqp091/frame-reader.ts';
import {
  ConnectionClose,
  ConnectionCloseOk,
  ConnectionUpdateSecret,
  decodeConnectionClose,
  decodeConnectionUpdateSecret,
  encodeConnectionBlocked,
  encodeConnectionClose,
  encodeConnectionCloseOk,
  encodeConnectionUnblocked,
  encodeConnectionUpdateSecretOk,
} from '../../wire/amqp091/methods.gen.ts';
import type { Channel } from './channel.ts';
import { ChannelTable } from './channel-table.ts';
import { fail } from './failing.ts';
import type { FrontEnd } from './front-end.ts';
import { Handshake } from './handshake.ts';
import { PublishMemos } from '../../core/publish-memo.ts';
import { describeConnection } from './describe.ts';
import { closingText, connectionExceptionText } from './log-texts.ts';
import { frameFaultText, misplacedFrame, replyError, type ReplyError, unknownFrame } from './reply-error.ts';
import { Tuning } from './tuning.ts';

const handshaking = 0;
const running = 1;
/** The server has sent connection.close and waits for close-ok. */
const closing = 2;
/** Everything is said: nothing is read any more, the socket ends soon. */
const closed = 3;

/** How long the peer may take to answer connection.close, and to close its socket after our close-ok. */
const closeTimeoutMillis = 5000;
/** The same of a client that was not let in: it has a place among strangers meanwhile. */
const refusedCloseTimeoutMillis = 500;
/** RabbitMQ lets a client that failed before it was let in wait this long, then closes without a word. [RabbitMQ: SILENT_CLOSE_DELAY] */
const silentCloseMillis = 3000;
const nothing = Buffer.alloc(0);
const closeOkFrame = encodeConnectionCloseOk(0);

/** One AMQP 0-9-1 connection: frames in, methods to channels, errors out. Handshake and channels have files of their own. */
export class Connection implements LinkSession, FrameVisitor, Flushable, ConnectionInfo, Actor {
  readonly id: number;
  readonly protocol: string;
  readonly isBroker = false;
  readonly broker: BrokerCore;
  readonly frontEnd: FrontEnd;
  readonly link: Link;
  readonly outbox: Outbox;
  /** What is read of the client, and what keeps it from being read. */
  readonly intake: Intake;
  readonly name: string;
  readonly reader: FrameReader;
  readonly tuning: Tuning;
  readonly channels: ChannelTable;
  #publication: Publication | null = null;
  #publishMemos: PublishMemos | null = null;
  readonly connectedAtMillis: number;
  #handshake: Handshake | null;
  #state = handshaking;
  #vhost: Vhost | null = null;
  #isDirty = false;
  /** Whether the client asked for the end; it may ask again. */
  #isClosedByClient = false;
  user = '';
  registrySlot = -1;
  /** Where the front-end keeps this connection. */
  frontEndSlot = -1;
  /** Largest body frame payload for this client. */
  bodyFrameMax = 4088;
  lastSentMillis: number;
  /** When the connection is destroyed if nothing happens: handshake, close handshake. Infinity while running. */
  deadlineMillis: number;
  closeReason = '';

  constructor(frontEnd: FrontEnd, link: Link) {
    const { broker } = frontEnd;
    this.frontEnd = frontEnd;
    this.broker = broker;
    this.link = link;
    this.outbox = link.outbox;
    this.channels = new ChannelTable(this);
    this.intake = new Intake(link, broker.clock);
    this.id = broker.connections.nextId();
    const { facts } = link;
    this.protocol = facts.isWebSocket ? 'Web AMQP 0-9-1' : 'AMQP 0-9-1';
    this.name = nameOf(facts);
    const now = broker.clock.nowMillis;
    this.connectedAtMillis = broker.clock.wallMillis;
    this.lastSentMillis = now;
    this.deadlineMillis = now + broker.settings.handshakeTimeoutMillis;
    this.reader = new FrameReader(broker.settings.initialFrameBytesMax);
    this.tuning = new Tuning();
    this.#handshake = new Handshake(this);
    broker.connections.add(this);
    broker.counters.connectionsOpened++;
  }

  /** Filled anew for every publish. */
  get publication(): Publication {
    if (this.#publication !== null) return this.#publication;
    const publication = new Publication();
    publication.publisher = this.intake;
    return (this.#publication = publication);
  }

  /** What is known of the publishes of all its channels. */
  get publishMemos(): PublishMemos {
    return (this.#publishMemos ??= new PublishMemos(this.frontEnd.publishMemoBudget));
  }

  /** The connection is its own owner of exclusive queues. */
  get owner(): object {
    return this;
  }

  get vhost(): Vhost {
    return this.#vhost as Vhost;
  }

  get vhostName(): string {
    return this.#vhost === null ? '' : this.#vhost.name;
  }

  get actor(): Actor {
    return this;
  }

  get isPublisher(): boolean {
    return this.intake.isPublisher;
  }

  get isHandshaking(): boolean {
    return this.#state === handshaking;
  }

  get isRunning(): boolean {
    return this.#state === running;
  }

  get hasRoom(): boolean {
    return !this.outbox.isCongested && this.#state === running;
  }

  get wantsCancelNotify(): boolean {
    return this.tuning.wantsCancelNotify;
  }

  get stateName(): string {
    if (this.#state === handshaking) return this.#handshake?.stateName ?? 'starting';
    if (this.#state === running) return this.intake.isBlocked ? 'blocked' : 'running';
    return this.#state === closing ? 'closing' : 'closed';
  }

  get isTakingLarge(): boolean {
    return this.reader.isWithinBody;
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const { turn } = this.broker;
    turn.begin();
    this.intake.received();
    if (this.#state === closed) return;
    try {
      let at = start;
      const handshake = this.#handshake;
      if (handshake !== null && !handshake.hasHeader) at = handshake.onHeaderBytes(buffer, start, end);
      if (at < end) at = this.reader.push(buffer, at, end, this);
      this.channels.endOfRead();
      this.intake.giveBack(buffer, at, end);
    } catch (error) {
      this.fault(error);
    }
    turn.ingested(end - start);
    this.intake.hasRead(end - start, turn);
  }

  onFrame(type: number, channelNumber: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#state === closed) return false;
    let method = 0;
    try {
      if (type === FrameMethod) {
        if (end - start < 4) throw unknownFrame(type, buffer.subarray(start, end));
        method =
          ((buffer[start] as number) << 24) |
          ((buffer[start + 1] as number) << 16) |
          ((buffer[start + 2] as number) << 8) |
          (buffer[start + 3] as number);
        this.#onMethod(method, channelNumber, buffer, start + 4, end);
      } else if (this.#state === running) {
        if (type === FrameHeader) this.channels.ofContent(type, channelNumber, buffer, start, end)?.publishing.onHeader(buffer, start, end);
        else if (type === FrameBody)
          this.channels.ofContent(type, channelNumber, buffer, start, end)?.publishing.onBody(buffer, start, end);
        else this.#onOtherFrame(type, channelNumber, buffer, start, end);
      } else if (this.#state === handshaking) {
        this.#onOtherFrame(type, channelNumber, buffer, start, end);
      }
    } catch (error) {
      fail(this, error, channelNumber, method, type === FrameMethod ? buffer.subarray(start + 4, end) : buffer.subarray(start, end));
    }
    return this.#state !== closed && !this.intake.isStopped;
  }

  onBodyPiece(channelNumber: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#state === running) {
      try {
        this.channels.ofContent(FrameBody, channelNumber, buffer, start, end)?.publishing.onBodyPiece(buffer, start, end);
      } catch (error) {
        fail(this, error, channelNumber, 0, buffer.subarray(start, start));
      }
    }
    return this.#state !== closed && !this.intake.isStopped;
  }

  onFrameFault(fault: FrameFault, type: number, detail: number, payload: Buffer): void {
    const text = frameFaultText(fault, type, detail, payload, this.reader.payloadBytesMax);
    if (this.tellsErrors) this.closeWith({ ...replyError('FRAME_ERROR', text), namesMethod: false }, 0);
    else if (this.#state === handshaking) this.silentClose(text);
  }

  /** Queues a whole frame for sending. */
  send(frame: Buffer): void {
    if (this.link.isClosed) return;
    this.answers(frame.length);
    this.outbox.append(frame);
    this.wrote();
  }

  /** Says that about so many bytes of answers are going to be written. */
  answers(bytes: number): void {
    if (this.#state === running) this.intake.answering(bytes);
  }

  /** Says that something was done for the client which costs more than a message; see Intake. */
  worked(count: number): void {
    this.intake.worked(count, this.broker.turn);
  }

  /** Something was written to the outbox. */
  wrote(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.broker.turn.flushLater(this);
  }

  flush(): void {
    this.#isDirty = false;
    if (this.link.isClosed) return;
    this.lastSentMillis = this.broker.clock.nowMillis;
    this.outbox.flush();
  }

  onUnsent(): void {
    this.wrote();
  }

  onDrained(): void {
    this.intake.drained();
    if (this.#state !== running) return;
    this.broker.turn.begin();
    for (const channel of this.channels) channel.refreshConsumers();
  }

  /** The handshake is over. */
  opened(vhost: Vhost): void {
    this.#vhost = vhost;
    vhost.connectionCount++;
    this.broker.connections.addUser(this.user);
    this.#handshake = null;
    this.#state = running;
    this.deadlineMillis = Infinity;
    this.broker.logger.info(
      'connection',
      `connection ${this.name}: user '${this.user}' authenticated and granted access to vhost '${vhost.name}'`,
    );
    const { events, settings } = this.broker;
    if (events.isObserved) connectionCreated(events, settings.nodeName, this.describe());
  }

  /**
   * Notes that the client publishes: alarms concern it from now on. The publish that finds an alarm is not read any further, so that it is
   * neither routed nor confirmed before the alarm is over. [RabbitMQ: rabbit_reader, maybe_block]
   */
  publishes(): void {
    const { reason } = this.broker.alarms;
    this.intake.publishes(reason !== null);
    if (reason !== null) this.#block(reason);
  }

  alarmChanged(reason: string | null): void {
    if (this.#state !== running) return;
    if (reason !== null) this.#block(reason);
    else if (this.intake.isBlocked) this.#unblock();
  }

  /** Ends the connection with an error that the client has to confirm. `method` is at fault, 0 for none. */
  closeWith(error: ReplyError, method: number): void {
    if (this.#state === closing || this.#state === closed) return;
    this.broker.logger.error('connection', connectionExceptionText(this, error, method));
    this.announceClose(error, method);
  }

  /** As `closeWith`, when the log has been told already. */
  announceClose(error: ReplyError, method: number): void {
    if (this.#state === closing || this.#state === closed) return;
    this.closeReason = error.text;
    this.#handshake = null;
    const frame = encodeConnectionClose(0, {
      replyCode: error.code,
      replyText: error.text,
      classId: error.namesMethod ? method >>> 16 : 0,
      methodId: error.namesMethod ? method & 0xffff : 0,
    });
    this.#releaseResources(() => this.send(frame));
    this.#state = closing;
    this.deadlineMillis = this.broker.clock.nowMillis + (this.user === '' ? refusedCloseTimeoutMillis : closeTimeoutMillis);
  }

  close(code: BrokerErrorCode, text: string): void {
    if (this.#state === running) this.closeWith(replyError(code, text), 0);
    else this.link.destroy();
  }

  /** Lets the client wait and then closes without a word, as RabbitMQ does before a connection is open. */
  silentClose(why: string): void {
    this.closeReason = why;
    this.broker.logger.warning('connection', closingText(this, why));
    this.#handshake = null;
    this.#state = closed;
    this.deadlineMillis = this.broker.clock.nowMillis + silentCloseMillis;
  }

  /** Sends what there is and closes the socket. */
  endNow(): void {
    this.#state = closed;
    this.#handshake = null;
    this.deadlineMillis = this.broker.clock.nowMillis + closeTimeoutMillis;
    this.link.end();
  }

  /** Closes without a word to the client. The log has `reason`, or `detail` where there is more to say. */
  abort(level: 'warning' | 'error', reason: string, detail = reason): void {
    this.closeReason = reason;
    this.broker.logger[level]('connection', closingText(this, detail));
    this.link.destroy();
  }

  onClosed(error: Error | null): void {
    this.broker.turn.begin();
    const wasOrderly = this.#state === closed || this.#state === closing || this.closeReason !== '';
    this.#releaseResources();
    if (this.#vhost !== null) {
      this.#vhost.connectionCount--;
      this.broker.connections.removeUser(this.user);
    }
    this.broker.connections.delete(this);
    this.broker.counters.connectionsClosed++;
    const { events, settings } = this.broker;
    // Who never said who he was, a port scan or a health check, is no event.
    if (events.isObserved && this.tuning.mechanism !== '') connectionClosed(events, settings.nodeName, this.describe());
    this.broker.flow.forget(this.intake);
    this.#publishMemos?.close();
    this.frontEnd.closed(this);
    this.#state = closed;
    const { logger } = this.broker;
    const reason = error === null ? '' : ` (${error.message})`;
    if (wasOrderly) logger.info('connection', closingText(this));
    // Why we ended it was said when we did.
    else if (this.closeReason === '') logger.warning('connection', closingText(this, `client unexpectedly closed TCP connection${reason}`));
  }

  get receivedBytes(): number {
    return this.link.receivedBytes;
  }

  get sentBytes(): number {
    return this.link.sentBytes;
  }

  /** Something went wrong that is our fault: ends this connection, and nothing else. */
  fault(error: unknown): void {
    this.broker.counters.internalErrors++;
    this.broker.logger.error('connection', `internal error on connection ${this.name}`, error);
    this.closeReason = 'internal error';
    this.link.destroy();
  }

  describe(): ConnectionDescription {
    return describeConnection(this);
  }

  channelInfos(): Iterable<ChannelInfo> {
    return this.channels;
  }

  #onMethod(method: number, channelNumber: number, buffer: Buffer, start: number, end: number): void {
    if (this.#state === running) {
      if (channelNumber === 0) this.#onConnectionMethod(method, buffer, start, end);
      else this.channels.onMethod(method, channelNumber, buffer, start, end);
    } else if (this.#state === handshaking) {
      if (this.#handshake !== null) this.#handshake.onMethod(method, channelNumber, buffer, start, end);
    } else if (method === ConnectionCloseOk && channelNumber === 0) {
      this.endNow();
    } else if (method === ConnectionClose && channelNumber === 0 && this.#isClosedByClient) {
      this.send(closeOkFrame);
    }
  }

  #onConnectionMethod(method: number, buffer: Buffer, start: number, end: number): void {
    switch (method) {
      case ConnectionClose:
        decodeConnectionClose(buffer, start, end);
        this.#isClosedByClient = true;
        this.#releaseResources(() => this.send(closeOkFrame));
        // The client closes the socket; should it forget, the sweep does. What it still sends is ignored.
        this.#state = closing;
        this.deadlineMillis = this.broker.clock.nowMillis + closeTimeoutMillis;
        return;
      case ConnectionUpdateSecret:
        this.frontEnd.updateSecret(this, decodeConnectionUpdateSecret(buffer, start, end).newSecret);
        this.send(encodeConnectionUpdateSecretOk(0));
        return;
      default:
        throw new BrokerError('CHANNEL_ERROR', 'unexpected method in connection state running');
    }
  }

  #onOtherFrame(type: number, channelNumber: number, buffer: Buffer, start: number, end: number): void {
    if (type === FrameHeartbeat && end === start) {
      if (channelNumber !== 0) throw misplacedFrame(type, nothing);
      return;
    }
    const payload = buffer.subarray(start, end);
    // Content before the connection is open.
    if (type === FrameBody || (type === FrameHeader && end - start >= 12)) throw misplacedFrame(type, payload);
    throw unknownFrame(type, payload);
  }

  /** Whether the client is told of errors. Before it has authenticated it is not. */
  get tellsErrors(): boolean {
    return this.#state === running || (this.#state === handshaking && this.#handshake?.stateName === 'opening');
  }

  /** A method failed after others were acted on: as if it had at once. */
  failLate(error: unknown, channelNumber: number, method: number): void {
    if (this.#state === running) fail(this, error, channelNumber, method, nothing);
  }

  /** Channels and exclusive queues go, then `done` is called: before the client hears that its connection is closed. [RabbitMQ: rabbit_reader, close_connection] */
  #releaseResources(done: () => void = () => {}): void {
    const settling = this.channels.closeAll();
    const released = settling === null ? done : whenAllSettled(settling, done);
    if (this.#vhost === null) released();
    else this.#vhost.removeQueuesOf(this, released);
  }

  #block(reason: string): void {
    if (this.intake.block() && this.tuning.wantsBlocked) this.send(encodeConnectionBlocked(0, { reason }));
  }

  #unblock(): void {
    if (this.tuning.wantsBlocked) this.send(encodeConnectionUnblocked(0));
    this.intake.unblock();
  }
}

/** Something that calls `done` when it is called and these channels have settled all they had. */
function whenAllSettled(channels: readonly Channel[], done: () => void): () => void {
  let open = channels.length + 1;
  const closed = (): void => {
    if (--open === 0) done();
  };
  for (const channel of channels) channel.settling.whenDone(closed);
  return closed;
}
