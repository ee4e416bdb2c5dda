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
import { DecodeError } from '../../wire/decode-error.ts';
import { encodeFrame, type Frame, supportedVersions } from '../../wire/stomp/frame.ts';
import { FrameReader, type FrameVisitor } from '../../wire/stomp/frame-reader.ts';
import { describeConnection } from './describe.ts';
import type { StompFrontEnd } from './front-end.ts';
import { errorName } from './headers.ts';
import { Login } from './login.ts';
import type { StompOptions } from './options.ts';
import type { Session } from './session.ts';
import { StompError } from './stomp-error.ts';

/** How long the peer may take to close its side when ours is closed. */
const closeTimeoutMillis = 5000;
const heartBeat = Buffer.from('\n');

type State = 'starting' | 'running' | 'leaving' | 'closed';

/** One STOMP connection: bytes in, frames to login and session, errors out. */
export class StompConnection implements LinkSession, FrameVisitor, Flushable, ConnectionInfo, Actor {
  readonly id: number;
  readonly isBroker = false;
  readonly broker: BrokerCore;
  readonly frontEnd: StompFrontEnd;
  readonly options: StompOptions;
  readonly link: Link;
  readonly outbox: Outbox;
  /** What is read of the client, and what keeps it from being read. */
  readonly intake: Intake;
  readonly name: string;
  readonly connectedAtMillis: number;
  /** Filled anew for every message. */
  readonly publication = new Publication();
  readonly #reader: FrameReader;
  readonly #login: Login;
  #session: Session | null = null;
  #vhost: Vhost | null = null;
  #state: State = 'starting';
  #isDirty = false;
  #isCounted = false;
  /** '1.2', once it is agreed on. */
  version = '';
  user = '';
  registrySlot = -1;
  /** Where the front-end keeps this connection. */
  frontEndSlot = -1;
  /** What the client wants to hear of us at least, and we of it; 0 for no heart-beats. */
  sendMillis = 0;
  receiveMillis = 0;
  lastSentMillis: number;
  /** When the connection is destroyed if nothing happens. Infinity while running. */
  #deadlineMillis: number;
  #closeReason = '';

  constructor(frontEnd: StompFrontEnd, link: Link) {
    const { broker, options } = frontEnd;
    this.frontEnd = frontEnd;
    this.broker = broker;
    this.options = options;
    this.link = link;
    this.outbox = link.outbox;
    this.intake = new Intake(link, broker.clock);
    this.id = broker.connections.nextId();
    const { facts } = link;
    this.name = nameOf(facts);
    this.connectedAtMillis = broker.clock.wallMillis;
    this.lastSentMillis = broker.clock.nowMillis;
    this.#deadlineMillis = this.lastSentMillis + options.loginMillis;
    this.#reader = new FrameReader(options.preauthFrameBytesMax);
    this.publication.publisher = this.intake;
    this.#login = new Login(this);
    broker.connections.add(this);
    broker.counters.connectionsOpened++;
  }

