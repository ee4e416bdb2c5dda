// Reads the responses of the SASL mechanisms. What a mechanism proves is for the AuthBackend.
import type { FieldTable } from '../base/field-table.ts';
import type { CertificateFacts, CertificateLogin } from './client-certificate.ts';
import { certificateUsername } from './client-certificate.ts';

export type { CertificateLogin } from './client-certificate.ts';

/** `isMalformed` tells a response that breaks its mechanism's form (502 SYNTAX_ERROR) from one that lacks what it needs. */
export type SaslResult =
  | { readonly ok: true; readonly username: string; readonly password: string | Uint8Array | null }
  | { readonly ok: false; readonly reason: string; readonly isMalformed: boolean };

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** NUL user NUL password. RabbitMQ takes no authorization identity in front. [RFC 4616] */
export function parsePlain(response: Uint8Array): SaslResult {
  const first = response.indexOf(0);
  const second = response.indexOf(0, first + 1);
  if (first !== 0 || second === -1 || response.indexOf(0, second + 1) !== -1)
    return malformed('PLAIN response is not of the form NUL user NUL password');
  const username = decode(response.subarray(first + 1, second));
  if (username === null) return malformed('PLAIN response has a user name that is not UTF-8');
  const password = response.slice(second + 1);
  return { ok: true, username, password: decode(password) ?? password };
}

/** A field table, on the wire without its length, with LOGIN and PASSWORD. [AMQP 0-8 PLAIN, which RabbitMQ calls AMQPLAIN] */
export function parseAmqplain(table: FieldTable): SaslResult {
  const login = table.get('LOGIN');
  const password = table.get('PASSWORD');
  if (login === undefined || password === undefined) return malformed('AMQPLAIN auth info is missing LOGIN or PASSWORD field');
  const isBytes = password.value instanceof Uint8Array;
  if (typeof login.value !== 'string' || !(typeof password.value === 'string' || isBytes)) {
    return malformed('AMQPLAIN auth info uses unsupported type for LOGIN or PASSWORD field');
  }
  return { ok: true, username: login.value, password: password.value as string | Uint8Array };
}

/**
 * The TLS connection has proven who the client is; its response is ignored. `certificate` is null if the client presented none, and must be
 * passed only if the connection verified it against the trusted authorities. [RFC 4422 appendix A]
 */
export function externalIdentity(isTls: boolean, certificate: CertificateFacts | null, login?: CertificateLogin): SaslResult {
  if (!isTls) return refused('not a TLS-enabled connection');
  if (certificate === null) return refused('connection peer presented no TLS (x.509) certificate');
  const username = certificateUsername(certificate, login);
  return username === null ? refused('no name found') : { ok: true, username, password: null };
}

/** Who anonymous clients are. [rabbitmq.conf: anonymous_login_user, anonymous_login_pass] */
export interface AnonymousLogin {
  readonly username: string;
  readonly password: string;
}

/** The response is a trace for the log only and is ignored. [RFC 4505] */
export function anonymousIdentity(login: AnonymousLogin | null): SaslResult {
  return login === null ? refused('anonymous login is not configured') : { ok: true, username: login.username, password: login.password };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return null;
  }
}

function malformed(reason: string): SaslResult {
  return { ok: false, reason, isMalformed: true };
}

function refused(reason: string): SaslResult {
  return { ok: false, reason, isMalformed: false };
}
