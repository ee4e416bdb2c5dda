import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Field, FieldTable } from '../base/field-table.ts';
import { longstr } from '../base/field-table.ts';
import { alternativeNames, certificateFacts, certificateUsername, distinguishedName } from './client-certificate.ts';
import { anonymousIdentity, externalIdentity, parseAmqplain, parsePlain } from './sasl.ts';

describe('PLAIN', () => {
  const parse = (text: string) => parsePlain(Buffer.from(text));
  test('user and password stand behind NULs', () => {
    assert.deepEqual(parse('\0guest\0gu:est'), { ok: true, username: 'guest', password: 'gu:est' });
    assert.deepEqual(parse('\0пользователь\0пароль'), { ok: true, username: 'пользователь', password: 'пароль' });
    assert.deepEqual(parse('\0\0'), { ok: true, username: '', password: '' });
  });

  test('a password that is not UTF-8 stays bytes', () => {
    assert.deepEqual(parsePlain(Uint8Array.of(0, 0x75, 0, 0xe9)), { ok: true, username: 'u', password: Uint8Array.of(0xe9) });
  });

  test('anything else is malformed and its text is not told', () => {
    for (const bytes of [
      Buffer.from(''),
      Buffer.from('other\0u\0p'),
      Buffer.from('\0'),
      Buffer.from('\0user'),
      Buffer.from('user:secret'),
      Buffer.from('\0u\0secret\0x'),
      Uint8Array.of(0, 0xff, 0, 0x70),
    ]) {
      const result = parsePlain(bytes);
      assert.ok(!result.ok && result.isMalformed && !result.reason.includes('secret'));
    }
  });
});

describe('AMQPLAIN', () => {
  const table = (fields: Record<string, Field>): FieldTable => new Map(Object.entries(fields));
  test('LOGIN and PASSWORD are taken whatever else there is', () => {
    assert.deepEqual(parseAmqplain(table({ x: longstr('y'), LOGIN: longstr('u'), PASSWORD: longstr('p') })), {
      ok: true,
      username: 'u',
      password: 'p',
    });
    const bytes = Uint8Array.of(0xe9);
    assert.deepEqual(parseAmqplain(table({ LOGIN: longstr('u'), PASSWORD: { type: 'S', value: bytes } })), {
      ok: true,
      username: 'u',
      password: bytes,
    });
  });

  test('a missing or strange field is malformed', () => {
    for (const fields of [
      {},
      { LOGIN: longstr('u') },
      { PASSWORD: longstr('p') },
      { LOGIN: { type: 'l', value: 1 }, PASSWORD: longstr('p') },
      { LOGIN: longstr('u'), PASSWORD: { type: 't', value: true } },
    ]) {
      const result = parseAmqplain(table(fields as Record<string, Field>));
      assert.ok(!result.ok && result.isMalformed);
    }
  });
});

