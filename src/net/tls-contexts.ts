import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import type { Secret } from '../base/secret.ts';
import { reasonOf } from './reason.ts';

export interface TlsCertificateFiles {
  /** Certificate and chain in PEM. */
  readonly certFile: string;
  /** Private key in PEM. */
  readonly keyFile: string;
  /** Of the private key. */
  readonly password: Secret | null;
}

export interface TlsSniOptions extends TlsCertificateFiles {
  /** In small letters; '*.example.net' stands for every name with one more label. */
  readonly hostname: string;
}

export interface TlsOptions extends TlsCertificateFiles {
  /** Certificates in PEM that clients' chains must end in; the server's own chain may be completed from it too. */
  readonly caFile: string | null;
  /** 'peer' asks clients for a certificate and refuses one that does not verify. */
  readonly verify: 'none' | 'peer';
  /** With verify 'peer': also refuses clients without one. */
  readonly failIfNoPeerCert: boolean;
  /** Intermediate certificates a client's chain may have. */
  readonly depth: number;
  readonly versions: readonly ('TLSv1.3' | 'TLSv1.2')[];
  /** OpenSSL's names; empty for the suites with forward secrecy and authenticated encryption. */
  readonly ciphers: readonly string[];
  readonly honorCipherOrder: boolean;
  /** Certificates of further host names. */
  readonly sni: readonly TlsSniOptions[];
}

/** What is made of the files: options of the server's context, a context for each further name, those that clients are checked against. */
export interface TlsContexts {
  readonly authorities: readonly X509Certificate[];
  readonly main: tls.SecureContextOptions;
  readonly byName: ReadonlyMap<string, tls.SecureContext>;
}

/** A file that cannot be used, in a sentence that names it. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

/** Without a list from the operator: TLS 1.3, and of TLS 1.2 what has forward secrecy and authenticated encryption. */
const defaultCiphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * Reads all files and makes contexts of them: whoever gets the result knows that it can be used.
 * @throws TlsFileError
 */
export async function loadTlsContexts(options: TlsOptions): Promise<TlsContexts> {
  const authorities = options.caFile === null ? null : await certificatesOf(options.caFile);
  const common = commonOptions(options, authorities?.pem ?? null);
  const main = await certificateOptions(common, options);
  const byName = new Map<string, tls.SecureContext>();
  for (const sni of options.sni) byName.set(sni.hostname, makeContext(await certificateOptions(common, sni), sni));
  makeContext(main, options);
  return { authorities: authorities?.certificates ?? [], main, byName };
}

function commonOptions(options: TlsOptions, ca: Buffer | null): tls.SecureContextOptions {
  const { versions } = options;
  let secureOptions = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION;
  // A resumed session carries the client's certificate along, unseen by what is checked here: clients with certificates shake hands in full.
  if (options.verify === 'peer') secureOptions |= constants.SSL_OP_NO_TICKET;
  return {
    ...(ca === null ? {} : { ca }),
    minVersion: versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: versions.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: (options.ciphers.length === 0 ? defaultCiphers : options.ciphers).join(':'),
    honorCipherOrder: options.honorCipherOrder,
    secureOptions,
    sessionIdContext: 'warrenmq',
  };
}

async function certificateOptions(common: tls.SecureContextOptions, files: TlsCertificateFiles): Promise<tls.SecureContextOptions> {
  const { certFile, keyFile, password } = files;
  const [chain, key] = [await certificatesOf(certFile), await pemFile(keyFile)];
  const passphrase = password === null ? {} : { passphrase: password.reveal() };
  let privateKey;
  try {
    privateKey = createPrivateKey({ key, ...passphrase });
  } catch (error) {
    throw new TlsFileError(explainKey(files, error), { cause: error });
  }
  // OpenSSL itself compares them only when they are of the same kind.
  if (!chain.certificates[0]?.checkPrivateKey(privateKey)) {
    throw new TlsFileError(`the private key ${keyFile} does not belong to the certificate ${certFile}`);
  }
  return { ...common, cert: chain.pem, key, ...passphrase };
}

/** Reads a file of certificates, all of which must be in order: OpenSSL passes over what it cannot read. */
async function certificatesOf(path: string): Promise<{ pem: Buffer; certificates: X509Certificate[] }> {
  const pem = await pemFile(path);
  const blocks = pem.toString('latin1').match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  const certificates: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      throw new TlsFileError(`${path} holds a certificate that cannot be read: ${reasonOf(error)}`, { cause: error });
    }
  }
  if (certificates.length === 0) throw new TlsFileError(`${path} holds no certificate in PEM`);
  return { pem, certificates };
}

async function pemFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new TlsFileError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function explainKey({ keyFile, password }: TlsCertificateFiles, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isAboutPassword = code.includes('DECRYPT') || code.includes('PASSPHRASE') || code.includes('INTERRUPTED_OR_CANCELLED');
  if (isAboutPassword && password === null) return `the private key ${keyFile} is encrypted and needs a password`;
  if (isAboutPassword) return `the password of the private key ${keyFile} is wrong`;
  return `${keyFile} holds no private key that can be read: ${reasonOf(error)}`;
}

function makeContext(context: tls.SecureContextOptions, { certFile }: TlsCertificateFiles): tls.SecureContext {
  try {
    return tls.createSecureContext(context);
  } catch (error) {
    throw new TlsFileError(`cannot use the certificate ${certFile}: ${reasonOf(error)}`, { cause: error });
  }
}
