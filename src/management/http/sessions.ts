import { createHash, randomBytes } from 'node:crypto';

const sessionsMax = 10_000;

interface Session {
  readonly username: string;
  readonly untilMillis: number;
}

/** Sessions of the web UI: a random token in a cookie stands for a user. Kept as hashes, so that a memory dump gives no token away. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #sessionMillis: number;

  constructor(sessionMillis: number) {
    this.#sessionMillis = sessionMillis;
  }

  get sessionSeconds(): number {
    return Math.floor(this.#sessionMillis / 1000);
  }

  /** Begins a session; returns its token. */
  begin(username: string, nowMillis: number): string {
    for (const [key, session] of this.#sessions) {
      if (session.untilMillis > nowMillis && this.#sessions.size < sessionsMax) break;
      this.#sessions.delete(key);
    }
    const token = randomBytes(32).toString('base64url');
    this.#sessions.set(hashOf(token), { username, untilMillis: nowMillis + this.#sessionMillis });
    return token;
  }

  /** The user's name, or null. */
  find(token: string, nowMillis: number): Session | null {
    const session = this.#sessions.get(hashOf(token));
    return session !== undefined && nowMillis < session.untilMillis ? session : null;
  }

  end(token: string): void {
    this.#sessions.delete(hashOf(token));
  }

  /** Ends all sessions of a user: the password was changed, or the user is gone. */
  endUser(username: string): void {
    for (const [key, session] of this.#sessions) if (session.username === username) this.#sessions.delete(key);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