const certificate = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIICYTCCAgegAwIBAgIUaz9ykiad8U4CfWPERDedQHJW1FowCgYIKoZIzj0EAwIw
aTELMAkGA1UEBhMCR0IxEjAQBgNVBAoMCUFjbWUsIEx0ZDEMMAoGA1UECwwDQStC
MQswCQYDVQQLDAIjeDEVMBMGA1UEAwwMY2xpZW50IMOpIH4xMRQwEgYJKoZIhvcN
AQkBFgVhQGIuYzAgFw0yNjExMjAxODA3MzBaGA8yMTI2MTAyNzE4MDczMFowaTEL
MAkGA1UEBhMCR0IxEjAQBgNVBAoMCUFjbWUsIEx0ZDEMMAoGA1UECwwDQStCMQsw
CQYDVQQLDAIjeDEVMBMGA1UEAwwMY2xpZW50IMOpIH4xMRQwEgYJKoZIhvcNAQkB
FgVhQGIuYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOITRqNqZaVa10Kow3TZ
Mhj+0fI6llOYKzOov7Q6CYy7OZYuOY1barbLmP3585y88StoQiwv9XfXKISwyIn9
GvSjgYowgYcwZgYDVR0RBF8wXYIOY2xpZW50LmV4YW1wbGWCC3R3by5leGFtcGxl
hwR/AAABgQVhQGIuY4YHdXJuOng6MYYMaHR0cDovL2EvYixjoBoGCisGAQQBgjcU
AgOgDAwKdXNlckByZWFsbTAdBgNVHQ4EFgQUzDmqTSJDtQE1fnrvFi8KYmY0WHow
CgYIKoZIzj0EAwIDSAAwRQIhAJolI6gj1dd2Wct46oiXCjdIiE8rvv8u1lM0H4fd
6xhoAiBPdjVkwiVXPZdieBv3gK3fhKEUbJWqW4B8dVJYBN9Erw==
-----END CERTIFICATE-----`);

describe('EXTERNAL', () => {
  test('the distinguished name is written in reverse order with its special characters escaped', () => {
    assert.equal(certificateUsername(certificate), 'EMAILADDRESS=a@b.c,CN=client \\C3\\A9 \\7E1,OU=\\#x,OU=A\\+B,O=Acme\\, Ltd,C=GB');
    assert.equal(distinguishedName('DC=org\nDC=x\nCN=a/b + UID=u1\nserialNumber=5'), 'SERIALNUMBER=5,CN=a/b+UID=u1,DC=x,DC=org');
    assert.equal(distinguishedName('CN=\\ x\\ \nO=\\0AO\\=1\\\\'), 'O=\\0AO=1\\\\,CN=\\ x\\ ');
  });

  test('a certificate is read in whatever form node has it', () => {
    for (const form of [certificate, certificate.toLegacyObject()]) {
      assert.equal(certificateUsername(certificateFacts(form)), certificateUsername(certificate));
      assert.equal(
        certificateUsername(certificateFacts(form), { from: 'subject_alternative_name', sanType: 'dns', sanIndex: 1 }),
        'two.example',
      );
    }
    assert.equal(certificateUsername(certificateFacts({})), null);
  });

  test('a line feed inside a value forges no attribute', () => {
    assert.equal(certificateUsername({ subject: 'O=x\\0ACN=admin\nCN=u' }, { from: 'common_name', sanType: 'dns', sanIndex: 0 }), 'u');
  });

  test('the common name is taken as it is, several are joined', () => {
    const login = { from: 'common_name', sanType: 'dns', sanIndex: 0 } as const;
    assert.equal(certificateUsername(certificate, login), 'client é ~1');
    assert.equal(certificateUsername({ subject: 'CN=a\nO=x\nCN=b' }, login), 'a,b');
    assert.equal(certificateUsername({ subject: 'O=x' }, login), null);
  });

  test('an alternative name is chosen by type and index', () => {
    const name = (sanType: 'dns' | 'ip' | 'email' | 'uri' | 'other_name', sanIndex = 0) =>
      certificateUsername(certificate, { from: 'subject_alternative_name', sanType, sanIndex });
    assert.equal(name('dns'), 'client.example');
    assert.equal(name('dns', 1), 'two.example');
    assert.equal(name('dns', 2), null);
    assert.equal(name('ip'), '127.0.0.1');
    assert.equal(name('email'), 'a@b.c');
    assert.equal(name('uri'), 'urn:x:1');
    assert.equal(name('uri', 1), 'http://a/b,c');
    assert.equal(name('other_name'), 'user@realm');
    assert.deepEqual(alternativeNames('URI:"x, DNS:admin", DNS:u', 'dns'), ['u']);
    assert.deepEqual(alternativeNames('', 'dns'), []);
  });

  test('without TLS, certificate or name there is no identity', () => {
    assert.deepEqual(externalIdentity(true, certificate, { from: 'subject_alternative_name', sanType: 'email', sanIndex: 0 }), {
      ok: true,
      username: 'a@b.c',
      password: null,
    });
    assert.deepEqual(externalIdentity(false, null), { ok: false, reason: 'not a TLS-enabled connection', isMalformed: false });
    assert.deepEqual(externalIdentity(true, null), {
      ok: false,
      reason: 'connection peer presented no TLS (x.509) certificate',
      isMalformed: false,
    });
    assert.deepEqual(externalIdentity(true, { subject: '' }), { ok: false, reason: 'no name found', isMalformed: false });
  });
});

test('ANONYMOUS is who the configuration says, if anybody', () => {
  assert.deepEqual(anonymousIdentity({ username: 'guest', password: 'guest' }), { ok: true, username: 'guest', password: 'guest' });
  assert.equal(anonymousIdentity(null).ok, false);
});
