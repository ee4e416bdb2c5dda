import { SlotList } from '../../base/slot-list.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import { anonymousIdentity, externalIdentity, parseAmqplain, parsePlain, type SaslResult } from '../../auth/sasl.ts';
import type { CertificateLogin } from '../../auth/client-certificate.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { limits } from '../../core/limits.ts';
import type { RefHolder, Rename } from '../../core/messages/message-ref.ts';
import type { AuthBackend, AuthResult } from '../../core/ports/auth-backend.ts';
import type { Link } from '../../net/link.ts';
import { Sweeper } from '../../net/sweeper.ts';
import { encodeConnectionStart, encodeConnectionTune } from '../../wire/amqp091/methods.gen.ts';
import { decodeTable, tableLimitsBeforeAuthentication } from '../../wire/amqp091/table.ts';
import type { Channel } from './channel.ts';
import { Connection } from './connection.ts';
import { PublishMemoBudget } from '../../core/publish-memo.ts';
import { sweep } from './sweep.ts';
import { serverProperties } from './server-properties.ts';

export interface FrontEndOptions {
  /** Which name of a client certificate is the user for EXTERNAL. */
  readonly certificateLogin?: CertificateLogin;
  /** Password that goes with the anonymous user. */
  readonly anonymousPassword?: string;
}

/** A refusal that must not be told: the response was no response of the mechanism. */
type Refusal = { readonly ok: false; readonly reason: string; readonly delayMillis: number; readonly isMalformed: boolean };

/** AMQP 0-9-1 on any listener: makes connections of links and looks after them. */
export class FrontEnd implements RefHolder {
  readonly name = 'amqp';
  readonly broker: BrokerCore;
  /** connection.start for plain connections and for TLS, made for the name that the cluster had then. */
  #startFrames: { readonly clusterName: string; readonly plain: Buffer; readonly overTls: Buffer };
  readonly tuneFrame: Buffer;
  /** For remembered publishes of connections with many routing keys. */
  readonly publishMemoBudget = new PublishMemoBudget(limits.publishMemosMax);
  readonly #auth: AuthBackend;
  readonly #options: FrontEndOptions;
  readonly #connections = new SlotList<Connection>();
  /** Deliveries of channels that are gone, which are given back in steps. */
  readonly #leaving = new Set<RefHolder>();
  readonly #sweeper: Sweeper<Connection>;

  constructor(broker: BrokerCore, auth: AuthBackend, options: FrontEndOptions = {}) {
    this.broker = broker;
    this.#auth = auth;
    this.#options = options;
    const { channelsMax, frameBytesMax, heartbeatSeconds } = broker.settings;
    this.tuneFrame = encodeConnectionTune(0, { channelMax: channelsMax, frameMax: frameBytesMax, heartbeat: heartbeatSeconds });
    this.#startFrames = this.#encodeStart();
    this.#sweeper = new Sweeper(this.#connections, broker.timers, broker.clock, {
      sweep,
      fault: (connection, error) => connection.fault(error),
    });
    broker.holdsRefs(this);
  }

  /** connection.start. */
  startFrame(isTls: boolean): Buffer {
    if (this.#startFrames.clusterName !== this.broker.clusterName) this.#startFrames = this.#encodeStart();
    return isTls ? this.#startFrames.overTls : this.#startFrames.plain;
  }

  /** How many connections this front-end has. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections;
  }

  accept(link: Link): Connection {
    this.broker.turn.begin();
    const connection = new Connection(this, link);
    this.broker.logger.info('connection', `accepting AMQP connection ${connection.name}`);
    connection.frontEndSlot = this.#connections.add(connection);
    link.start(connection);
    this.#sweeper.start();
    return connection;
  }

  closed(connection: Connection): void {
    this.#connections.remove(connection.frontEndSlot);
  }

  /** The unacknowledged deliveries of all channels, for which each would have to come and go on a list otherwise. */
  relocate(rename: Rename): void {
    this.#connections.visit(connection => {
      for (const channel of connection.channels) channel.unacked.relocate(rename);
    });
    for (const unacked of this.#leaving) unacked.relocate(rename);
  }

  /** A channel is gone: what is given back of it in steps is still to be found. */
  left(channel: Channel): void {
    if (!channel.settling.isUnderWay) return;
    this.#leaving.add(channel.unacked);
    channel.settling.whenDone(() => this.#leaving.delete(channel.unacked));
  }

  channelsOfUser(user: string): number {
    let count = 0;
    for (const connection of this.#connections) if (connection.user === user) count += connection.channels.size;
    return count;
  }

  /** Calls back on the broker's clock. */
  later(delayMillis: number, callback: () => void): void {
    this.broker.timers.set(new CallbackTimer(callback), this.broker.clock.nowMillis + delayMillis);
    this.broker.turn.arm();
  }

  /** Says who the client is; a promise when the backend has to ask elsewhere. */
  authenticate(connection: Connection, mechanism: string, response: Buffer): AuthResult | Refusal | Promise<AuthResult> {
    if (!this.broker.settings.mechanisms.includes(mechanism)) {
      return { ok: false, reason: `unknown authentication mechanism '${mechanism}'`, delayMillis: 0, isMalformed: true };
    }
    const identity = this.#identity(connection, mechanism, response);
    if (!identity.ok) return { ok: false, reason: identity.reason, delayMillis: 0, isMalformed: identity.isMalformed };
    return this.#auth.authenticate({
      username: identity.username,
      password: identity.password,
      peerAddress: connection.link.facts.peerHost,
    });
  }

  /** connection.update-secret: meaningful for backends whose credentials expire; others take note. */
  updateSecret(connection: Connection, _secret: Buffer): void {
    this.broker.logger.info('connection', `connection ${connection.name}: user '${connection.user}' updated secret`);
  }

  /** EXTERNAL is not offered where there can be no certificate. [RabbitMQ: should_offer] */
  #encodeStart(): { clusterName: string; plain: Buffer; overTls: Buffer } {
    const { settings, clusterName } = this.broker;
    const encode = (mechanisms: readonly string[]): Buffer =>
      encodeConnectionStart(0, {
        versionMajor: 0,
        versionMinor: 9,
        serverProperties: serverProperties(settings, clusterName),
        mechanisms: Buffer.from(mechanisms.join(' ')),
        locales: Buffer.from('en_US'),
      });
    const { mechanisms } = settings;
    return { clusterName, plain: encode(mechanisms.filter(mechanism => mechanism !== 'EXTERNAL')), overTls: encode(mechanisms) };
  }

  #identity(connection: Connection, mechanism: string, response: Buffer): SaslResult {
    const { facts } = connection.link;
    switch (mechanism) {
      case 'PLAIN':
        return parsePlain(response);
      case 'AMQPLAIN': {
        // The table comes without its length.
        const framed = Buffer.alloc(4 + response.length);
        framed.writeUInt32BE(response.length, 0);
        response.copy(framed, 4);
        return parseAmqplain(decodeTable(framed, 0, framed.length, tableLimitsBeforeAuthentication).table);
      }
      case 'EXTERNAL':
        return externalIdentity(facts.isTls, facts.peerCertificate, this.#options.certificateLogin);
      case 'ANONYMOUS': {
        const { anonymousUser } = this.broker.settings;
        return anonymousIdentity(
          anonymousUser === null ? null : { username: anonymousUser, password: this.#options.anonymousPassword ?? '' },
        );
      }
      default:
        return { ok: false, reason: `unsupported mechanism '${mechanism}'`, isMalformed: true };
    }
  }
}
