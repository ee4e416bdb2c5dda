import type { AccessControl } from '../../core/access/access-control.ts';
import type { AuthBackend, AuthenticatedUser } from '../../core/ports/auth-backend.ts';
import { isLoopback } from '../../base/address.ts';
import type { ApiUser } from './api-user.ts';
import type { RequestCredentials } from './credentials.ts';
import { LoginCache } from './login-cache.ts';
import { HttpError } from './reply.ts';
import { Sessions } from './sessions.ts';

const realm = 'Basic realm="RabbitMQ Management"';

/** Logins over HTTP since the start. */
export interface LoginCounters {
  succeeded: number;
  failed: number;
}

export interface LoginOptions {
  readonly backend: AuthBackend;
  readonly access: AccessControl;
  readonly loopbackUsers: readonly string[];
  readonly sessionMillis: number;
  /** Any clock that only goes forward. */
  nowMillis(): number;
  /** Told of each login that was not answered from memory, for the audit log. */
  tried(username: string, peerAddress: string | null, refusal: string | null): void;
}

/** Says who makes a request: Basic credentials or a session's cookie. */
export class Login {
  readonly counters: LoginCounters = { succeeded: 0, failed: 0 };
  readonly sessions: Sessions;
  readonly #options: LoginOptions;
  readonly #cache = new LoginCache();

  constructor(options: LoginOptions) {
    this.#options = options;
    this.sessions = new Sessions(options.sessionMillis);
    options.access.onChange(change => {
      if (change.kind === 'user.delete') this.sessions.endUser(change.user);
      else if (change.kind === 'user.put') this.sessions.endUser(change.user.name);
    });
  }

  /**
   * The user of a request. `wantsChallenge` is false for a page's own requests: the browser's login window must not come up.
   * @throws HttpError 401, 400 for a header that cannot be read
   */
  async user(credentials: RequestCredentials, peerAddress: string | null, wantsChallenge: boolean): Promise<ApiUser> {
    switch (credentials.kind) {
      case 'basic':
        return await this.authenticate(credentials.username, credentials.password, peerAddress, wantsChallenge);
      case 'session': {
        const user = this.#ofSession(credentials.token, peerAddress);
        if (user === null) throw refused(wantsChallenge);
        return user;
      }
      case 'malformed':
        throw new HttpError(400, 'bad_request', 'the Authorization header cannot be read');
      default:
        throw refused(wantsChallenge);
    }
  }

  /** @throws HttpError 401 */
  async authenticate(username: string, password: string, peerAddress: string | null, wantsChallenge: boolean): Promise<ApiUser> {
    const { backend, access } = this.#options;
    const isNear = isLoopback(peerAddress);
    const now = this.#options.nowMillis();
    const known = this.#cache.find(username, password, isNear, access.generation, now);
    if (known !== null) {
      this.counters.succeeded++;
      return apiUser(known);
    }
    const { generation } = access;
    const result = await backend.authenticate({ username, password, peerAddress });
    if (result.ok) {
      this.counters.succeeded++;
      this.#cache.add(username, password, isNear, generation, now, result.user);
      this.#options.tried(username, peerAddress, null);
      return apiUser(result.user);
    }
    this.counters.failed++;
    this.#options.tried(username, peerAddress, result.reason);
    if (result.delayMillis > 0) await new Promise(resolve => setTimeout(resolve, result.delayMillis));
    throw refused(wantsChallenge);
  }

  #ofSession(token: string, peerAddress: string | null): ApiUser | null {
    const session = this.sessions.find(token, this.#options.nowMillis());
    if (session === null) return null;
    const user = this.#options.access.user(session.username);
    if (user === undefined) return null;
    if (this.#options.loopbackUsers.includes(user.name) && !isLoopback(peerAddress)) return null;
    return { name: user.name, tags: user.tags, isLocal: false };
  }
}

function apiUser(user: AuthenticatedUser): ApiUser {
  return { name: user.name, tags: user.tags, isLocal: false };
}

function refused(wantsChallenge: boolean): HttpError {
  return new HttpError(401, 'not_authorized', 'Login failed', wantsChallenge ? { 'www-authenticate': realm } : {});
}
