import type { FieldTable } from '../../base/field-table.ts';
import { decodeTable, tableLimitsBeforeAuthentication } from '../../wire/amqp091/table.ts';

/** What client and server agreed on, and what the client said of itself. */
export class Tuning {
  channelsMax = 0;
  frameBytesMax = 4096;
  /** 0 switches heartbeats off. */
  heartbeatMillis = 0;
  mechanism = '';
  /** What the client said of itself, as it came, an octet a character: for the most part of a connection's life nobody asks. */
  #clientProperties = '';
  wantsCancelNotify = false;
  wantsBlocked = false;
  /** Whether a refused login is to be answered with connection.close. */
  wantsFailureClose = false;

  get clientProperties(): FieldTable {
    if (this.#clientProperties === '') return new Map();
    const bytes = Buffer.from(this.#clientProperties, 'latin1');
    return decodeTable(bytes, 0, bytes.length, tableLimitsBeforeAuthentication).table;
  }

  /**
   * Takes the client's capabilities over. `encoded` is the table with its length, an octet a character.
   * [RabbitMQ docs: consumer cancel notify, connection.blocked, authentication failure]
   */
  describeClient(properties: FieldTable, encoded: string): void {
    this.#clientProperties = encoded;
    const capabilities = properties.get('capabilities')?.value;
    const has = (name: string): boolean => capabilities instanceof Map && capabilities.get(name)?.value === true;
    this.wantsCancelNotify = has('consumer_cancel_notify');
    this.wantsBlocked = has('connection.blocked');
    this.wantsFailureClose = has('authentication_failure_close');
  }
}
