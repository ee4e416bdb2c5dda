import { isLoopback } from '../base/address.ts';

/** What is known of a page's request to connect. */
export interface OriginRequest {
  /** The header Origin, which browsers send and pages cannot change; undefined from other clients. */
  readonly origin: string | undefined;
  /** The header Host. */
  readonly host: string | undefined;
  /** Where the connection comes from. */
  readonly peerHost: string;
}

/**
 * Whether a client may connect as far as its origin goes. Programs that are no browsers send none and may. Pages may of the origins that are
 * listed and of the host they connect to itself, whatever its port. From this machine, where `guest` can log in, that host must be called by
 * a name of this machine (`localhost`, `127.0.0.1`): a page of anybody's can have its own name resolve to 127.0.0.1. [RFC 6455 10.2]
 */
export function isOriginAllowed({ origin, host, peerHost }: OriginRequest, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  const lower = origin.toLowerCase();
  if (allowed.some(each => each.toLowerCase() === lower)) return true;
  const originHost = hostnameOf(lower);
  if (originHost === null || host === undefined || originHost !== hostnameOf(`http://${host.toLowerCase()}`)) return false;
  return !isLoopback(peerHost) || isOwnName(originHost);
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

function isOwnName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
