/** Peer address of connections over a Unix socket. */
export const unixPeer = 'unix';

/** The address as the 16 bytes of IPv6, IPv4 as ::ffff:a.b.c.d; null if the text is no address. A zone (%eth0) is ignored. */
export function parseAddress(text: string): Uint8Array | null {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  if (address.length > 45) return null;
  return address.includes(':') ? parseIpv6(address) : parseIpv4(address);
}

function parseIpv4(address: string): Uint8Array | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (match === null) return null;
  const bytes = match.slice(1).map(Number);
  if (bytes.some(byte => byte > 255)) return null;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

function parseIpv6(address: string): Uint8Array | null {
  const halves = address.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return Uint8Array.of(...head, ...new Uint8Array(missing), ...tail);
}

/** Bytes of 'a:b:c'; the last group may be an IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (mayEndInIpv4 && index === groups.length - 1 && group.includes('.')) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === null) return null;
      bytes.push(...ipv4.subarray(12));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function isMappedIpv4(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every(byte => byte === 0);
}

/**
 * Whether the peer is on this machine: 127.0.0.0/8, ::1, either of them in IPv6 form, a Unix socket, or (null) this very process. What is no
 * address is not. [RabbitMQ docs: guest can only connect from localhost]
 */
export function isLoopback(peerAddress: string | null): boolean {
  if (peerAddress === null || peerAddress === unixPeer) return true;
  if (peerAddress === '127.0.0.1' || peerAddress === '::1') return true;
  const bytes = parseAddress(peerAddress);
  if (bytes === null) return false;
  if (isMappedIpv4(bytes)) return bytes[12] === 127;
  return bytes.subarray(0, 15).every(byte => byte === 0) && bytes[15] === 1;
}

/** What counts as one source of connections: an IPv4 address, or an IPv6 network of /64, which is what one customer gets. */
export function sourceOf(peerAddress: string): string {
  const bytes = parseAddress(peerAddress);
  if (bytes === null) return peerAddress.slice(0, 64);
  const significant = isMappedIpv4(bytes) ? bytes.subarray(12) : bytes.subarray(0, 8);
  return Buffer.from(significant).toString('hex');
}

/** An IPv4 address that came over an IPv6 socket, without its wrapping; '' for none. */
export function plainAddress(address: string | undefined): string {
  return address === undefined ? '' : address.replace(/^::ffff:(?=\d+\.)/i, '');
}
