import type { JSX } from 'preact';
import { connectionHref, exchangeHref, href, queueHref } from '../model/router.ts';
import type { Finding } from '../model/types.ts';
import { Dot } from './basics.tsx';

/** What the broker noticed, in words. */
export function FindingsList({ findings }: { readonly findings: readonly Finding[] }): JSX.Element {
  return (
    <ul class="findings">
      {findings.map(finding => {
        const link = linkOf(finding);
        return (
          <li key={finding.text}>
            <Dot tone={finding.severity} />
            <div>
              <p class="name">
                <span class="hidden-visually">
                  {finding.severity === 'bad' ? 'Serious: ' : finding.severity === 'warn' ? 'Warning: ' : 'Note: '}
                </span>
                {link === null ? finding.text : <a href={link}>{finding.text}</a>}
              </p>
              <p class="advice name">{finding.advice}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function linkOf({ kind, vhost = '', name = '' }: Finding): string | null {
  switch (kind) {
    case 'queue':
      return queueHref(vhost, name);
    case 'exchange':
      return exchangeHref(vhost, name);
    case 'connection':
      return connectionHref(name);
    case 'node':
      return href(['nodes']);
    default:
      return null;
  }
}
