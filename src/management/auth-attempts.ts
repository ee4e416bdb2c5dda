import type { Services } from './services.ts';

/** Logins of one protocol since the start. */
export interface AuthAttempts {
  readonly protocol: string;
  readonly succeeded: number;
  readonly failed: number;
}

/** By protocol: HTTP, AMQP 0-9-1, and the others that somebody has tried. Versions of one protocol are one. */
export function authAttempts({ core, login }: Services): AuthAttempts[] {
  const { authenticationsSucceeded, authenticationsFailed, protocols } = core.counters;
  const others = new Map<string, { succeeded: number; failed: number }>();
  let [succeeded, failed] = [authenticationsSucceeded, authenticationsFailed];
  for (const [name, counters] of protocols) {
    const protocol = name.replace(/\d+$/, '');
    const sum = others.get(protocol) ?? { succeeded: 0, failed: 0 };
    sum.succeeded += counters.authenticationsSucceeded;
    sum.failed += counters.authenticationsFailed;
    others.set(protocol, sum);
    succeeded -= counters.authenticationsSucceeded;
    failed -= counters.authenticationsFailed;
  }
  return [
    { protocol: 'http', ...login.counters },
    { protocol: 'amqp091', succeeded, failed },
    ...Array.from(others, ([protocol, sum]) => ({ protocol, ...sum })),
  ];
}
