// Every key of rabbitmq.conf that WarrenMQ knows, RabbitMQ's and its own. The reference (docs/guides/configuration.md) is generated from it.
import type { Area, SchemaKey } from './key.ts';
import { KeyIndex } from './key-index.ts';
import { MANAGEMENT_AREA, PROMETHEUS_AREA } from './schema/http.ts';
import { LIMITS_AREA } from './schema/limits.ts';
import { LISTENERS_AREA } from './schema/listeners.ts';
import { LOGGING_AREA } from './schema/logging.ts';
import { MEMORY_AREA } from './schema/memory.ts';
import { MQTT_AREA } from './schema/mqtt.ts';
import { NODE_AREA } from './schema/node.ts';
import { OTHER_PROTOCOLS_AREA } from './schema/other-protocols.ts';
import { QUEUES_AREA } from './schema/queues.ts';
import { STOMP_AREA } from './schema/stomp.ts';
import { TELEMETRY_AREA } from './schema/telemetry.ts';
import { TLS_AREA } from './schema/tls.ts';
import { USERS_AREA } from './schema/users.ts';
import { WEB_SOCKETS_AREA } from './schema/web-sockets.ts';

/** In the order of the reference. */
export const AREAS: readonly Area[] = [
  LISTENERS_AREA,
  TLS_AREA,
  USERS_AREA,
  LIMITS_AREA,
  MEMORY_AREA,
  QUEUES_AREA,
  LOGGING_AREA,
  NODE_AREA,
  MANAGEMENT_AREA,
  PROMETHEUS_AREA,
  TELEMETRY_AREA,
  MQTT_AREA,
  STOMP_AREA,
  WEB_SOCKETS_AREA,
  OTHER_PROTOCOLS_AREA,
];

export const KEYS: readonly SchemaKey[] = AREAS.flatMap(area => area.keys);
export const KEY_INDEX = new KeyIndex(KEYS);
