// Certificates for one run, made with openssl: an authority, a server for localhost, a client named «machine», and a stranger's authority.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

function openssl(directory: string, ...args: string[]): void {
  const result = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${result.stderr}`);
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

function authority(directory: string, name: string): void {
  openssl(directory, 'req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
}

function signed(directory: string, name: string, subject: string, extensions: string): void {
  writeFileSync(join(directory, `${name}.ext`), extensions);
  openssl(directory, 'req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
  const signing = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
  openssl(directory, 'x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.pem`);
}

/** Writes authority.pem, server.pem, server.key, client.pem, client.key and stranger.pem into a directory. */
export function makeCertificates(directory: string): void {
  authority(directory, 'authority');
  authority(directory, 'stranger');
  signed(directory, 'server', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  signed(directory, 'client', '/CN=machine', 'extendedKeyUsage=clientAuth\n');
}

/** Whether openssl is installed. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}
