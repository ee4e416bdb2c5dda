import type { AccessControl } from '../core/access/access-control.ts';
import { defaultHashingAlgorithm } from '../core/access/user.ts';
import type { AuthBackend, AuthResult, Credentials } from '../core/ports/auth-backend.ts';
import { isLoopback } from '../base/address.ts';
import { hashPassword, verifyPassword } from './password.ts';

/** Passwords longer than this are refused unread. */
const passwordBytesMax = 4096;

/** A hash that no password has, for the work an unknown user costs. */
const dummyHash = hashPassword(crypto.randomUUID());

/** Authenticates the broker's own users against their password hashes. [RabbitMQ docs: internal authentication backend] */
export class InternalBackend implements AuthBackend {
  readonly #access: AccessControl;
  readonly #loopbackUsers: ReadonlySet<string>;

  /** `loopbackUsers` are let in only from this machine. [rabbitmq.conf: loopback_users] */
  constructor(access: AccessControl, loopbackUsers: Iterable<string> = ['guest']) {
    this.#access = access;
    this.#loopbackUsers = new Set(loopbackUsers);
  }

  authenticate(credentials: Credentials): AuthResult {
    const { username, password } = credentials;
    const user = this.#access.user(username);
    if (password !== null) {
      if (password.length === 0)
        return refused(`user '${username}' attempted to log in with a blank password, which is prohibited by the internal authN backend`);
      const isRight =
        password.length <= passwordBytesMax &&
        verifyPassword(password, user?.passwordHash ?? dummyHash, user?.hashingAlgorithm ?? defaultHashingAlgorithm);
      if (!isRight) return refused(`user '${username}' - invalid credentials`);
    }
    if (user === undefined) return refused(`user '${username}' - invalid credentials`);
    // Only whoever knows the password learns that it would have been the right one. [RabbitMQ: auth_phase]
    if (this.#loopbackUsers.has(username) && !isLoopback(credentials.peerAddress))
      return refused(`user '${username}' can only connect via localhost`);
    return { ok: true, user: { name: user.name, tags: user.tags } };
  }
}

function refused(reason: string): AuthResult {
  return { ok: false, reason, delayMillis: 0 };
}
