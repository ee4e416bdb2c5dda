/** What a client offers to prove who it is. */
export interface Credentials {
  readonly username: string;
  /** As the client sent it; null if who the client is was proven by other means, such as its TLS certificate. */
  readonly password: string | Uint8Array | null;
  /** Address of the connection's peer, 'unix' for a Unix socket; null for a connection made inside the process. */
  readonly peerAddress: string | null;
}

export interface AuthenticatedUser {
  readonly name: string;
  readonly tags: readonly string[];
}

/** `reason` is for the log, not for the client. The answer to a refused client should wait `delayMillis`. */
export type AuthResult =
  | { readonly ok: true; readonly user: AuthenticatedUser }
  | { readonly ok: false; readonly reason: string; readonly delayMillis: number };

/**
 * Says who a client is. Front-ends call it once per connection (and for connection.update-secret). Answers at once where it can, so that a
 * storm of reconnecting clients costs no promises; an adapter that asks another service answers with a promise, and never rejects it.
 */
export interface AuthBackend {
  authenticate(credentials: Credentials): AuthResult | Promise<AuthResult>;
}
