import type { IncomingHttpHeaders } from 'node:http';

export type RequestCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'session'; readonly token: string }
  | { readonly kind: 'none' }
  /** There is an Authorization header that cannot be read. */
  | { readonly kind: 'malformed' }
  /** A scheme that is not served here. */
  | { readonly kind: 'unsupported' };

export const sessionCookie = 'warren_session';
const headerCharsMax = 8192;

/** What a request offers to prove whose it is. An Authorization header goes before a cookie. */
export function credentialsOf(headers: IncomingHttpHeaders): RequestCredentials {
  const header = headers.authorization;
  if (header === undefined) {
    const token = cookieOf(headers.cookie);
    return token === null ? { kind: 'none' } : { kind: 'session', token };
  }
  const match = /^([A-Za-z][A-Za-z0-9._-]*)[ ]+(\S+)[ ]*$/.exec(header);
  if (match === null || header.length > headerCharsMax) return { kind: 'malformed' };
  const [, scheme = '', value = ''] = match;
  if (scheme.toLowerCase() !== 'basic') return { kind: 'unsupported' };
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) return { kind: 'malformed' };
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return { kind: 'malformed' };
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function cookieOf(header: string | undefined): string | null {
  for (const part of header?.split(';') ?? []) {
    const [name, value] = part.split('=', 2);
    if (name?.trim() === sessionCookie && value !== undefined) return value.trim();
  }
  return null;
}
