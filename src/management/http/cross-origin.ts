import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/**
 * Whether a page of another site makes this request. Browsers say so; tools send neither header. Without it a page could use the login
 * that a browser remembers for this server.
 */
export function isForeign(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin !== undefined) return !isAllowed(origin, allowed) && !isSameHost(origin, host);
  const site = headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site';
}

/** Headers that let a page of an allowed origin read the answer; none for others. [rabbitmq.conf: management.cors.allow_origins] */
export function corsHeaders(headers: IncomingHttpHeaders, allowed: readonly string[]): OutgoingHttpHeaders {
  const { origin } = headers;
  if (origin === undefined || !isAllowed(origin, allowed)) return {};
  // A wildcard and credentials exclude each other: with it no login is sent along.
  const isNamed = allowed.includes(origin);
  return {
    'access-control-allow-origin': isNamed ? origin : '*',
    ...(isNamed ? { 'access-control-allow-credentials': 'true' } : {}),
    'access-control-expose-headers': 'Location',
    'cross-origin-resource-policy': 'cross-origin',
  };
}

/** The answer to a browser's question before a request of an allowed origin. */
export function preflightHeaders(
  headers: IncomingHttpHeaders,
  allowed: readonly string[],
  methods: string,
  ageSeconds: number,
): OutgoingHttpHeaders {
  const shared = corsHeaders(headers, allowed);
  if (shared['access-control-allow-origin'] === undefined || headers['access-control-request-method'] === undefined) return {};
  return {
    ...shared,
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'authorization, content-type, accept, x-reason',
    'access-control-max-age': String(ageSeconds),
  };
}

function isAllowed(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes(origin) || allowed.includes('*');
}

function isSameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
