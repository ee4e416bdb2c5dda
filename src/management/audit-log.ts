import type { Logger } from '../core/ports/logger.ts';

/** Something done over the HTTP API that an auditor asks for: who, what, from where. Never a password. */
export interface AuditEntry {
  readonly user: string;
  readonly peerAddress: string | null;
  readonly action: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly detail: string;
}

/** Where audit entries go. */
export interface AuditLog {
  note(entry: AuditEntry): void;
}

/** Writes entries to the broker's log, one line each, whatever is in them. */
export class LoggedAudit implements AuditLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note({ user, peerAddress, action, outcome, detail }: AuditEntry): void {
    const text = `HTTP API: user ${quoted(user)} from ${peerAddress ?? 'this process'}: ${action} ${outcome}${detail === '' ? '' : `: ${detail}`}`;
    if (outcome === 'done') this.#logger.info('default', oneLine(text));
    else this.#logger.warning('default', oneLine(text));
  }
}

function quoted(name: string): string {
  return `'${name.length > 100 ? `${name.slice(0, 100)}...` : name}'`;
}

/** Control characters would let a name forge further lines. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, char => `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0')}`);
}
