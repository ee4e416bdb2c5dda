import { equalBytes } from '../../base/bytes.ts';
import type { AuthResult } from '../../core/ports/auth-backend.ts';
import { authenticated } from '../../core/events/session-events.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { erlangBinary } from '../../core/erlang-field.ts';
import { FrameMethod, FrameMinSize } from '../../wire/amqp091/constants.gen.ts';
import { protocolHeader } from '../../wire/amqp091/frame.ts';
import {
  ConnectionOpen,
  ConnectionStartOk,
  ConnectionTuneOk,
  decodeConnectionOpen,
  decodeConnectionStartOk,
  decodeConnectionTuneOk,
  encodeConnectionOpenOk,
} from '../../wire/amqp091/methods.gen.ts';
import { tableLimitsBeforeAuthentication } from '../../wire/amqp091/table.ts';
import type { Connection } from './connection.ts';
import { closingText, errorText } from './log-texts.ts';
import { misplacedFrame, replyError } from './reply-error.ts';

type State = 'header' | 'starting' | 'authenticating' | 'tuning' | 'opening';

const header = Buffer.from(protocolHeader);
const nothing = Buffer.alloc(0);
const openOkFrame = encodeConnectionOpenOk(0);
/** Headers that older clients send for the same protocol: 0-9 and 0-9-1 in the notation of 0-9. [RabbitMQ: rabbit_reader, handshake] */
const acceptedHeaders: readonly Buffer[] = [
  header,
  Buffer.from('AMQP\x01\x01\x00\x09', 'latin1'),
  Buffer.from('AMQP\x01\x01\x09\x01', 'latin1'),
];

