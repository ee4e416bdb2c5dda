import type { AuthBackend, AuthResult, Credentials } from '../core/ports/auth-backend.ts';
import { isLoopback, sourceOf } from '../base/address.ts';

export interface LoginThrottleLimits {
  /** Failed logins a minute of one user from one source before further ones are refused unread. */
  readonly failuresPerUserMax: number;
  /** Failed logins a minute from one source, whatever the user. */
  readonly failuresPerSourceMax: number;
  /** Users and sources remembered; beyond it the oldest is forgotten. */
  readonly entriesMax: number;
  /** How long a refused client waits for its answer once it is throttled. */
  readonly delayMillis: number;
}

export const defaultLoginThrottleLimits: LoginThrottleLimits = {
  failuresPerUserMax: 10,
  failuresPerSourceMax: 60,
  entriesMax: 20_000,
  delayMillis: 1000,
};

const windowMillis = 60_000;

/**
 * Counts failed logins by source address and user. A user with a wrong password stored somewhere does not lock out its neighbours behind
 * the same address, and guessing stays slow. Connections from this machine are never throttled.
 */
export class LoginThrottle {
  readonly limits: LoginThrottleLimits;
  /** Oldest first: a key is put at the end when its window begins. */
  readonly #windows = new Map<string, { startMillis: number; failureCount: number }>();

  constructor(limits: Partial<LoginThrottleLimits> = {}) {
    this.limits = { ...defaultLoginThrottleLimits, ...limits };
  }

  /** Whether an attempt may be tried at all. */
  allows(peerAddress: string | null, username: string, nowMillis: number): boolean {
    if (peerAddress === null || isLoopback(peerAddress)) return true;
    const source = sourceOf(peerAddress);
    return (
      this.#count(source, nowMillis) < this.limits.failuresPerSourceMax &&
      this.#count(userKey(source, username), nowMillis) < this.limits.failuresPerUserMax
    );
  }

  failed(peerAddress: string | null, username: string, nowMillis: number): void {
    if (peerAddress === null || isLoopback(peerAddress)) return;
    const source = sourceOf(peerAddress);
    this.#add(source, nowMillis);
    this.#add(userKey(source, username), nowMillis);
  }

  /** A user who knows the password is no guesser. */
  succeeded(peerAddress: string | null, username: string): void {
    if (peerAddress === null || this.#windows.size === 0) return;
    this.#windows.delete(userKey(sourceOf(peerAddress), username));
  }

  get entryCount(): number {
    return this.#windows.size;
  }

  #count(key: string, nowMillis: number): number {
    const window = this.#windows.get(key);
    return window === undefined || nowMillis - window.startMillis >= windowMillis ? 0 : window.failureCount;
  }

  #add(key: string, nowMillis: number): void {
    const window = this.#windows.get(key);
    if (window !== undefined && nowMillis - window.startMillis < windowMillis) {
      window.failureCount += 1;
      return;
    }
    this.#windows.delete(key);
    const oldest = this.#windows.size >= this.limits.entriesMax ? this.#windows.keys().next().value : undefined;
    if (oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(key, { startMillis: nowMillis, failureCount: 1 });
  }
}

function userKey(source: string, username: string): string {
  return `${source} ${username.slice(0, 64)}`;
}

/** Puts a throttle before another backend. `nowMillis` is any clock that only goes forward. */
export class ThrottledBackend implements AuthBackend {
  readonly #inner: AuthBackend;
  readonly #throttle: LoginThrottle;
  readonly #nowMillis: () => number;

  constructor(inner: AuthBackend, throttle: LoginThrottle, nowMillis: () => number) {
    this.#inner = inner;
    this.#throttle = throttle;
    this.#nowMillis = nowMillis;
  }

  authenticate(credentials: Credentials): AuthResult | Promise<AuthResult> {
    const { username, peerAddress } = credentials;
    if (!this.#throttle.allows(peerAddress, username, this.#nowMillis())) {
      return {
        ok: false,
        reason: `user '${username}' - too many failed logins from ${peerAddress}`,
        delayMillis: this.#throttle.limits.delayMillis,
      };
    }
    const result = this.#inner.authenticate(credentials);
    return result instanceof Promise ? result.then(each => this.#noted(credentials, each)) : this.#noted(credentials, result);
  }

  #noted(credentials: Credentials, result: AuthResult): AuthResult {
    const { username, peerAddress } = credentials;
    if (result.ok) this.#throttle.succeeded(peerAddress, username);
    else this.#throttle.failed(peerAddress, username, this.#nowMillis());
    return result;
  }
}
