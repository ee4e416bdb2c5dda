import { bool, type FieldTable, longstr, table } from '../../base/field-table.ts';
import { version } from '../../base/version.ts';
import type { BrokerSettings } from '../../core/settings.ts';

const capabilities = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'consumer_priorities',
  'authentication_failure_close',
  'per_consumer_qos',
  'direct_reply_to',
];

/**
 * What connection.start says of the server. Clients switch on product and version (kombu's prefetch does), so these name what we behave
 * like; the rest says who we are.
 */
export function serverProperties(settings: BrokerSettings, clusterName: string): FieldTable {
  return new Map([
    ['capabilities', table(new Map(capabilities.map(name => [name, bool(true)])))],
    ['cluster_name', longstr(clusterName)],
    ['copyright', longstr('Copyright (c) the WarrenMQ authors')],
    ['information', longstr(`WarrenMQ ${version}, Apache-2.0`)],
    ['platform', longstr(`WarrenMQ ${version} on Node.js ${process.versions.node}`)],
    ['product', longstr(settings.product)],
    ['version', longstr(settings.productVersion)],
  ]);
}
