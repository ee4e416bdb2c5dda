import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type ValueType, valueType } from './value-type.ts';

/** Where a listener listens. Either a unix socket (`socketPath`), or a port on an address; a null host is every interface, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host: string | null;
  readonly port: number;
  readonly socketPath: string | null;
}

/** A block of addresses, `10.0.0.0/8`; a single address has all its bits. */
export interface AddressBlock {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port > 65535 ? undefined : port;
}

/** 0 takes a free port. */
export const port: ValueType<number> = valueType('a port from 0 to 65535', parsePort);

export const ipAddress: ValueType<string> = valueType('an IP address', value => (isIP(value) === 0 ? undefined : value));

/** An address, or `any` for null: every interface. */
export const interfaceAddress: ValueType<string | null> = valueType<string | null>('an IP address, or any', value => {
  if (value === 'any') return null;
  return isIP(value) === 0 ? undefined : value;
});

/**
 * `5672` (every interface), `127.0.0.1:5672`, `::1:5672` and `:::5672` (the port follows the last colon, IPv6 brackets are optional),
 * `unix:/path:0`. [RabbitMQ docs: networking]
 */
export const listenAddress: ValueType<ListenAddress> = valueType(
  'a port, or an address and a port such as 127.0.0.1:5672, ::1:5672 or unix:/run/warren.sock:0',
  value => {
    const plain = parsePort(value);
    if (plain !== undefined) return { host: null, port: plain, socketPath: null };
    const socket = /^(?:unix|local):(\/.+):0$/.exec(value);
    // The kernel takes 107 bytes of a socket's path.
    if (socket?.[1] !== undefined) return Buffer.byteLength(socket[1]) > 107 ? undefined : { host: null, port: 0, socketPath: socket[1] };
    const colon = value.lastIndexOf(':');
    if (colon < 1) return undefined;
    const listenPort = parsePort(value.slice(colon + 1));
    const host = value.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    return listenPort === undefined || isIP(host) === 0 ? undefined : { host, port: listenPort, socketPath: null };
  },
);

export const addressBlock: ValueType<AddressBlock> = valueType('an IP address or a block such as 10.0.0.0/8', value => {
  const slash = value.indexOf('/');
  const address = slash < 0 ? value : value.slice(0, slash);
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const bits = family === 'ipv4' ? 32 : 128;
  if (slash < 0) return { address, prefixBits: bits, family };
  const prefix = value.slice(slash + 1);
  return /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits ? { address, prefixBits: Number(prefix), family } : undefined;
});
