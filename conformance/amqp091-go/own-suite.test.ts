// The tests that RabbitMQ's Go client and its predecessor bring along, as Debian packs them, against the broker.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { outputOf, Program } from '../support/program.ts';

interface Suite {
  readonly module: string;
  readonly debianPackage: string;
  /** Tests there are at least: an empty run is no success. */
  readonly countMin: number;
  /** A pattern of tests that do not concern the broker and fail with any, and why. */
  readonly skip?: { readonly pattern: string; readonly reason: string };
}

const suites: readonly Suite[] = [
  { module: 'github.com/rabbitmq/amqp091-go', debianPackage: 'golang-github-rabbitmq-amqp091-go-dev', countMin: 110 },
  {
    module: 'github.com/streadway/amqp',
    debianPackage: 'golang-github-streadway-amqp-dev',
    countMin: 90,
    skip: { pattern: 'TestTLSHandshake', reason: 'it talks to a server of its own, with certificates that have expired' },
  },
];

for (const { module, debianPackage, countMin, skip } of suites) {
  const reason = ensureDebianPackages('golang-go', debianPackage);

  test(`the tests of ${module} itself`, { skip: reason ?? false }, async t => {
    const directory = mkdtempSync(join(tmpdir(), 'warren-go-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const program = join(directory, 'suite');
    const env = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', CGO_ENABLED: '0' };
    await outputOf('/usr/bin/go', ['test', '-c', '-tags', 'integration', '-o', program, module], { env, millisMax: 300_000 });
    const names = (await outputOf(program, ['-test.list', '.*'], { millisMax: 60_000 }))
      .split('\n')
      .filter(name => /^(Test|Example)/.test(name));
    const wanted = names.filter(name => !new RegExp(skip?.pattern ?? '^$').test(name));
    const broker = await brokerFor(t);
    const args = ['-test.v', '-test.timeout=100s', `-test.run=^(${wanted.join('|')})$`];
    await using run = new Program(program, args, { cwd: directory, env: { ...env, AMQP_URL: `${broker.url}/` } });
    const { code } = await run.end(120_000);
    const results = [...run.stdout.matchAll(/^--- (PASS|FAIL|SKIP): (\S+)/gm)];
    for (const [, outcome, name = ''] of results) await t.test(name, () => assert.notEqual(outcome, 'FAIL', run.stdout.slice(-4000)));
    if (skip !== undefined) await t.test(skip.pattern, { skip: skip.reason }, () => {});
    assert.equal(code, 0, run.output().slice(-4000));
    assert.ok(results.length >= countMin, `${results.length} tests were run`);
  });
}
