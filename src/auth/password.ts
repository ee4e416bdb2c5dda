import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import type { HashingAlgorithm } from '../core/access/user.ts';
import { defaultHashingAlgorithm } from '../core/access/user.ts';

const saltBytes = 4;

const digests: Readonly<Record<HashingAlgorithm, string>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
};

/** base64(salt ++ hash(salt ++ password)) with a random salt of 4 bytes. [RabbitMQ docs: passwords] */
export function hashPassword(password: string | Uint8Array, algorithm: HashingAlgorithm = defaultHashingAlgorithm): string {
  const salt = randomBytes(saltBytes);
  return Buffer.concat([salt, saltedHash(salt, password, algorithm)]).toString('base64');
}

/**
 * Whether the password has this hash. An empty password and an empty hash never match. The work is the same whatever the answer, and equal
 * for a hash that is empty or malformed, so that its time tells nothing about the user.
 */
export function verifyPassword(password: string | Uint8Array, passwordHash: string, algorithm: HashingAlgorithm): boolean {
  const stored = Buffer.from(passwordHash, 'base64');
  const computed = saltedHash(stored.length >= saltBytes ? stored : noSalt, password, algorithm);
  const isComparable = stored.length === saltBytes + computed.length;
  const isEqual = timingSafeEqual(computed, (isComparable ? stored : nothing).subarray(saltBytes, saltBytes + computed.length));
  return isEqual && isComparable && password.length > 0;
}

const noSalt = Buffer.alloc(saltBytes);
/** In place of a hash that there is not. */
const nothing = Buffer.alloc(saltBytes + 64);

/** The salt is the beginning of what is given. */
function saltedHash(salt: Uint8Array, password: string | Uint8Array, algorithm: HashingAlgorithm): Buffer {
  const isText = typeof password === 'string';
  const salted = Buffer.allocUnsafe(saltBytes + (isText ? Buffer.byteLength(password) : password.length));
  for (let index = 0; index < saltBytes; index++) salted[index] = salt[index] as number;
  if (isText) salted.write(password, saltBytes);
  else salted.set(password, saltBytes);
  return digest(digests[algorithm], salted, 'buffer');
}
