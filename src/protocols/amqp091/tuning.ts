import type { FieldTable } from '../../base/field-table.ts';

/** What client and server agreed on, and what the client said of itself. */
export class Tuning {
  channelsMax = 0;
  frameBytesMax = 4096;
  /** 0 switches heartbeats off. */
  heartbeatMillis = 0;
  mechanism = '';
  clientProperties: FieldTable = new Map();
  wantsCancelNotify = false;
  wantsBlocked = false;
  /** Whether a refused login is to be answered with connection.close. */
  wantsFailureClose = false;

  /** Takes the client's capabilities over. [RabbitMQ docs: consumer cancel notify, connection.blocked, authentication failure] */
  describeClient(properties: FieldTable): void {
    this.clientProperties = properties;
    const capabilities = properties.get('capabilities')?.value;
    const has = (name: string): boolean => capabilities instanceof Map && capabilities.get(name)?.value === true;
    this.wantsCancelNotify = has('consumer_cancel_notify');
    this.wantsBlocked = has('connection.blocked');
    this.wantsFailureClose = has('authentication_failure_close');
  }
}
