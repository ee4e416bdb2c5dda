import type { Json } from '../../base/field-table.ts';
import { reasons } from '../../wire/mqtt/constants.ts';

/** Where clients are to go instead. */
export interface Redirect {
  /** For a while, or for good. [MQTT 5.0 4.13] */
  readonly reason: number;
  /** Hosts with their ports, one or several with spaces between them. [MQTT 5.0 3.2.2.3.16] */
  readonly server: string;
}

/** The global parameter by which operators send clients elsewhere: `{"server": "other.example:1883", "permanent": false}`. */
export const redirectParameter = 'mqtt_redirect';

/** Where the parameter's value sends clients; null for no value, or one that names no server. */
export function redirectOf(value: Json | undefined): Redirect | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const server = Object.hasOwn(value, 'server') ? value['server'] : undefined;
  if (typeof server !== 'string' || server === '' || server.length > 1024) return null;
  const isPermanent = Object.hasOwn(value, 'permanent') && value['permanent'] === true;
  return { reason: isPermanent ? reasons.serverMoved : reasons.useAnotherServer, server };
}
