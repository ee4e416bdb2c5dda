import { createHmac, randomBytes } from 'node:crypto';
import type { AuthenticatedUser } from '../../core/ports/auth-backend.ts';

const keptMillis = 60_000;
const entriesMax = 1000;

interface Known {
  readonly user: AuthenticatedUser;
  readonly generation: number;
  readonly untilMillis: number;
}

/**
 * Logins that succeeded within the last minute, so that a client that polls costs no password hashing. Names and passwords are kept as an
 * HMAC with a key that only this process has. Any change of a user makes all of them void.
 */
export class LoginCache {
  readonly #key = randomBytes(32);
  readonly #known = new Map<string, Known>();

  /** `generation` rises with every change of a user; `isLoopback` is part of what was proven. */
  find(username: string, password: string, isLoopback: boolean, generation: number, nowMillis: number): AuthenticatedUser | null {
    const known = this.#known.get(this.#nameOf(username, password, isLoopback));
    return known !== undefined && known.generation === generation && nowMillis < known.untilMillis ? known.user : null;
  }

  add(username: string, password: string, isLoopback: boolean, generation: number, nowMillis: number, user: AuthenticatedUser): void {
    if (this.#known.size >= entriesMax) this.#known.clear();
    this.#known.set(this.#nameOf(username, password, isLoopback), { user, generation, untilMillis: nowMillis + keptMillis });
  }

  #nameOf(username: string, password: string, isLoopback: boolean): string {
    return createHmac('sha256', this.#key)
      .update(`${isLoopback ? 1 : 0}\0${username.length}\0${username}\0${password}`)
      .digest('base64');
  }
}
