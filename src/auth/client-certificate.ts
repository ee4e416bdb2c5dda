// What a client certificate says of its owner, as user names are made of it. [RabbitMQ docs: x509 certificate authentication]

import { X509Certificate } from 'node:crypto';

/** The fields of node:crypto's X509Certificate that are read here. */
export interface CertificateFacts {
  /** Lines of 'CN=name', in the order of the certificate; several attributes of one RDN are joined by ' + '. */
  readonly subject: string;
  /** 'DNS:a.example, URI:"urn:x"', absent if there are none. */
  readonly subjectAltName?: string | undefined;
}

/**
 * Facts of a certificate as node:tls has it: an X509Certificate, or the object of getPeerCertificate(), whose `raw` is read anew because its
 * subject has lost the order of the attributes.
 */
export function certificateFacts(certificate: object): CertificateFacts {
  if ('raw' in certificate && certificate.raw instanceof Uint8Array && !(certificate instanceof X509Certificate))
    return new X509Certificate(certificate.raw);
  const { subject, subjectAltName } = certificate as { subject?: unknown; subjectAltName?: unknown };
  return {
    subject: typeof subject === 'string' ? subject : '',
    subjectAltName: typeof subjectAltName === 'string' ? subjectAltName : undefined,
  };
}

/** rabbitmq.conf: ssl_cert_login_from */
export type CertificateLoginFrom = 'distinguished_name' | 'common_name' | 'subject_alternative_name';
/** rabbitmq.conf: ssl_cert_login_san_type */
export type AlternativeNameType = 'dns' | 'ip' | 'email' | 'uri' | 'other_name';

export interface CertificateLogin {
  readonly from: CertificateLoginFrom;
  /** Kind of alternative name. */
  readonly sanType: AlternativeNameType;
  /** Which of the alternative names of that type, from 0. */
  readonly sanIndex: number;
}

export const defaultCertificateLogin: CertificateLogin = {
  from: 'distinguished_name',
  sanType: 'dns',
  sanIndex: 0,
};

/** The user name that the certificate stands for; null if it has none of the wanted kind. */
export function certificateUsername(certificate: CertificateFacts, login: CertificateLogin = defaultCertificateLogin): string | null {
  switch (login.from) {
    case 'distinguished_name':
      return distinguishedName(certificate.subject) || null;
    case 'common_name':
      return commonName(certificate.subject);
    case 'subject_alternative_name':
      return alternativeNames(certificate.subjectAltName ?? '', login.sanType)[login.sanIndex] ?? null;
  }
}

/** RabbitMQ's names of attributes where they differ from OpenSSL's. [RabbitMQ: rabbit_cert_info] */
const attributeNames: ReadonlyMap<string, string> = new Map([
  ['GN', 'GIVENNAME'],
  ['initials', 'INITIALS'],
  ['generationQualifier', 'GENERATIONQUALIFIER'],
  ['title', 'TITLE'],
  ['serialNumber', 'SERIALNUMBER'],
  ['pseudonym', 'PSEUDONYM'],
  ['emailAddress', 'EMAILADDRESS'],
  ['street', 'STREET'],
]);

interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** 'CN=name,O=company,C=GB': the reverse of the certificate's order. [RFC 4514] */
export function distinguishedName(subject: string): string {
  return parseSubject(subject)
    .map(rdn => rdn.map(({ name, value }) => `${attributeNames.get(name) ?? name}=${escapeValue(value)}`).join('+'))
    .reverse()
    .join(',');
}

/** Several common names are joined by commas. [RabbitMQ: peer_cert_auth_name] */
function commonName(subject: string): string | null {
  const values = parseSubject(subject)
    .flat()
    .filter(attribute => attribute.name === 'CN')
    .map(attribute => attribute.value);
  return values.join(',') || null;
}

function parseSubject(subject: string): Attribute[][] {
  // OpenSSL escapes plus signs and line feeds within values, so that these separators are unmistakable.
  const lines = subject.split('\n').filter(line => line !== '');
  return lines.map(line => line.split(' + ').map(parseAttribute));
}

function parseAttribute(text: string): Attribute {
  const equals = text.indexOf('=');
  return { name: text.slice(0, equals), value: unescapeValue(text.slice(equals + 1)) };
}

/** Undoes the escapes of RFC 2253: a backslash before a character or before the two hexadecimal digits of a byte. */
function unescapeValue(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /(?:\\[0-9A-Fa-f]{2})+|\\(.)/gs,
    (escaped, char: string | undefined) => char ?? Buffer.from(escaped.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}

/** Escapes as RabbitMQ does: also everything outside printable ASCII, byte by byte. */
function escapeValue(value: string): string {
  let escaped = '';
  const bytes = Buffer.from(value, 'utf8');
  for (const [index, byte] of bytes.entries()) {
    const char = String.fromCharCode(byte);
    const isOuterSpace = char === ' ' && (index === 0 || index === bytes.length - 1);
    if (isOuterSpace || (char === '#' && index === 0) || '"+,;<>\\'.includes(char)) escaped += `\\${char}`;
    else if (byte < 32 || byte >= 126) escaped += `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    else escaped += char;
  }
  return escaped;
}

const alternativeNamePrefixes: Readonly<Record<AlternativeNameType, string>> = {
  dns: 'DNS:',
  ip: 'IP Address:',
  email: 'email:',
  uri: 'URI:',
  other_name: 'othername:',
};

/** The alternative names of one type. A value that holds special characters is in JSON quotes, so a comma in a name forges no second one. */
export function alternativeNames(subjectAltName: string, type: AlternativeNameType): string[] {
  const prefix = alternativeNamePrefixes[type];
  const entries = subjectAltName.match(/[^:,"]+:(?:"(?:[^"\\]|\\.)*"|[^,"])*/g) ?? [];
  const values = entries
    .map(entry => entry.trim())
    .filter(entry => entry.startsWith(prefix))
    .map(entry => unquote(entry.slice(prefix.length)));
  // OpenSSL puts the name of the kind before the value of an other name: 'UPN:user@realm'.
  return type === 'other_name' ? values.map(value => value.slice(value.indexOf(':') + 1)) : values;
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