/** The opening of a connection: protocol header, start, tune, open. [AMQP 0-9-1 2.2.4] */
export class Handshake {
  readonly #connection: Connection;
  #state: State = 'header';
  #head: Buffer = nothing;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get hasHeader(): boolean {
    return this.#state !== 'header';
  }

  get stateName(): string {
    return this.#state === 'header' || this.#state === 'authenticating' ? 'starting' : this.#state;
  }

  /** Takes the protocol header; returns where frames begin. Another protocol is told which one we speak. */
  onHeaderBytes(buffer: Buffer, start: number, end: number): number {
    if (this.#head.length === 0 && end - start >= header.length && equalBytes(header, 0, buffer, start, header.length)) {
      this.#begin();
      return start + header.length;
    }
    const missing = header.length - this.#head.length;
    const taken = Math.min(missing, end - start);
    const head = Buffer.concat([this.#head, buffer.subarray(start, start + taken)]);
    this.#head = head;
    const isPossible = acceptedHeaders.some(accepted => equalBytes(accepted, 0, head, 0, head.length));
    // A wrong beginning of something shorter than eight octets ("GET /") waits for the rest or the timeout, as in RabbitMQ.
    if (head.length < header.length && (isPossible || head.length < 8)) return end;
    if (!isPossible) {
      this.#connection.broker.logger.error('connection', closingText(this.#connection, `{bad_header,${erlangBinary(head)}}`));
      this.#connection.send(header);
      this.#connection.endNow();
      return end;
    }
    this.#begin();
    return start + taken;
  }

  #begin(): void {
    this.#state = 'starting';
    const { frontEnd, link } = this.#connection;
    this.#connection.send(frontEnd.startFrame(link.facts.isTls));
  }

  onMethod(method: number, channelNumber: number, buffer: Buffer, start: number, end: number): void {
    if (channelNumber !== 0) throw misplacedFrame(FrameMethod, buffer.subarray(start - 4, end));
    if (this.#state === 'starting' && method === ConnectionStartOk) this.#onStartOk(buffer, start, end);
    else if (this.#state === 'tuning' && method === ConnectionTuneOk) this.#onTuneOk(buffer, start, end);
    else if (this.#state === 'opening' && method === ConnectionOpen) this.#onOpen(buffer, start, end);
    else throw new BrokerError('CHANNEL_ERROR', `unexpected method in connection state ${this.stateName}`);
  }

  #onStartOk(buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const args = decodeConnectionStartOk(buffer, start, end, tableLimitsBeforeAuthentication);
    connection.tuning.mechanism = args.mechanism;
    const givenName = args.clientProperties.get('connection_name')?.value;
    if (typeof givenName === 'string') {
      connection.broker.logger.info('connection', `connection ${connection.name} has a client-provided name: ${givenName}`);
    }
    connection.tuning.describeClient(args.clientProperties, buffer.toString('latin1', start, start + 4 + buffer.readUInt32BE(start)));
    this.#state = 'authenticating';
    const result = connection.frontEnd.authenticate(connection, args.mechanism, args.response);
    if (result instanceof Promise) {
      connection.intake.holdForLogin();
      result
        .then(answer => {
          connection.broker.turn.begin();
          if (connection.link.isClosed) return;
          if (this.#state === 'authenticating') this.#authenticated(answer);
          connection.intake.releaseAfterLogin();
        })
        .catch((error: unknown) => connection.fault(error));
    } else {
      this.#authenticated(result);
    }
  }

  #authenticated(
    result: (AuthResult & { isMalformed?: boolean }) | { ok: false; reason: string; delayMillis: number; isMalformed?: boolean },
  ): void {
    const connection = this.#connection;
    const { broker, tuning } = connection;
    if (!result.ok) {
      broker.counters.authenticationsFailed++;
      if (broker.events.isObserved) authenticated(broker.events, connection.describe(), '', result.reason);
      broker.logger.error('connection', errorText(connection, `${tuning.mechanism} login refused: ${result.reason}`));
      if (!tuning.wantsFailureClose || result.isMalformed === true) {
        connection.silentClose(`login refused: ${result.reason}`);
        return;
      }
      const refuse = (): void => {
        if (connection.link.isClosed) return;
        broker.turn.begin();
        const text = `Login was refused using authentication mechanism ${tuning.mechanism}. For details see the broker logfile.`;
        // Some clients look for the end of the stream before they answer, and would not read why it ended: php-amqplib.
        connection.announceClose({ ...replyError('ACCESS_REFUSED', text), namesMethod: false }, 0);
      };
      if (result.delayMillis > 0) connection.frontEnd.later(result.delayMillis, refuse);
      else refuse();
      return;
    }
    broker.counters.authenticationsSucceeded++;
    connection.user = result.user.name;
    if (broker.events.isObserved) authenticated(broker.events, connection.describe(), connection.user, null);
    connection.link.authenticated();
    this.#state = 'tuning';
    connection.send(connection.frontEnd.tuneFrame);
  }

  #onTuneOk(buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const { settings } = connection.broker;
    const args = decodeConnectionTuneOk(buffer, start, end);
    // 0 means "no limit" to the specification; RabbitMQ refuses it as being above its own limit. A broker without one takes it.
    const channelMax = negotiated('channel_max', args.channelMax, 1, settings.channelsMax, 65_535);
    const frameMax = negotiated('frame_max', args.frameMax, FrameMinSize, settings.frameBytesMax, 0x7fff_ffff);
    const { tuning } = connection;
    tuning.channelsMax = channelMax;
    tuning.frameBytesMax = frameMax;
    tuning.heartbeatMillis = args.heartbeat * 1000;
    connection.reader.payloadBytesMax = frameMax;
    connection.bodyFrameMax = frameMax - 8;
    this.#state = 'opening';
  }

  #onOpen(buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    const args = decodeConnectionOpen(buffer, start, end);
    try {
      const vhost = connection.broker.virtualHosts.enter(args.virtualHost, connection);
      connection.send(openOkFrame);
      connection.opened(vhost);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      connection.closeWith(replyError(error.code, error.text), ConnectionOpen);
    }
  }
}

/** @throws BrokerError NOT_ALLOWED when the client's value is out of bounds. [RabbitMQ: rabbit_reader, validate_negotiated_integer_value] */
function negotiated(name: string, client: number, min: number, server: number, unlimited: number): number {
  const isTooLow = client !== 0 && client < min;
  const isTooHigh = server !== 0 && (client === 0 || client > server);
  if (isTooLow || isTooHigh) {
    throw new BrokerError(
      'NOT_ALLOWED',
      `negotiated ${name} = ${client} is ${isTooLow ? `lower than the minimum allowed value (${min})` : `higher than the maximum allowed value (${server})`}`,
    );
  }
  return client === 0 ? unlimited : client;
}
