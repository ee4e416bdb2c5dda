// A task queue with competing workers, prefetch 1 and manual acknowledgements; a worker is killed in the middle of its task.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../../support/debian.ts';
import { conformanceRoot } from '../../support/install.ts';
import { outputOf, Program } from '../../support/program.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { waitUntil } from '../../support/wait-until.ts';

const reason = ensureDebianPackages('python3-pika');

test('a task queue whose worker is killed in the middle', { skip: reason ?? false }, async t => {
  const broker = await brokerFor(t);
  const options = { cwd: join(conformanceRoot, 'scenarios', 'task-queue'), env: broker.env };
  const queue = uniqueName('tasks');
  const worker = (seconds: string) => new Program(debianPython, ['worker.py', queue, seconds], options);
  await outputOf(debianPython, ['producer.py', queue, 'one', 'two', 'three'], options);

  // Three tasks wait. Two workers with prefetch 1 take one each; the third task stays in the queue.
  await using doomed = worker('60');
  await doomed.prints('started one');
  await using steady = worker('2');
  await steady.prints('started two');
  await doomed.kill();

  // The task of the killed worker comes back to its place, before the one that nobody had begun.
  await using late = worker('2');
  await late.prints('started one (again)');
  await waitUntil('every task done', () => [...steady.lines, ...late.lines].filter(line => line.startsWith('finished')).length === 3);
  assert.deepEqual(steady.lines, ['ready', 'started two ', 'finished two', 'started three ', 'finished three']);
  assert.deepEqual(late.lines, ['ready', 'started one (again)', 'finished one']);
  assert.equal(doomed.stdout.includes('finished'), false);
});
