// The HTTP API behind TLS: certificates of the server and of clients, renewed while it runs.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { TlsFileError, type TlsOptions } from '../../../src/net/tls-contexts.ts';
import { type Certificate, CertificateStore } from '../../support/certificates.ts';
import { HttpClient } from './http-client.ts';
import { type ManagedOptions, withManagement } from './with-management.ts';

const altNames = 'DNS:localhost,IP:127.0.0.1';

function tlsOf({ certFile, keyFile }: Certificate, more: Partial<TlsOptions> = {}): TlsOptions {
  return {
    certFile,
    keyFile,
    password: null,
    caFile: null,
    verify: 'none',
    failIfNoPeerCert: false,
    depth: 1,
    versions: ['TLSv1.3', 'TLSv1.2'],
    ciphers: [],
    honorCipherOrder: true,
    sni: [],
    ...more,
  };
}

function servedWith(tls: TlsOptions): ManagedOptions {
  return { management: { listeners: [{ kind: 'tls', host: '127.0.0.1', port: 0, backlog: 10, tls }] } };
}

/** Asks on a connection of its own; answers with the status, the headers and the name on the server's certificate. */
function whoami(
  port: number,
  root: Certificate,
  own?: Certificate,
): Promise<{ status: number | undefined; headers: http.IncomingHttpHeaders; servedBy: string }> {
  return new Promise((resolve, reject) => {
    const { certFile, keyFile } = own ?? {};
    const options = {
      host: '127.0.0.1',
      port,
      path: '/api/whoami',
      auth: 'guest:guest',
      agent: false,
      ca: root.pem,
      servername: 'localhost',
      ...(certFile === undefined || keyFile === undefined ? {} : { cert: readFileSync(certFile), key: readFileSync(keyFile) }),
    };
    https
      .get(options, answer => {
        const { CN } = (answer.socket as TLSSocket).getPeerCertificate().subject;
        answer.resume().on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, servedBy: String(CN) }));
      })
      .on('error', reject);
  });
}

async function withCertificates(run: (store: CertificateStore, root: Certificate) => Promise<void>): Promise<void> {
  const store = new CertificateStore();
  try {
    await run(store, store.make({ subject: '/CN=root', isAuthority: true }));
  } finally {
    store.dispose();
  }
}

test('the API is served with TLS, and with a renewed certificate once that is read', async () => {
  await withCertificates(async (store, root) => {
    const first = store.make({ subject: '/CN=first', altNames }, root);
    const second = store.make({ subject: '/CN=second', altNames }, root);
    await withManagement(servedWith(tlsOf(first)), async ({ management }) => {
      const { status, headers, servedBy } = await whoami(management.port, root);
      assert.deepEqual([status, servedBy], [200, 'first']);
      assert.match(String(headers['strict-transport-security']), /max-age/);
      const plain = new HttpClient(management.port);
      await assert.rejects(plain.get('/api/whoami'));
      plain.close();
      const listener = management.listeners().find(({ protocol }) => protocol === 'https');
      assert.equal(listener?.isTls, true);
      assert.ok(Date.parse(listener.certificateValidTo ?? '') - Date.now() < 4 * 86_400_000);

      writeFileSync(first.certFile, second.pem);
      await assert.rejects(management.reloadCertificates(), TlsFileError);
      assert.equal((await whoami(management.port, root)).servedBy, 'first', 'half a renewal changes nothing');
      writeFileSync(first.keyFile, readFileSync(second.keyFile));
      await management.reloadCertificates();
      assert.equal((await whoami(management.port, root)).servedBy, 'second');
    });
  });
});

test("clients' certificates are checked in the whole of their chain", async () => {
  await withCertificates(async (store, root) => {
    const server = store.make({ subject: '/CN=server', altNames }, root);
    const direct = store.make({ subject: '/CN=direct' }, root);
    const intermediate = store.make({ subject: '/CN=intermediate', isAuthority: true }, root);
    const remote = store.make({ subject: '/CN=remote' }, intermediate);
    const other = store.make({ subject: '/CN=other' }, store.make({ subject: '/CN=other root', isAuthority: true }));
    const demanding = tlsOf(server, { caFile: store.write('ca.pem', root.pem), verify: 'peer', failIfNoPeerCert: true, depth: 0 });
    await withManagement(servedWith(demanding), async ({ management: { port } }) => {
      assert.equal((await whoami(port, root, direct)).status, 200);
      await assert.rejects(whoami(port, root));
      await assert.rejects(whoami(port, root, other));
      await assert.rejects(whoami(port, root, remote), 'an intermediate certificate is one too many');
    });
  });
});
