// PROXY protocol headers as proxies send them. [PROXY protocol, HAProxy]
import { parseAddress } from '../../src/base/address.ts';

export interface ProxyHeader2 {
  /** Default: PROXY. */
  readonly isLocal?: boolean;
  readonly version?: number;
  readonly command?: number;
  /** Address family and transport; default: by the source, over TCP. */
  readonly family?: number;
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Bytes behind the addresses. */
  readonly tlvs?: Uint8Array;
  /** In place of addresses and TLVs. */
  readonly payload?: Uint8Array;
  /** In place of the true length. */
  readonly length?: number;
}

export function proxyLine(source: string, destination: string, sourcePort: number, destinationPort: number): Buffer {
  return Buffer.from(`PROXY TCP${source.includes(':') ? 6 : 4} ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`, 'latin1');
}

export function proxyHeader2(header: ProxyHeader2): Buffer {
  const { source = '192.0.2.1', destination = '198.51.100.7', sourcePort = 51_234, destinationPort = 5672 } = header;
  const isIpv6 = source.includes(':');
  const addresses = Buffer.concat([
    (parseAddress(source) ?? Buffer.alloc(16)).subarray(isIpv6 ? 0 : 12),
    (parseAddress(destination) ?? Buffer.alloc(16)).subarray(isIpv6 ? 0 : 12),
    Buffer.from([sourcePort >> 8, sourcePort & 255, destinationPort >> 8, destinationPort & 255]),
  ]);
  const payload = header.payload ?? Buffer.concat([header.isLocal === true ? Buffer.alloc(0) : addresses, header.tlvs ?? Buffer.alloc(0)]);
  const fixed = Buffer.alloc(16);
  fixed.write('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  fixed[12] = ((header.version ?? 2) << 4) | (header.command ?? (header.isLocal === true ? 0 : 1));
  fixed[13] = header.family ?? (header.isLocal === true ? 0 : isIpv6 ? 0x21 : 0x11);
  fixed.writeUInt16BE(header.length ?? payload.length, 14);
  return Buffer.concat([fixed, payload]);
}

/** A TLV. */
export function proxyTlv(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}
