// RabbitMQ's Java client, from Debian's package: compiled once, then one process for each of the programs.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot } from '../support/install.ts';
import { outputOf } from '../support/program.ts';
import { runChecks } from '../support/tap.ts';

const jars = ['amqp-client', 'slf4j-api', 'slf4j-nop'].map(name => `/usr/share/java/${name}.jar`);
const sources = readdirSync(join(conformanceRoot, 'java-client')).filter(file => file.endsWith('.java'));
const reason = ensureDebianPackages('librabbitmq-client-java', 'libslf4j-java', 'default-jdk-headless');

test('java-client', { skip: reason ?? false }, async t => {
  const classes = mkdtempSync(join(tmpdir(), 'warren-java-'));
  t.after(() => rmSync(classes, { recursive: true, force: true }));
  const cwd = join(conformanceRoot, 'java-client');
  await outputOf('javac', ['-Xlint:-options', '-cp', jars.join(':'), '-d', classes, ...sources], { cwd, millisMax: 120_000 });
  const broker = await brokerFor(t);
  for (const program of sources.filter(file => file !== 'Checks.java').map(file => file.replace('.java', ''))) {
    await t.test(program, inner => runChecks(inner, 'java', ['-cp', [classes, ...jars].join(':'), program], { cwd, env: broker.env }));
  }
});
