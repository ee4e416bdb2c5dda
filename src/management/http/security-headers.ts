import type { OutgoingHttpHeaders } from 'node:http';

/** Nothing but the UI's own files; no inline script or style, no frame around it. */
const defaultPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const defaultHsts = 'max-age=31536000';

export interface SecurityPolicies {
  readonly csp: string | null;
  readonly hsts: string | null;
}

/** Headers of every answer, of the API and of the UI. `isSecret` answers are kept by nobody. */
export function securityHeaders(policies: SecurityPolicies, isTls: boolean, isSecret: boolean): OutgoingHttpHeaders {
  return {
    'content-security-policy': policies.csp ?? defaultPolicy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    vary: 'accept, accept-encoding, origin',
    ...(isSecret ? { 'cache-control': 'no-store' } : {}),
    ...(isTls ? { 'strict-transport-security': policies.hsts ?? defaultHsts } : {}),
  };
}
