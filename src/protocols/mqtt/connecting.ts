import { randomBytes } from 'node:crypto';
import { alternativeNames, certificateUsername } from '../../auth/client-certificate.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { authenticated, connectionCreated } from '../../core/events/session-events.ts';
import type { AuthResult } from '../../core/ports/auth-backend.ts';
import { mqtt31, mqtt311, mqtt5, reasons } from '../../wire/mqtt/constants.ts';
import { UnsupportedVersion } from '../../wire/mqtt/decode.ts';
import { encodePacket } from '../../wire/mqtt/encode.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import type { ConnectPacket } from '../../wire/mqtt/packets.ts';
import type { Properties } from '../../wire/mqtt/properties.ts';
import type { Connection } from './connection.ts';
import { OutgoingAliases } from './outgoing-aliases.ts';
import { sessionQueueName } from './sessions.ts';
import { isTopicName, routingKeyOfTopic } from './topics.ts';
import { Will } from './wills.ts';
import { limits } from '../../core/limits.ts';

const forever = 0xffff_ffff;
const billion = 1e9;

/** Who the client says it is, and where it wants to. */
interface Login {
  readonly username: string;
  readonly password: Buffer | string | null;
  readonly vhost: string;
}

/** Return codes of CONNACK before MQTT 5. [MQTT 3.1.1 3.2.2.3] */
export function returnCode(reason: number): number {
  switch (reason) {
    case reasons.success:
      return 0;
    case reasons.unsupportedVersion:
      return 1;
    case reasons.clientIdInvalid:
      return 2;
    case reasons.badUserNameOrPassword:
      return 4;
    case reasons.notAuthorized:
    case reasons.badAuthenticationMethod:
    case reasons.banned:
      return 5;
    default:
      return 3;
  }
}

/** The version in which a CONNECT that is broken can be answered; null for none. [MQTT 5.0 3.1.4] */
export function versionToAnswer(error: unknown, buffer: Buffer, start: number, end: number): number | null {
  if (error instanceof UnsupportedVersion) return error.version > mqtt5 ? mqtt5 : mqtt311;
  // Behind the protocol's name; what is broken comes later.
  const versionAt = start + 2 + (end - start < 2 ? 0 : buffer.readUInt16BE(start));
  return versionAt < end && buffer[versionAt] === mqtt5 ? mqtt5 : null;
}

/** The opening of a connection: CONNECT, who it is, its session, CONNACK. [MQTT 5.0 3.1] */
export class Connecting {
  readonly #connection: Connection;
  readonly #packet: ConnectPacket;

  constructor(connection: Connection, packet: ConnectPacket) {
    this.#connection = connection;
    this.#packet = packet;
  }

  /** @throws MqttError with what the client is told */
  begin(): void {
    const connection = this.#connection;
    const packet = this.#packet;
    const { frontEnd, broker } = connection;
    this.#noteWishes();
    if (packet.properties.authenticationMethod !== undefined)
      throw new MqttError(reasons.badAuthenticationMethod, `the authentication method '${packet.properties.authenticationMethod}'`);
    if (frontEnd.connectionCount > frontEnd.options.connectionMax)
      throw new MqttError(reasons.quotaExceeded, `more than ${frontEnd.options.connectionMax} MQTT connections`);
    this.#checkClientId();
    if (packet.will !== null && !isTopicName(packet.will.topic, frontEnd.options.topicLevelsMax))
      throw new MqttError(reasons.topicNameInvalid, 'the topic of the will');
    const login = this.#login();
    const result = frontEnd.auth.authenticate({
      username: login.username,
      password: login.password,
      peerAddress: connection.link.facts.peerHost,
    });
    if (!(result instanceof Promise)) {
      this.#authenticated(login, result);
      return;
    }
    connection.intake.holdForLogin();
    result
      .then(answer => {
        broker.turn.begin();
        if (connection.link.isClosed) return;
        connection.guarded(() => this.#authenticated(login, answer));
        connection.intake.releaseAfterLogin();
      })
      .catch((error: unknown) => connection.fault(error));
  }

  /** What the client takes, and how often it is heard of. */
  #noteWishes(): void {
    const connection = this.#connection;
    const { properties, keepAliveSeconds } = this.#packet;
    const { options } = connection.frontEnd;
    connection.packetBytesMaxOfClient = properties.packetBytesMax ?? Infinity;
    if (properties.receiveMax !== undefined) connection.deliveriesMax = properties.receiveMax;
    const aliasMax = Math.min(properties.topicAliasMax ?? 0, options.topicAliasMax);
    if (aliasMax > 0) connection.outgoingAliases = new OutgoingAliases(aliasMax);
    const max = options.keepAliveSecondsMax;
    const isTooLong = max > 0 && connection.isVersion5 && (keepAliveSeconds === 0 || keepAliveSeconds > max);
    connection.keepAliveSeconds = isTooLong ? max : keepAliveSeconds;
  }

