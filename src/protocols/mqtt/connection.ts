// hot path: see docs/STYLE.md
import type { Actor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { BrokerErrorCode } from '../../core/broker-error.ts';
import type { ChannelInfo, ConnectionDescription, ConnectionInfo } from '../../core/connection-registry.ts';
import { connectionClosed } from '../../core/events/session-events.ts';
import type { ProtocolCounters } from '../../core/statistics/protocol-counters.ts';
import type { Flushable } from '../../core/turn.ts';
import type { Vhost } from '../../core/vhost.ts';
import { Intake } from '../../net/intake.ts';
import type { Link, LinkSession } from '../../net/link.ts';
import { nameOf } from '../../net/link-description.ts';
import type { Outbox } from '../../net/outbox.ts';
import { mqtt311, mqtt5, packetTypes, reasons } from '../../wire/mqtt/constants.ts';
import { decodePacket } from '../../wire/mqtt/decode.ts';
import { encodePacket } from '../../wire/mqtt/encode.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import { type PacketFault, PacketReader, type PacketVisitor } from '../../wire/mqtt/packet-reader.ts';
import type { Packet } from '../../wire/mqtt/packets.ts';
import type { Properties } from '../../wire/mqtt/properties.ts';
import { Connecting, returnCode, versionToAnswer } from './connecting.ts';
import { describeConnection, metricsName, protocolName } from './describe.ts';
import { dispatch, typeShift } from './dispatch.ts';
import { DurableReplies } from './durable-replies.ts';
import type { FrontEnd } from './front-end.ts';
import type { OutgoingAliases } from './outgoing-aliases.ts';
import { PendingAcks } from './pending-acks.ts';
import { Publishing } from './publishing.ts';
import type { Redirect } from './redirect.ts';
import type { Session } from './session.ts';

const waitingForConnect = 0;
const loggingIn = 1;
const open = 2;
/** All is said; nothing is read any more. */
const closed = 3;

/** How long a client may take to close its side when it was told to. */
const closeTimeoutMillis = 5000;
/** Properties, topic and fixed header of a message whose body is as large as bodies may be. */
const packetOverheadBytes = 128 * 1024;

/** One MQTT connection: packets in, to the session and to exchanges; errors out with their reason codes. */
export class Connection implements LinkSession, PacketVisitor, Flushable, ConnectionInfo, Actor {
  readonly id: number;
  readonly isBroker = false;
  readonly broker: BrokerCore;
  readonly frontEnd: FrontEnd;
  readonly link: Link;
  readonly outbox: Outbox;
  /** What is read of the client, and what keeps it from being read. */
  readonly intake: Intake;
  readonly name: string;
  readonly reader: PacketReader;
  readonly isSparkplug: boolean;
  readonly connectedAtMillis: number;
  /** Of the protocol; what CONNECT says. */
  version = mqtt311;
  isVersion5 = false;
  clientId = '';
  user = '';
  keepAliveSeconds = 0;
  /** Largest packet that the client takes. */
  packetBytesMaxOfClient = Infinity;
  /** Deliveries of QoS 1 and 2 that the client takes at a time. */
  deliveriesMax: number;
  /** Null while the client takes none. */
  outgoingAliases: OutgoingAliases | null = null;
  #wantsReasons = true;
  #state = waitingForConnect;
  #vhost: Vhost | null = null;
  #session: Session | null = null;
  #publishing: Publishing | null = null;
  #acks: PendingAcks | null = null;
  #replies: DurableReplies | null = null;
  #traffic: ProtocolCounters | null = null;
  #isDirty = false;
  /** The client has said goodbye, and not asked for its will. */
  #isOrderly = false;
  registrySlot = -1;
  /** Where the front-end keeps this connection. */
  frontEndSlot = -1;
  /** When the connection is destroyed if nothing happens; Infinity while it is open. */
  deadlineMillis: number;
  #closeReason = '';

  constructor(frontEnd: FrontEnd, link: Link) {
    const { broker, options } = frontEnd;
    this.frontEnd = frontEnd;
    this.broker = broker;
    this.link = link;
    this.outbox = link.outbox;
    this.intake = new Intake(link, broker.clock);
    this.id = broker.connections.nextId();
    this.name = nameOf(link.facts);
    this.isSparkplug = options.sparkplug;
    this.deliveriesMax = options.prefetch === 0 ? 0xffff : options.prefetch;
    this.connectedAtMillis = broker.clock.wallMillis;
    this.deadlineMillis = broker.clock.nowMillis + options.loginMillis;
    this.reader = new PacketReader(Math.min(options.preauthPacketBytesMax, options.packetBytesMax));
    broker.connections.add(this);
    broker.counters.connectionsOpened++;
  }

  get protocol(): string {
    return protocolName(this.version);
  }

  get owner(): object {
    return this;
  }

  get vhost(): Vhost {
    return this.#vhost as Vhost;
  }

  get vhostName(): string {
    return this.#vhost === null ? '' : this.#vhost.name;
  }

  get session(): Session {
    return this.#session as Session;
  }

  get publishing(): Publishing {
    return (this.#publishing ??= new Publishing(this));
  }

  get acks(): PendingAcks {
    return (this.#acks ??= new PendingAcks(this));
  }

  /** What all clients do that speak the same. To be asked when CONNECT has come. */
  get traffic(): ProtocolCounters {
    return (this.#traffic ??= this.broker.counters.protocol(metricsName(this.version)));
  }

  get unconfirmedCount(): number {
    return this.#acks?.count ?? 0;
  }

  get isPublisher(): boolean {
    return this.intake.isPublisher;
  }

  get isOpen(): boolean {
    return this.#state === open;
  }

  get hasRoom(): boolean {
    return this.#state === open && !this.outbox.isCongested && this.#replies?.areWaiting !== true;
  }

  get stateName(): string {
    if (this.#state === open) return this.intake.isBlocked ? 'blocked' : 'running';
    return this.#state === closed ? 'closed' : 'starting';
  }

  get receivedBytes(): number {
    return this.link.receivedBytes;
  }

  get sentBytes(): number {
    return this.link.sentBytes;
  }

  get isTakingLarge(): boolean {
    return this.reader.isWithinLarge;
  }

  onBytes(buffer: Buffer, start: number, end: number): void {
    const { turn } = this.broker;
    turn.begin();
    this.intake.received();
    if (this.#state === closed) return;
    try {
      const at = this.reader.push(buffer, start, end, this);
      this.intake.giveBack(buffer, at, end);
    } catch (error) {
      this.#fail(error);
    }
    turn.ingested(end - start);
    this.intake.hasRead(end - start, turn);
  }

  onPacket(first: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#state === closed) return false;
    try {
      if (this.#state === open) dispatch(this, first, buffer, start, end);
      else this.#onFirstPacket(first, buffer, start, end);
    } catch (error) {
      this.#fail(error);
    }
    return this.#state !== closed && !this.intake.isStopped;
  }

  onPacketFault(fault: PacketFault, first: number, packetBytes: number): void {
    // Before the client has said what it speaks nothing can be told to it.
    if (fault === 'length') this.#fail(new MqttError(reasons.malformedPacket, 'a remaining length of more than four bytes'));
    else
      this.#fail(
        new MqttError(
          reasons.packetTooLarge,
          `a packet of type ${first >> typeShift} with ${packetBytes} bytes, at most ${this.reader.packetBytesMax}`,
        ),
      );
  }

  /** Runs what may find the client at fault. */
  guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  send(packet: Buffer): void {
    if (this.link.isClosed) return;
    if (this.#state === open) this.intake.answering(packet.length);
    this.outbox.append(packet);
    this.wrote();
  }

  /** Sends an answer when what it tells of is durable. */
  reply(packet: Buffer): void {
    (this.#replies ??= new DurableReplies(this)).send(packet);
  }

  /** Messages may be written again. */
  takesAgain(): void {
    if (this.#state === open) this.session.refresh();
  }

  /** Something was written to the outbox. */
  wrote(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.broker.turn.flushLater(this);
  }

  flush(): void {
    this.#isDirty = false;
    if (!this.link.isClosed) this.outbox.flush();
  }

  onUnsent(): void {
    this.wrote();
  }

  onDrained(): void {
    this.intake.drained();
    if (this.#state !== open) return;
    this.broker.turn.begin();
    this.takesAgain();
  }

  /** The client may be in the virtual host. */
  entered(vhost: Vhost): void {
    this.#vhost = vhost;
    vhost.connectionCount++;
    this.broker.connections.addUser(this.user);
    const { options } = this.frontEnd;
    this.reader.packetBytesMax = Math.min(options.packetBytesMax, this.broker.settings.messageBytesMax + packetOverheadBytes);
  }

  /** The client is let in. */
  opened(session: Session): void {
    this.#session = session;
    this.#state = open;
    this.deadlineMillis = Infinity;
    session.attach(this);
  }

  /** Notes that the client publishes: alarms concern it from now on. */
  publishes(): void {
    const isAlarm = this.broker.alarms.reason !== null;
    this.intake.publishes(isAlarm);
    if (isAlarm) this.intake.block();
  }

  alarmChanged(reason: string | null): void {
    if (this.#state !== open) return;
    if (reason !== null) this.intake.block();
    else this.intake.unblock();
  }

  /** Another connection has taken the session. */
  takenOver(): void {
    this.disconnect(reasons.sessionTakenOver, 'another connection uses the client id');
  }

  /** The client is sent to another server, if it can be told: before MQTT 5 it cannot, and stays. */
  redirect({ reason, server }: Redirect): void {
    if (this.isVersion5 && this.#state === open) this.disconnect(reason, 'use another server', server);
  }

  /**
   * Ends the connection and says why, where the protocol's version has words for it, and where else the client is to go. The session is left
   * at once.
   */
  disconnect(reason: number, text: string, serverReference: string | null = null): void {
    if (this.#state === closed) return;
    const { logger } = this.broker;
    this.#closeReason = text;
    logger.warning('connection', `closing MQTT connection ${this.name}, client '${this.clientId}': ${text}`);
    const properties: Properties = this.#wantsReasons && text !== '' ? { reasonString: text.slice(0, 200) } : {};
    if (serverReference !== null) properties.serverReference = serverReference;
    if (this.#state === open) {
      if (this.isVersion5) this.send(encodePacket({ name: 'disconnect', reason, properties }, mqtt5));
    } else if (this.#state === loggingIn) {
      const code = this.isVersion5 ? reason : returnCode(reason);
      this.send(encodePacket({ name: 'connack', isSessionPresent: false, reason: code, properties }, this.version));
    }
    this.#end();
  }

  close(code: BrokerErrorCode, text: string): void {
    const isShutdown = code === 'CONNECTION_FORCED' && text.includes('shutdown');
    const elsewhere = this.frontEnd.redirect ?? (isShutdown || text.includes('maintenance') ? this.frontEnd.standby : null);
    if (elsewhere !== null) this.disconnect(elsewhere.reason, text, elsewhere.server);
    else this.disconnect(isShutdown ? reasons.serverShuttingDown : reasons.administrativeAction, text);
  }

  onClosed(error: Error | null): void {
    this.broker.turn.begin();
    const { broker, frontEnd } = this;
    if (this.#state !== closed && this.#closeReason === '') {
      const why = error === null ? 'client unexpectedly closed TCP connection' : error.message;
      broker.logger.warning('connection', `closing MQTT connection ${this.name}, client '${this.clientId}': ${why}`);
    }
    this.#leaveSession();
    this.#state = closed;
    if (this.#vhost !== null) {
      this.#vhost.connectionCount--;
      broker.connections.removeUser(this.user);
    }
    broker.connections.delete(this);
    broker.counters.connectionsClosed++;
    if (broker.events.isObserved && this.#vhost !== null) connectionClosed(broker.events, broker.settings.nodeName, this.describe());
    broker.flow.forget(this.intake);
    this.#publishing?.close();
    frontEnd.closed(this);
  }

  /** Closes without a word to the client, and with none in the log when `text` is empty. */
  abort(reason: string, text: string): void {
    if (this.#state !== closed) this.#closeReason = reason;
    if (text !== '') this.broker.logger.warning('connection', `closing MQTT connection ${this.name}, client '${this.clientId}': ${text}`);
    this.link.destroy();
  }

  /** Something went wrong that is our fault: ends this connection, and nothing else. */
  fault(error: unknown): void {
    this.broker.counters.internalErrors++;
    this.broker.logger.error('connection', `internal error on connection ${this.name}`, error);
    this.#closeReason = 'internal error';
    this.link.destroy();
  }

  describe(): ConnectionDescription {
    return describeConnection(this);
  }

  channelInfos(): Iterable<ChannelInfo> {
    return this.#session === null ? [] : [this.#session];
  }

  #onFirstPacket(first: number, buffer: Buffer, start: number, end: number): void {
    // No CONNACK where it is something else: that is no client.
    if (this.#state !== waitingForConnect || first >> typeShift !== packetTypes.connect) {
      this.#state = waitingForConnect;
      throw new MqttError(reasons.protocolError, 'the first packet is not CONNECT');
    }
    let packet: Packet;
    try {
      packet = decodePacket(first, buffer, start, end, mqtt311);
    } catch (error) {
      const version = versionToAnswer(error, buffer, start, end);
      if (version !== null) this.#speaks(version);
      throw error;
    }
    if (packet.name !== 'connect') return;
    this.#speaks(packet.version);
    this.#wantsReasons = packet.properties.requestProblemInformation !== 0;
    new Connecting(this, packet).begin();
  }

  /** The client can be answered from now on. */
  #speaks(version: number): void {
    this.#state = loggingIn;
    this.version = version;
    this.isVersion5 = version === mqtt5;
  }

  /** The client goes of its own accord; whether it wants no will to be published. */
  leave(isOrderly: boolean): void {
    this.#isOrderly = isOrderly;
    this.#closeReason = 'the client has disconnected';
    this.broker.logger.info('connection', `closing MQTT connection ${this.name}, client '${this.clientId}'`);
    this.#end();
  }

  #leaveSession(): void {
    const session = this.#session;
    if (session === null || session.connection !== this) return;
    this.frontEnd.sessions.leave(session, this.#isOrderly);
  }

  /** Sends what there is and closes the socket. */
  #end(): void {
    this.#leaveSession();
    this.#state = closed;
    this.deadlineMillis = this.broker.clock.nowMillis + closeTimeoutMillis;
    this.link.end();
  }

  #fail(error: unknown): void {
    if (error instanceof MqttError) this.disconnect(error.reason, error.message);
    else this.fault(error);
  }
}
