// The package as npm would publish it, installed into a project of its own, and the examples run there with the runners people use.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { debianPython, ensureDebianPackages } from '../support/debian.ts';
import { installLocked, installPackage, runIn } from '../support/installed-package.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

describe('the package in a project of its own', () => {
  let directory = '';

  const run = (command: string, args: readonly string[]): string => runIn(directory, command, args);
  const bin = (name: string): string => join(directory, 'node_modules', '.bin', name);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'warren-examples-'));
    cpSync(join(root, 'examples'), directory, { recursive: true, filter: source => !source.endsWith('node_modules') });
    installLocked(directory);
    await installPackage(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const nodes: readonly (readonly [name: string, node: () => string])[] = [
    ['Node 24', () => process.execPath],
    ['Node 22', () => bin('node')],
  ];
  for (const [name, node] of nodes) {
    test(`node:test on ${name}, every client and NestJS`, () => {
      const files = [
        'node-test/orders.test.js',
        'clients/clients.test.js',
        'in-process/in-process.test.js',
        'faults/faults.test.js',
        'time/time.test.js',
        'nestjs/sums.test.js',
      ];
      run(node(), ['--test', '--test-timeout=30000', ...files]);
    });
    test(`Vitest on ${name}`, () => void run(node(), [bin('vitest'), 'run', '--dir', 'vitest']));
    test(`Jest on ${name}`, () => void run(node(), [bin('jest'), '--rootDir', 'jest', '-c', 'jest/jest.config.json']));
    test(`Mocha on ${name}`, () => void run(node(), [bin('mocha'), 'mocha/*.spec.js']));
    test(`require on ${name}`, () => {
      const stopped = "const { Broker } = require('warrenmq'); Broker.start().then(b => b.stop()).then(() => console.log('stopped'))";
      // Nothing is left of it that would keep the process from ending.
      assert.equal(run(node(), ['--no-warnings', '-e', stopped]), 'stopped\n');
    });
  }

  test('pytest, with pika and Celery', t => {
    const reason = ensureDebianPackages('python3-pytest', 'python3-pika', 'python3-celery');
    if (reason !== null) return t.skip(reason);
    run(debianPython, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--rootdir', 'python', 'python']);
  });
});
