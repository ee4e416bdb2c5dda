// RabbitMQ's Go client, from Debian's packages: built into one program, which reports all checks.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot } from '../support/install.ts';
import { outputOf } from '../support/program.ts';
import { runChecks } from '../support/tap.ts';

const reason = ensureDebianPackages('golang-go', 'golang-github-rabbitmq-amqp091-go-dev');

test('amqp091-go', { skip: reason ?? false }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-go-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const cwd = join(conformanceRoot, 'amqp091-go');
  const program = join(directory, 'checks');
  // Debian keeps libraries as sources in a GOPATH; the cache is the user's, so that the standard library is compiled once.
  const env = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', CGO_ENABLED: '0' };
  await outputOf('/usr/bin/go', ['build', '-o', program, '.'], { cwd, env, millisMax: 300_000 });
  const broker = await brokerFor(t);
  await runChecks(t, program, [], { cwd, env: broker.env });
});
