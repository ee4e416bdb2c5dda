import { externalIdentity } from '../../auth/sasl.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { authenticated } from '../../core/events/session-events.ts';
import type { AuthResult } from '../../core/ports/auth-backend.ts';
import { type Frame, supportedVersions } from '../../wire/stomp/frame.ts';
import type { StompConnection } from './connection.ts';
import { Session } from './session.ts';
import { StompError } from './stomp-error.ts';

/** Heart-beats are whole seconds, and no longer than a timer is sensible for. */
const heartBeatMillisMax = 24 * 60 * 60 * 1000;
const noHeaders: ReadonlyMap<string, string> = new Map();

interface Credentials {
  readonly username: string;
  readonly password: string | null;
}

/** CONNECT, or STOMP; or where `stomp.implicit_connect` says so, any frame at all. [RabbitMQ: process_connect] */
export class Login {
  readonly #connection: StompConnection;
  #isDone = false;
  /** The frame that was CONNECT; null while there was none, or when none is needed. */
  #frame: Frame | null = null;
  #isImplicit = false;

  constructor(connection: StompConnection) {
    this.#connection = connection;
  }

  /** Whether the frame is the one that logged in. */
  isItsFrame(frame: Frame): boolean {
    return this.#frame === frame;
  }

  /** @throws StompError */
  onFrame(frame: Frame): void {
    const isConnect = frame.command === 'CONNECT' || frame.command === 'STOMP';
    if (this.#isDone) throw new StompError('Illegal command', 'You must log in using CONNECT first');
    if (!isConnect && !this.#connection.options.implicitConnect) {
      throw new StompError('Illegal command', 'You must log in using CONNECT first');
    }
    this.#isDone = true;
    this.#isImplicit = !isConnect;
    if (isConnect) this.#frame = frame;
    this.#begin(frame, isConnect ? frame.headers : noHeaders);
  }

  #begin(frame: Frame, headers: ReadonlyMap<string, string>): void {
    const connection = this.#connection;
    connection.version = negotiate(headers.get('accept-version') ?? '1.0');
    const [receiveMillis, sendMillis] = heartBeats(headers.get('heart-beat') ?? '0,0');
    const credentials = this.#credentials(headers);
    const { username, password } = credentials;
    const result = connection.frontEnd.auth.authenticate({ username, password, peerAddress: connection.link.facts.peerHost });
    const finish = (answer: AuthResult): void => {
      if (!answer.ok) {
        this.#refuse(credentials, answer.reason, answer.delayMillis);
        return;
      }
      connection.receiveMillis = receiveMillis;
      connection.sendMillis = sendMillis;
      this.#open(answer.user.name, headers.get('host') ?? connection.options.defaultVhost);
    };
    if (!(result instanceof Promise)) {
      finish(result);
      return;
    }
    connection.intake.holdForLogin();
    const { body } = frame;
    const waiting = this.#isImplicit ? { ...frame, body: Buffer.from(body) } : null;
    result
      .then(answer => {
        connection.broker.turn.begin();
        if (connection.link.isClosed) return;
        try {
          finish(answer);
          if (waiting !== null && connection.isRunning) connection.onFrame(waiting);
        } catch (error) {
          connection.fail(error);
        }
        connection.intake.releaseAfterLogin();
      })
      .catch((error: unknown) => connection.fail(error));
  }

  #credentials(headers: ReadonlyMap<string, string>): Credentials {
    const { options, link } = this.#connection;
    const login = headers.get('login');
    if (login === undefined && options.certificateLogin) {
      const { isTls, peerCertificate } = link.facts;
      const identity = externalIdentity(isTls, peerCertificate, options.certificateName);
      if (identity.ok) return { username: identity.username, password: null };
    }
    const username = login ?? options.defaultLogin?.user ?? '';
    // The default password is for the default user only.
    const password = headers.get('passcode') ?? (username === options.defaultLogin?.user ? options.defaultLogin.password : '');
    return { username, password };
  }

  #refuse({ username }: Credentials, reason: string, delayMillis: number): void {
    const connection = this.#connection;
    const { broker } = connection;
    broker.counters.authenticationsFailed++;
    broker.counters.protocol('stomp').authenticationsFailed++;
    if (broker.events.isObserved) authenticated(broker.events, connection.describe(), '', reason);
    broker.logger.warning('connection', `STOMP login failed for user '${username}' on connection ${connection.name}: ${reason}`);
    const isLocalOnly = reason.endsWith('can only connect via localhost');
    const detail = isLocalOnly ? 'non-loopback access denied' : `Access refused for user '${username}'`;
    const tell = (): void => {
      if (connection.link.isClosed || connection.isOver) return;
      broker.turn.begin();
      connection.fail(new StompError('Bad CONNECT', detail, { isFatal: true }));
    };
    if (delayMillis > 0) connection.frontEnd.later(delayMillis, tell);
    else tell();
  }

  #open(user: string, vhostName: string): void {
    const connection = this.#connection;
    const { broker } = connection;
    connection.user = user;
    broker.counters.authenticationsSucceeded++;
    broker.counters.protocol('stomp').authenticationsSucceeded++;
    if (broker.events.isObserved) authenticated(broker.events, connection.describe(), user, null);
    try {
      connection.entered(broker.virtualHosts.enter(vhostName, connection));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      const detail = error.text.includes('connection limit')
        ? 'Connection refused: vhost connection limit reached'
        : `Virtual host '${vhostName}' access denied`;
      throw new StompError('Bad CONNECT', detail, { isFatal: true });
    }
    const session = new Session(connection);
    if (!this.#isImplicit) connection.send(session.connectedFrame(`${connection.sendMillis},${connection.receiveMillis}`));
    connection.opened(session);
  }
}

/** The highest version both know. @throws StompError */
function negotiate(accepted: string): string {
  const offered = accepted.split(',').map(version => version.trim());
  const version = supportedVersions.findLast(each => offered.includes(each));
  if (version !== undefined) return version;
  throw new StompError('Version mismatch', `Supported versions are ${supportedVersions.join(',')}\n`, { isFatal: true });
}

/** What the client can send and wants to get, in milliseconds: whole seconds, one at least. [RabbitMQ: ensure_heartbeats] @throws StompError */
function heartBeats(header: string): readonly [canSend: number, wants: number] {
  const match = /^\s*(\d{1,15})\s*,\s*(\d{1,15})\s*$/.exec(header);
  if (match === null) throw new StompError('Bad CONNECT', `Invalid heart-beat header '${header}'\n`, { isFatal: true });
  return [wholeSeconds(Number(match[1])), wholeSeconds(Number(match[2]))];
}

function wholeSeconds(millis: number): number {
  if (millis === 0) return 0;
  return Math.min(Math.max(1000, millis - (millis % 1000)), heartBeatMillisMax);
}