  #checkClientId(): void {
    const connection = this.#connection;
    const { clientId, version, isCleanStart } = this.#packet;
    // An empty one is for sessions that nobody comes back to. [MQTT 3.1.1 3.1.3.1]
    if (clientId === '' && (version === mqtt31 || (version !== mqtt5 && !isCleanStart)))
      throw new MqttError(reasons.clientIdInvalid, 'an empty client id');
    if (Buffer.byteLength(sessionQueueName(clientId, 1)) > limits.nameBytesMax)
      throw new MqttError(reasons.clientIdInvalid, `a client id of ${Buffer.byteLength(clientId)} bytes`);
    connection.clientId = clientId === '' ? `warren-${randomBytes(12).toString('base64url')}` : clientId;
    const { clientIdFrom } = connection.frontEnd.options;
    const { peerCertificate } = connection.link.facts;
    if (clientIdFrom === null || peerCertificate === null) return;
    const names =
      clientIdFrom.from === 'subject_alternative_name'
        ? alternativeNames(peerCertificate.subjectAltName ?? '', clientIdFrom.sanType)
        : [certificateUsername(peerCertificate, clientIdFrom)];
    const expected = clientIdFrom.from === 'subject_alternative_name' ? names[clientIdFrom.sanIndex] : names[0];
    if (connection.clientId !== expected)
      throw new MqttError(reasons.clientIdInvalid, `the client id '${connection.clientId}' is not that of the certificate`);
  }

  /** User, password and virtual host. [RabbitMQ docs: MQTT, authentication and virtual hosts] */
  #login(): Login {
    const connection = this.#connection;
    const { options } = connection.frontEnd;
    const { username, password } = this.#packet;
    const { peerCertificate } = connection.link.facts;
    if (username === null && password === null && options.certificateLogin !== null && peerCertificate !== null) {
      const name = certificateUsername(peerCertificate, options.certificateLogin);
      if (name === null) throw new MqttError(reasons.badUserNameOrPassword, 'the certificate has no user name');
      return { username: name, password: null, vhost: this.#certificateVhost(name) ?? this.#portVhost() ?? options.vhost };
    }
    if (username === null || username === '') {
      if (options.anonymousLogin === null || (password !== null && password.length > 0))
        throw new MqttError(reasons.badUserNameOrPassword, 'no credentials');
      return {
        username: options.anonymousLogin.user,
        password: options.anonymousLogin.password,
        vhost: this.#portVhost() ?? options.vhost,
      };
    }
    if (password === null) throw new MqttError(reasons.badUserNameOrPassword, `no password for user '${username}'`);
    const colon = username.lastIndexOf(':');
    // A virtual host that is there goes before everything else; else the colon belongs to the name.
    if (colon > 0 && connection.broker.vhosts.has(username.slice(0, colon)))
      return { username: username.slice(colon + 1), password, vhost: username.slice(0, colon) };
    return { username, password, vhost: this.#portVhost() ?? options.vhost };
  }

  #portVhost(): string | null {
    return this.#mapped('mqtt_port_to_vhost_mapping', String(this.#connection.link.facts.port));
  }

  #certificateVhost(name: string): string | null {
    return this.#mapped('mqtt_default_vhosts', name);
  }

  #mapped(parameter: string, key: string): string | null {
    const mapping = this.#connection.broker.parameters.global(parameter);
    if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping) || !Object.hasOwn(mapping, key)) return null;
    const vhost = mapping[key];
    return typeof vhost === 'string' ? vhost : null;
  }

  #authenticated(login: Login, result: AuthResult): void {
    const connection = this.#connection;
    const { broker } = connection;
    if (!result.ok) {
      broker.counters.authenticationsFailed++;
      connection.traffic.authenticationsFailed++;
      if (broker.events.isObserved) authenticated(broker.events, connection.describe(), '', result.reason);
      const isLocalOnly = result.reason.endsWith('can only connect via localhost');
      const refusal = new MqttError(
        isLocalOnly ? reasons.notAuthorized : reasons.badUserNameOrPassword,
        `MQTT login failed: ${result.reason}`,
      );
      if (result.delayMillis <= 0) throw refusal;
      connection.intake.holdForLogin();
      connection.frontEnd.later(result.delayMillis, () => {
        if (!connection.link.isClosed)
          connection.guarded(() => {
            throw refusal;
          });
      });
      return;
    }
    broker.counters.authenticationsSucceeded++;
    connection.traffic.authenticationsSucceeded++;
    connection.user = result.user.name;
    if (broker.events.isObserved) authenticated(broker.events, connection.describe(), connection.user, null);
    connection.link.authenticated();
    const { redirect } = connection.frontEnd;
    if (redirect !== null) {
      connection.disconnect(redirect.reason, 'use another server', redirect.server);
      return;
    }
    this.#enterVhost(login.vhost);
    this.#open();
  }

  #enterVhost(name: string): void {
    const connection = this.#connection;
    const { broker } = connection;
    if (!broker.vhosts.has(name)) throw new MqttError(reasons.badUserNameOrPassword, `vhost '${name}' does not exist`);
    try {
      connection.entered(broker.virtualHosts.enter(name, connection));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw new MqttError(error.text.includes('limit') ? reasons.quotaExceeded : reasons.notAuthorized, error.text);
    }
  }

  #open(): void {
    const connection = this.#connection;
    const packet = this.#packet;
    const { frontEnd, broker } = connection;
    const { options, sessions } = frontEnd;
    if (packet.will !== null) {
      try {
        sessions.checkPublish(
          connection.vhost,
          connection.user,
          connection.clientId,
          routingKeyOfTopic(packet.will.topic, options.sparkplug),
        );
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        throw new MqttError(reasons.notAuthorized, `the will: ${error.text}`);
      }
    }
    if (sessions.count >= options.sessionsMax && sessions.find(connection.vhost, connection.clientId) === undefined)
      throw new MqttError(reasons.quotaExceeded, `more than ${options.sessionsMax} sessions`);
    const expiryMillis = this.#expiryMillis();
    const { session, wasThere } = sessions.enter(connection, packet.isCleanStart, expiryMillis);
    session.will = packet.will === null ? null : new Will(packet.will);
    const properties = packet.version === mqtt5 ? this.#answer(expiryMillis) : {};
    const isPresent = wasThere && packet.version !== mqtt31;
    connection.send(encodePacket({ name: 'connack', isSessionPresent: isPresent, reason: reasons.success, properties }, packet.version));
    connection.opened(session);
    broker.logger.info(
      'connection',
      `Accepted MQTT connection ${connection.name} for client ID ${connection.clientId}, vhost: '${connection.vhostName}', user: '${connection.user}'`,
    );
    if (broker.events.isObserved) connectionCreated(broker.events, broker.settings.nodeName, connection.describe());
  }

  /** How long the session outlives the connection. */
  #expiryMillis(): number {
    const { version, isCleanStart, properties } = this.#packet;
    const max = this.#connection.frontEnd.options.sessionExpirySecondsMax;
    if (version !== mqtt5) return isCleanStart ? 0 : max * 1000;
    const wanted = properties.sessionExpirySeconds ?? 0;
    return Math.min(wanted === forever ? Infinity : wanted, max) * 1000;
  }

  /** What an MQTT 5 client is told of the connection. */
  #answer(expiryMillis: number): Properties {
    const connection = this.#connection;
    const packet = this.#packet;
    const { options } = connection.frontEnd;
    const answer: Properties = {};
    const granted = expiryMillis === Infinity ? forever : Math.min(forever, expiryMillis / 1000);
    if (granted !== (packet.properties.sessionExpirySeconds ?? 0)) answer.sessionExpirySeconds = granted;
    if (packet.clientId === '') answer.assignedClientId = connection.clientId;
    if (connection.keepAliveSeconds !== packet.keepAliveSeconds) answer.serverKeepAliveSeconds = connection.keepAliveSeconds;
    answer.receiveMax = options.receiveMax;
    answer.topicAliasMax = options.topicAliasMax;
    const { packetBytesMax } = connection.reader;
    if (packetBytesMax < billion) answer.packetBytesMax = packetBytesMax;
    return answer;
  }
}
