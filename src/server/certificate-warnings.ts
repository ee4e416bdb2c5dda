import type { ListenerInfo } from '../management/listener-info.ts';

const dayMillis = 86_400_000;
const noticeDays = 30;

/** What an operator should know of certificates before clients find out: a line for each that has expired or will within a month. */
export function certificateWarnings(listeners: Iterable<ListenerInfo>, nowMillis: number): string[] {
  const warnings: string[] = [];
  for (const { protocol, host, port, certificateValidTo } of listeners) {
    if (certificateValidTo === null) continue;
    const days = Math.floor((Date.parse(certificateValidTo) - nowMillis) / dayMillis);
    const what = `the certificate of the ${protocol} listener on ${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (days < 0)
      warnings.push(`${what} expired on ${certificateValidTo}: clients that check it cannot connect. Replace its file and send SIGHUP`);
    else if (days < noticeDays) warnings.push(`${what} expires on ${certificateValidTo}, in ${days} days`);
  }
  return warnings;
}
