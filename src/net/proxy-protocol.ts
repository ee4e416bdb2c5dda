import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { plainAddress } from '../base/address.ts';

/** The two ends of a connection as the proxy saw them: the client, and the address it had dialled. */
export interface ProxiedEnds {
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
}

/** What came is no PROXY header. The message says what is wrong with it, for the log. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
}

const signature1 = Buffer.from('PROXY ', 'latin1');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Longest line of version 1, with its CRLF. [PROXY protocol 2.1] */
const lineBytesMax = 107;
const fixedBytes = 16;
/** Addresses of two Unix sockets: the longest address block. */
const addressBytesMax = 216;
/** Longest header of version 2: room for any set of TLVs in use, far below the 64 KiB that the length field allows. */
export const proxyHeaderBytesMax = 16 * 1024;

/**
 * Reads a PROXY header, version 1 or 2, from pieces of any size. [PROXY protocol, HAProxy]
 *
 *     v1   PROXY TCP4 192.0.2.1 198.51.100.7 51234 5672 CR LF
 *     v2   signature 12 | version and command u8 | family and transport u8 | length u16 | addresses | TLVs
 *
 * No more than the addresses is kept of it; TLVs are skipped.
 */
export class ProxyHeaderReader {
  /**
   * After a complete header: what the proxy said. Null when it said nothing that counts (LOCAL, UNKNOWN, a client on a Unix socket of the
   * proxy's machine): then the ends of the connection itself are the truth.
   */
  ends: ProxiedEnds | null = null;
  #head = Buffer.allocUnsafeSlow(fixedBytes + addressBytesMax);
  #count = 0;
  #skipBytes = 0;

  /**
   * Takes a piece in. Returns where in it the client's own bytes begin, -1 when the header goes on.
   * @throws ProxyHeaderError as soon as it cannot be one any more
   */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
        if (this.#skipBytes === 0) return at;
        continue;
      }
      this.#head[this.#count++] = bytes[at++] as number;
      if (this.#isHeadComplete()) {
        if (this.#head[0] === signature1[0]) {
          this.ends = parseLine(this.#head.toString('latin1', 0, this.#count - 2));
        } else {
          this.ends = parseBlock(this.#head);
          this.#skipBytes = fixedBytes + this.#head.readUInt16BE(14) - this.#count;
        }
        if (this.#skipBytes === 0) return at;
      }
    }
    return -1;
  }

  /** Looks at the octet that came last. */
  #isHeadComplete(): boolean {
    const count = this.#count;
    const last = this.#head[count - 1] as number;
    if (this.#head[0] === signature1[0]) {
      if (count <= signature1.length && last !== signature1[count - 1]) throw new ProxyHeaderError('no PROXY header');
      if (last === 0x0a) {
        if (this.#head[count - 2] !== 0x0d) throw new ProxyHeaderError('the line of the PROXY header does not end in CR LF');
        return true;
      }
      if (count === lineBytesMax) throw new ProxyHeaderError('the line of the PROXY header does not end');
      return false;
    }
    if (count <= signature2.length && last !== signature2[count - 1]) throw new ProxyHeaderError('no PROXY header');
    if (count < fixedBytes) return false;
    if (count === fixedBytes) this.#checkFixed();
    return count === fixedBytes + this.#addressBytes();
  }

  #checkFixed(): void {
    const head = this.#head;
    const command = head[12] as number;
    if (command >> 4 !== 2) throw new ProxyHeaderError(`PROXY header of version ${command >> 4}`);
    if ((command & 15) > 1) throw new ProxyHeaderError(`unknown command ${command & 15} in the PROXY header`);
    const bytes = head.readUInt16BE(14);
    if (fixedBytes + bytes > proxyHeaderBytesMax) throw new ProxyHeaderError(`PROXY header of ${fixedBytes + bytes} bytes`);
    if (bytes < this.#addressBytes()) throw new ProxyHeaderError('the PROXY header is too short for its addresses');
  }

  /** Octets of the address block; 0 when it does not matter. */
  #addressBytes(): number {
    if (isLocal(this.#head)) return 0;
    const family = this.#head[13] as number;
    switch (family) {
      case 0x11:
        return 12;
      case 0x21:
        return 36;
      case 0x31:
        return addressBytesMax;
      default:
        // Unspecified: the addresses are to be ignored, whatever there is of them.
        if (family >> 4 === 0 && family <= 2) return 0;
        throw new ProxyHeaderError(`the PROXY header is for address family and transport 0x${family.toString(16).padStart(2, '0')}`);
    }
  }
}

function isLocal(head: Buffer): boolean {
  return ((head[12] as number) & 15) === 0;
}

function parseLine(line: string): ProxiedEnds | null {
  if (/^PROXY UNKNOWN(?: .*)?$/.test(line)) return null;
  const match = /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line);
  if (match === null) throw new ProxyHeaderError('malformed line in the PROXY header');
  const [, version, source = '', destination = '', sourcePort, destinationPort] = match;
  const isAddress = version === '4' ? isIPv4 : isIPv6;
  const [peerPort, port] = [Number(sourcePort), Number(destinationPort)];
  if (!isAddress(source) || !isAddress(destination) || peerPort > 65_535 || port > 65_535) {
    throw new ProxyHeaderError('malformed address in the PROXY header');
  }
  const family = version === '4' ? 'ipv4' : 'ipv6';
  return { peerHost: canonical(source, family), peerPort, host: canonical(destination, family), port };
}

function parseBlock(head: Buffer): ProxiedEnds | null {
  if (isLocal(head)) return null;
  const at = fixedBytes;
  switch (head[13]) {
    case 0x11:
      return {
        peerHost: head.subarray(at, at + 4).join('.'),
        peerPort: head.readUInt16BE(at + 8),
        host: head.subarray(at + 4, at + 8).join('.'),
        port: head.readUInt16BE(at + 10),
      };
    case 0x21:
      return {
        peerHost: ipv6Text(head, at),
        peerPort: head.readUInt16BE(at + 32),
        host: ipv6Text(head, at + 16),
        port: head.readUInt16BE(at + 34),
      };
    default:
      return null;
  }
}

function ipv6Text(bytes: Buffer, at: number): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes.readUInt16BE(at + i).toString(16));
  return canonical(groups.join(':'), 'ipv6');
}

/** The address as a socket would give it. */
function canonical(address: string, family: 'ipv4' | 'ipv6'): string {
  return plainAddress(new SocketAddress({ address, family }).address);
}
