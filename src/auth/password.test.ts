import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HashingAlgorithm } from '../core/access/user.ts';
import { hashPassword, verifyPassword } from './password.ts';

const algorithms: readonly HashingAlgorithm[] = [
  'rabbit_password_hashing_sha256',
  'rabbit_password_hashing_sha512',
  'rabbit_password_hashing_md5',
];

test('a hash made by RabbitMQ is understood', () => {
  // From RabbitMQ's documentation of its hashes, and the hash of guest's password that a RabbitMQ 3.10 exported.
  assert.ok(verifyPassword('test12', 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR', 'rabbit_password_hashing_sha256'));
  assert.ok(verifyPassword('guest', 'N+gHOgdNu0ivkvx5yJJUbh6rpWI49KhIpb6OPKmGTbLBmUDY', 'rabbit_password_hashing_sha256'));
  assert.equal(verifyPassword('Guest', 'N+gHOgdNu0ivkvx5yJJUbh6rpWI49KhIpb6OPKmGTbLBmUDY', 'rabbit_password_hashing_sha256'), false);
});

for (const algorithm of algorithms) {
  test(`a password matches its own ${algorithm} hash only`, () => {
    for (const password of ['secret', 'пароль', ' ', 'p'.repeat(5000)]) {
      const hash = hashPassword(password, algorithm);
      assert.ok(verifyPassword(password, hash, algorithm));
      assert.ok(verifyPassword(Buffer.from(password), hash, algorithm));
      assert.equal(verifyPassword(`${password}x`, hash, algorithm), false);
      assert.notEqual(hashPassword(password, algorithm), hash);
      for (const other of algorithms) if (other !== algorithm) assert.equal(verifyPassword(password, hash, other), false);
    }
  });
}

test('a password that is not UTF-8 is taken byte for byte', () => {
  const bytes = Uint8Array.of(0xe9, 0xff);
  assert.ok(verifyPassword(bytes, hashPassword(bytes), 'rabbit_password_hashing_sha256'));
});

test('an empty password and an empty or malformed hash never match', () => {
  assert.equal(verifyPassword('', hashPassword(''), 'rabbit_password_hashing_sha256'), false);
  assert.equal(verifyPassword(new Uint8Array(), hashPassword(''), 'rabbit_password_hashing_sha256'), false);
  for (const hash of ['', 'AA==', '!!!', 'AAAA', 'A'.repeat(48), 'A'.repeat(47)]) {
    assert.equal(verifyPassword('secret', hash, 'rabbit_password_hashing_sha256'), false, hash);
  }
});
