// The parts of RabbitMQ that have keys here and are not part of this version. When one arrives, its constant becomes 'full' and its keys work.
import type { Effect } from '../key.ts';

function notYet(what: string): Effect {
  return { none: `${what} not part of this version` };
}

export const MANAGEMENT: Effect = 'full';
export const PROMETHEUS: Effect = 'full';
export const MQTT: Effect = 'full';
export const STOMP: Effect = 'full';
export const STREAM: Effect = notYet('the stream protocol is');
export const AMQP10: Effect = notYet('AMQP 1.0 is');
export const EVENTS: Effect = notYet('the event exchange is');
export const INTERCEPTORS: Effect = notYet('message interceptors are');
export const LOG_EXCHANGE: Effect = notYet('logging to an exchange is');
export const CREDENTIAL_VALIDATION: Effect = notYet('validation of new passwords is');
export const LOGIN_THROTTLE: Effect = 'full';
export const DEFAULT_POLICIES: Effect = 'full';
export const PRESEEDED_VHOSTS: Effect = 'full';
