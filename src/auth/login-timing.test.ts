import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessControl } from '../core/access/access-control.ts';
import { type HashingAlgorithm, noUserLimits } from '../core/access/user.ts';
import type { AuthBackend } from '../core/ports/auth-backend.ts';
import { InternalBackend } from './internal-backend.ts';
import { hashPassword } from './password.ts';

/** Logins a round for each of the two that are compared. */
const loginsPerRound = 4000;
const roundsMax = 12;
/** How far the medians of the two may be apart, as a part of the smaller. Without the hashing the one would be a fraction of the other. */
const ratioMax = 0.25;

const wrong = Buffer.from('not the password');

function median(values: Float64Array): number {
  return values.sort()[values.length >> 1] as number;
}

/**
 * Whether a wrong password takes the same time for both users. Logins alternate, so that what else the machine does meets both alike; medians
 * leave the pauses out, and a difference of the code's own shows in every round.
 */
function takesTheSame(backend: AuthBackend, one: string, other: string): boolean {
  const [first, second] = [new Float64Array(loginsPerRound), new Float64Array(loginsPerRound)];
  const millisOf = (username: string): number => {
    const began = performance.now();
    void backend.authenticate({ username, password: wrong, peerAddress: '192.0.2.1' });
    return performance.now() - began;
  };
  for (let round = 0; round < roundsMax; round++) {
    for (let index = 0; index < loginsPerRound; index++) {
      // Whoever is second finds warm caches: they take turns.
      if (index % 2 === 0) first[index] = millisOf(one);
      second[index] = millisOf(other);
      if (index % 2 === 1) first[index] = millisOf(one);
    }
    const [a, b] = [median(first), median(second)];
    if (Math.abs(a - b) <= ratioMax * Math.min(a, b)) return true;
  }
  return false;
}

function accessWith(users: Readonly<Record<string, string>>): AccessControl {
  const access = new AccessControl();
  const hashingAlgorithm: HashingAlgorithm = 'rabbit_password_hashing_sha256';
  for (const [name, passwordHash] of Object.entries(users))
    access.putUser({ name, passwordHash, hashingAlgorithm, tags: [], limits: noUserLimits });
  return access;
}

test('a login takes the same time for users there are and users there are not', () => {
  const users = { alice: hashPassword('secret'), guest: hashPassword('guest'), 'no-password': '', malformed: 'AAAA' };
  const backend = new InternalBackend(accessWith(users), ['guest']);
  for (const name of ['alice', 'guest', 'no-password', 'malformed'])
    assert.ok(takesTheSame(backend, name, 'nobody'), `${name} can be told from a user that does not exist`);
});

test('a backend that does not look at the password of users it does not know is found out', () => {
  const access = accessWith({ alice: hashPassword('secret') });
  const inner = new InternalBackend(access, []);
  const hasty: AuthBackend = {
    authenticate: credentials =>
      access.user(credentials.username) === undefined
        ? { ok: false, reason: `user '${credentials.username}' - invalid credentials`, delayMillis: 0 }
        : inner.authenticate(credentials),
  };
  assert.equal(takesTheSame(hasty, 'alice', 'nobody'), false);
});
