// Certificates for tests, made with the openssl command when they are needed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CertificateOptions {
  /** In openssl's form: '/O=Warren/CN=alice'. */
  readonly subject: string;
  /** 'DNS:localhost,IP:127.0.0.1,URI:urn:x'. */
  readonly altNames?: string;
  readonly isAuthority?: boolean;
  /** Its time was over yesterday. For one with an issuer. */
  readonly isExpired?: boolean;
  /** Encrypts the private key. */
  readonly password?: string;
  /** Default: P-256. */
  readonly keyType?: 'ec' | 'rsa';
}

/** A certificate with its key; `certFile` holds the chain up to, but without, the root. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate alone, in PEM. */
  readonly pem: string;
  /** Above it, without the root. */
  readonly chain: string;
  readonly isRoot: boolean;
}

/** A directory of certificates that is removed with `dispose`. */
export class CertificateStore {
  readonly dir = mkdtempSync(join(tmpdir(), 'warren-certs-'));
  #count = 0;

  /** A certificate signed by `issuer`, or by itself. */
  make(options: CertificateOptions, issuer: Certificate | null = null): Certificate {
    const path = join(this.dir, String(++this.#count));
    const [certFile, keyFile, aloneFile] = [`${path}.pem`, `${path}.key`, `${path}.alone.pem`];
    const key = options.keyType === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    openssl(
      ['req', '-x509', '-newkey', ...key, '-keyout', keyFile, '-out', aloneFile, '-subj', options.subject, '-days', '3', '-utf8'],
      options.password === undefined ? ['-nodes'] : ['-passout', `pass:${options.password}`],
      issuer === null ? [] : ['-CA', `${issuer.certFile}.alone`, '-CAkey', issuer.keyFile],
      ['-addext', `basicConstraints=critical,CA:${options.isAuthority === true ? 'TRUE' : 'FALSE'}`],
      options.altNames === undefined ? [] : ['-addext', `subjectAltName=${options.altNames}`],
    );
    if (options.isExpired === true && issuer !== null) {
      const request = `${path}.csr`;
      openssl(['req', '-new', '-key', keyFile, '-out', request, '-subj', options.subject, '-utf8']);
      openssl([
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        `${issuer.certFile}.alone`,
        '-CAkey',
        issuer.keyFile,
        '-days',
        '-1',
        '-out',
        aloneFile,
      ]);
    }
    const pem = execFileSync('openssl', ['x509', '-in', aloneFile], { encoding: 'utf8' });
    const chain = issuer === null || issuer.isRoot ? '' : issuer.pem + issuer.chain;
    writeFileSync(certFile, pem + chain);
    writeFileSync(`${certFile}.alone`, pem);
    return { certFile, keyFile, pem, chain, isRoot: issuer === null };
  }

  /** A file with some text in it. */
  write(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function openssl(...args: string[][]): void {
  execFileSync('openssl', args.flat(), { stdio: ['ignore', 'ignore', 'pipe'] });
}