  /** As RabbitMQ shows it: STOMP 1.2, Web STOMP 1.2. */
  get protocol(): string {
    const name = this.link.facts.isWebSocket ? 'Web STOMP' : 'STOMP';
    return this.version === '' ? name : `${name} ${this.version}`;
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

  get isPublisher(): boolean {
    return this.intake.isPublisher;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isOver(): boolean {
    return this.#state === 'closed';
  }

  get hasRoom(): boolean {
    return !this.outbox.isCongested && this.#state === 'running';
  }

  get stateName(): string {
    return this.#state === 'running' && this.intake.isBlocked ? 'blocked' : this.#state;
  }

  get receivedBytes(): number {
    return this.link.receivedBytes;
  }

  get sentBytes(): number {
    return this.link.sentBytes;
  }

  get isTakingLarge(): boolean {
    return this.#reader.isWithinLarge;
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const { turn } = this.broker;
    turn.begin();
    this.intake.received();
    if (this.#state === 'closed' || this.#state === 'leaving') return;
    try {
      const at = this.#reader.push(buffer, start, end, this);
      this.intake.giveBack(buffer, at, end);
    } catch (error) {
      this.fail(error);
    }
    turn.ingested(end - start);
    this.intake.hasRead(end - start, turn);
  }

  onFrame(frame: Frame): boolean {
    try {
      if (this.#session === null) this.#login.onFrame(frame);
      // Who need not log in has done it by now.
      if (this.#session !== null && !this.#login.isItsFrame(frame)) this.#session.onFrame(frame);
    } catch (error) {
      this.fail(error);
    }
    return (this.#state === 'starting' || this.#state === 'running') && !this.intake.isStopped;
  }

  /** Queues a whole frame for sending. */
  send(frame: Buffer): void {
    if (this.link.isClosed) return;
    if (this.#state === 'running') this.intake.answering(frame.length);
    this.outbox.append(frame);
    this.wrote();
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
    if (this.#state !== 'running') return;
    this.broker.turn.begin();
    this.#session?.refreshConsumers();
  }

  /** The client may do what it wants from now on. */
  opened(session: Session): void {
    this.#session = session;
    this.#state = 'running';
    this.#deadlineMillis = Infinity;
    this.#reader.frameBytesMax = this.options.frameBytesMax;
    this.#reader.isLenient = this.version === '1.0';
    const { events, settings, logger } = this.broker;
    logger.info('connection', `connection ${this.name}: user '${this.user}' authenticated and granted access to vhost '${this.vhostName}'`);
    if (events.isObserved) connectionCreated(events, settings.nodeName, this.describe());
  }

  /** The client is in a virtual host. */
  entered(vhost: Vhost): void {
    this.#vhost = vhost;
    this.#isCounted = true;
    vhost.connectionCount++;
    this.broker.connections.addUser(this.user);
    this.link.authenticated();
  }

  /** Tells of what went wrong, and ends the connection where that is the end of it. */
  fail(error: unknown): void {
    if (error instanceof StompError) {
      this.tell(error);
      if (error.isFatal || this.#state === 'starting') this.endNow(error.message);
    } else if (error instanceof BrokerError) {
      this.tell(new StompError(errorName(error), error.text));
      this.endNow(error.message);
    } else if (error instanceof DecodeError) {
      this.tell(new StompError('Invalid frame', `${error.message}\n`));
      this.endNow(error.message);
    } else {
      this.broker.counters.internalErrors++;
      this.broker.logger.error('connection', `internal error on connection ${this.name}`, error);
      this.tell(new StompError('Processing error', 'Processing error'));
      this.endNow('internal error');
    }
  }

  /** Sends an ERROR frame. */
  tell({ message, detail, headers }: StompError): void {
    this.broker.logger.error(
      'connection',
      `STOMP error frame sent on connection ${this.name}: ${message}: ${detail.trim().replaceAll('\n', ' ')}`,
    );
    this.send(
      encodeFrame(
        'ERROR',
        [['message', message], ['content-type', 'text/plain'], ['version', supportedVersions.join(',')], ...headers],
        detail,
      ),
    );
  }

  /** Notes that the client publishes: alarms concern it from now on. [RabbitMQ: maybe_block] */
  publishes(): void {
    const isAlarm = this.broker.alarms.reason !== null;
    this.intake.publishes(isAlarm);
    if (isAlarm) this.intake.block();
  }

  alarmChanged(reason: string | null): void {
    if (this.#state !== 'running') return;
    if (reason !== null) this.intake.block();
    else this.intake.unblock();
  }

  close(code: BrokerErrorCode, text: string): void {
    if (this.#state !== 'running') {
      this.link.destroy();
      return;
    }
    this.fail(new BrokerError(code, text));
  }

  /** The client has said good-bye: nothing more is read, what it had goes back, receipts may still be owed. */
  leave(): void {
    this.#state = 'leaving';
    this.#closeReason = 'DISCONNECT';
    this.#deadlineMillis = this.broker.clock.nowMillis + this.broker.settings.sendTimeoutMillis;
    this.#releaseResources();
  }

  /** Sends what there is and closes the socket. */
  endNow(why = ''): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (why !== '') this.#closeReason = why;
    this.#deadlineMillis = this.broker.clock.nowMillis + closeTimeoutMillis;
    this.#releaseResources();
    this.link.end();
  }

  onClosed(error: Error | null): void {
    this.broker.turn.begin();
    this.#releaseResources();
    if (this.#isCounted) {
      this.vhost.connectionCount--;
      this.broker.connections.removeUser(this.user);
    }
    this.broker.connections.delete(this);
    this.broker.counters.connectionsClosed++;
    const { events, settings, logger } = this.broker;
    if (events.isObserved && this.user !== '') connectionClosed(events, settings.nodeName, this.describe());
    this.broker.flow.forget(this.intake);
    this.frontEnd.closed(this);
    const wasOrderly = this.#closeReason !== '';
    this.#state = 'closed';
    const reason = error === null ? '' : ` (${error.message})`;
    if (wasOrderly) logger.info('connection', `closing STOMP connection (${this.name}): ${this.#closeReason}`);
    else logger.warning('connection', `closing STOMP connection (${this.name}): client unexpectedly closed TCP connection${reason}`);
  }

  /** Called about twice a second: heart-beats, deadlines, acknowledgement timeouts. */
  sweep(nowMillis: number): void {
    const { sendTimeoutMillis } = this.broker.settings;
    if (nowMillis >= this.#deadlineMillis) {
      this.#destroy(this.#state === 'starting' ? 'login timeout' : 'close timeout');
    } else if (this.link.isStalled(nowMillis, sendTimeoutMillis)) {
      this.#destroy(`client takes nothing, send timeout: ${sendTimeoutMillis / 1000}s`);
    } else if (this.#state === 'running') {
      this.#sweepRunning(nowMillis);
    }
  }

  #sweepRunning(nowMillis: number): void {
    if (this.receiveMillis > 0 && this.intake.isSilent(nowMillis, 2 * this.receiveMillis)) {
      this.#destroy(`missed heart-beats from client, timeout: ${this.receiveMillis / 1000}s`);
      return;
    }
    if (this.sendMillis > 0 && nowMillis - this.lastSentMillis >= this.sendMillis / 2) this.send(heartBeat);
    const timeout = this.#session?.exceededTimeout(nowMillis) ?? 0;
    if (timeout === 0) return;
    this.fail(new BrokerError('PRECONDITION_FAILED', `delivery acknowledgement timed out. Timeout value used: ${timeout} ms`));
  }

  describe(): ConnectionDescription {
    return describeConnection(this, this.#session === null ? 0 : 1);
  }

  channelInfos(): Iterable<ChannelInfo> {
    return this.#session === null ? [] : [this.#session];
  }

  #destroy(why: string): void {
    this.#closeReason = why;
    this.link.destroy();
  }

  #releaseResources(): void {
    this.#session?.close();
    this.#vhost?.removeQueuesOf(this);
  }
}
