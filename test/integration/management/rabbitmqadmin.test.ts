// Debian's unmodified rabbitmqadmin (of the package rabbitmq-server) against this broker.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withManagement } from './with-management.ts';

const [script] = globSync('/usr/lib/rabbitmq/lib/*/plugins/rabbitmq_management-*/priv/www/cli/rabbitmqadmin');
const python = '/usr/bin/python3';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function rabbitmqadmin(port: number, args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [script ?? '', '-H', '127.0.0.1', '-P', String(port), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', code => resolve({ code, stdout, stderr }));
  });
}

const skip = script === undefined ? "needs Debian's package rabbitmq-server" : false;

test("Debian's rabbitmqadmin works unmodified", { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'admin-'));
  const file = join(directory, 'definitions.json');
  try {
    await withManagement({}, async ({ management }) => {
      const run = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await rabbitmqadmin(management.port, args);
        assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`);
        return stdout;
      };
      const tsv = async (...args: string[]): Promise<string[]> => (await run('-f', 'tsv', ...args)).trim().split('\n').slice(1);
      await run('declare', 'vhost', 'name=v1');
      await run('declare', 'user', 'name=bob', 'password=bob', 'tags=management');
      await run('declare', 'permission', 'vhost=v1', 'user=bob', 'configure=.*', 'write=.*', 'read=.*');
      await run('declare', 'queue', 'name=q1', 'durable=true', 'arguments={"x-max-length":100}');
      await run('declare', 'exchange', 'name=e1', 'type=topic');
      await run('declare', 'binding', 'source=e1', 'destination=q1', 'routing_key=a.#');
      await run('declare', 'policy', 'name=p', 'pattern=^q', 'definition={"max-length":5}', 'apply-to=queues');
      await run('declare', 'operator_policy', 'name=op', 'pattern=^q', 'definition={"max-length":9}');
      await run('declare', 'vhost_limit', 'vhost=v1', 'name=max-queues', 'value=5');
      await run('declare', 'parameter', 'component=vhost-limits', 'name=limits', 'value={"max-queues":7}');
      assert.match(await run('publish', 'exchange=e1', 'routing_key=a.b', 'payload=hello'), /Message published/);
      assert.match(await run('publish', 'routing_key=nowhere', 'payload=x'), /Message published but NOT routed/);
      assert.match(await run('get', 'queue=q1', 'count=2', 'ackmode=ack_requeue_true'), /\| a\.b +\| e1 +\| 0 +\| hello /);
      assert.deepEqual(await tsv('list', 'queues', 'name', 'messages', 'policy'), ['q1\t1\tp']);
      assert.deepEqual(await tsv('list', 'bindings'), ['\tq1\tq1', 'e1\tq1\ta.#']);
      assert.deepEqual(await tsv('list', 'policies', 'name', 'pattern'), ['p\t^q']);
      assert.deepEqual((await tsv('list', 'vhosts', 'name')).sort(), ['/', 'v1']);
      assert.deepEqual((await tsv('list', 'users', 'name', 'tags')).sort(), ['bob\tmanagement', 'guest\tadministrator']);
      await run('list', 'exchanges');
      await run('list', 'vhost_limits');
      await run('show', 'overview');
      await run('-q', 'export', file);
      assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { queues: unknown[] }).queues.length, 1);
      await run('purge', 'queue', 'name=q1');
      await run('delete', 'queue', 'name=q1');
      await run('-q', 'import', file);
      assert.deepEqual(await tsv('list', 'queues', 'name', 'messages'), ['q1\t0']);
      await run('delete', 'exchange', 'name=e1');
      await run('delete', 'policy', 'name=p');
      await run('delete', 'vhost', 'name=v1');
      await run('delete', 'user', 'name=bob');
      const refused = await rabbitmqadmin(management.port, ['-u', 'guest', '-p', 'bad', 'list', 'queues']);
      assert.match(refused.stdout + refused.stderr, /Access refused: \/api\/queues/);
      const missing = await rabbitmqadmin(management.port, ['delete', 'queue', 'name=nope']);
      assert.match(missing.stdout + missing.stderr, /Not found: \/api\/queues\/%2F\/nope/);
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
