import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../core/ports/logger.ts';
import { LoggedAudit } from './audit-log.ts';

test('an audit entry is one line, whatever is in it', () => {
  const lines: string[] = [];
  const audit = new LoggedAudit({
    ...silentLogger,
    info: (_category, text) => lines.push(text),
    warning: (_category, text) => lines.push(text),
  });
  audit.note({ user: 'a\nb', peerAddress: '10.0.0.1', action: 'DELETE /api/queues/\r\n\u2028x', outcome: 'done', detail: '' });
  audit.note({ user: 'x'.repeat(500), peerAddress: null, action: 'login', outcome: 'refused', detail: 'bad' });
  assert.equal(lines[0], "HTTP API: user 'a\\u000ab' from 10.0.0.1: DELETE /api/queues/\\u000d\\u000a\\u2028x done");
  assert.match(lines[1] ?? '', /^HTTP API: user 'x{100}\.\.\.' from this process: login refused: bad$/);
});
