// The tutorials every newcomer follows, run the way the text tells: commands in several terminals, watched through what they print.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from '../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { outputOf, Program } from '../support/program.ts';
import { waitUntil } from '../support/wait-until.ts';

const languages = [
  { folder: 'python', extension: 'py', interpreter: debianPython, bring: async () => ensureDebianPackages('python3-pika') },
  { folder: 'javascript', extension: 'js', interpreter: process.execPath, bring: async () => (await ensureNpmClients(), null) },
];

for (const { folder, extension, interpreter, bring } of languages) {
  test(`tutorials in ${folder}`, async t => {
    const reason = await bring();
    if (reason) {
      t.skip(reason);
      return;
    }
    const broker = await brokerFor(t);
    const cwd = join(conformanceRoot, 'tutorials', folder);
    const options = { cwd, env: broker.env };
    // `exec`, so that a signal for the shell's process reaches the program
    const line = (command: string) => `exec ${interpreter} ${command.replace(/^\w+/, name => `${name}.${extension}`)}`;
    /** Types a command into a terminal and waits for its end. */
    const type = (command: string) => outputOf('sh', ['-c', line(command)], options);
    /** Opens another terminal in which a command goes on running. */
    const terminal = (command: string) => new Program('sh', ['-c', line(command)], options);

    await type('tidy');

    await t.test('1 hello world', async () => {
      assert.equal(await type('send'), " [x] Sent 'Hello World!'\n");
      await using receiver = terminal('receive');
      await receiver.prints('[x] Received Hello World!\n');
      await type('send');
      await waitUntil('the second message', () => receiver.lines.filter(text => text.includes('Received')).length === 2);
      const { code } = await receiver.interrupt();
      assert.deepEqual([code, receiver.lines.at(-1)], [0, 'Interrupted']);
    });

    await t.test('2 work queues: workers share tasks, and a killed one leaves its task to another', async () => {
      await using first = terminal('worker');
      await using second = terminal('worker');
      await Promise.all([first.prints('Waiting'), second.prints('Waiting')]);
      for (const task of ['First.', 'Second.', 'Third.', 'Fourth.']) assert.equal(await type(`new_task ${task}`), ` [x] Sent ${task}\n`);
      const done = () => [first, second].map(worker => worker.lines.filter(text => text === ' [x] Done').length);
      await waitUntil('four tasks done', () => done().reduce((sum, count) => sum + count, 0) === 4);
      assert.deepEqual(done(), [2, 2]);
      await type('new_task Long task..');
      await waitUntil('somebody to take it', () => [first, second].some(worker => worker.stdout.includes('Long task')));
      const [victim, other] = first.stdout.includes('Long task') ? [first, second] : [second, first];
      await victim.kill();
      const before = other.lines.filter(text => text === ' [x] Done').length;
      await other.prints('[x] Received Long task..');
      await waitUntil('the end of the task', () => other.lines.filter(text => text === ' [x] Done').length > before);
    });

    await t.test('3 publish and subscribe: everybody gets everything', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'tutorial-'));
      t.after(() => rmSync(directory, { recursive: true }));
      const file = join(directory, 'logs_from_rabbit.log');
      await using screen = terminal('receive_logs');
      await using logger = new Program('sh', ['-c', `${line('receive_logs')} >${file}`], options);
      await Promise.all([
        screen.prints('Waiting for logs'),
        waitUntil('the file', () => readFileSync(file, 'utf8').includes('Waiting for logs')),
      ]);
      assert.equal(await type('emit_log'), ' [x] Sent info: Hello World!\n');
      await type('emit_log "warning: disk almost full"');
      await screen.prints(' [x] info: Hello World!\n [x] warning: disk almost full\n');
      await waitUntil('the same in the file', () =>
        readFileSync(file, 'utf8').endsWith(screen.stdout.slice(screen.stdout.indexOf(' [x]'))),
      );
      assert.ok(logger.isRunning);
    });

    await t.test('4 routing: by severity', async () => {
      await using errors = terminal('receive_logs_direct error');
      await using all = terminal('receive_logs_direct info warning error');
      await Promise.all([errors.prints('Waiting for logs'), all.prints('Waiting for logs')]);
      for (const severity of ['info', 'error', 'debug', 'warning', 'error']) await type(`emit_log_direct ${severity} "about ${severity}"`);
      await all.prints(' [x] info:about info\n [x] error:about error\n [x] warning:about warning\n [x] error:about error\n');
      await errors.prints(' [x] error:about error\n [x] error:about error\n');
      assert.equal(errors.lines.length, 3, errors.output());
      assert.equal(all.lines.length, 5, all.output());
    });

    await t.test('5 topics: by pattern', async () => {
      const watchers = ['"#"', '"kern.*"', '"*.critical"', '"kern.*" "*.critical"'].map(patterns =>
        terminal(`receive_logs_topic ${patterns}`),
      );
      try {
        await Promise.all(watchers.map(watcher => watcher.prints('Waiting for logs')));
        for (const key of ['kern.critical', 'kern.info', 'app.critical', 'app.info', 'kern.deep.critical'])
          await type(`emit_log_topic ${key} "on ${key}"`);
        const seen = (...keys: string[]) => keys.map(key => ` [x] ${key}:on ${key}`);
        const expected = [
          seen('kern.critical', 'kern.info', 'app.critical', 'app.info', 'kern.deep.critical'),
          seen('kern.critical', 'kern.info'),
          seen('kern.critical', 'app.critical'),
          seen('kern.critical', 'kern.info', 'app.critical'),
        ];
        const printed = () => watchers.map(watcher => watcher.lines.filter(text => text.startsWith(' [x]')));
        await waitUntil('every expected line', () => printed().every((lines, index) => lines.length >= (expected[index]?.length ?? 0)));
        assert.deepEqual(printed(), expected);
      } finally {
        await Promise.all(watchers.map(watcher => watcher.kill()));
      }
    });

    await t.test('6 RPC: one server, two servers, several clients', async () => {
      await using server = terminal('rpc_server');
      await server.prints('Awaiting RPC requests');
      assert.equal(await type('rpc_client 20'), ' [x] Requesting fib(20)\n [.] Got 6765\n');
      assert.ok(server.stdout.includes(' [.] fib(20)\n'));
      await using another = terminal('rpc_server');
      await another.prints('Awaiting RPC requests');
      const answers = await Promise.all(['10', '15', '18', '21'].map(n => type(`rpc_client ${n}`)));
      assert.deepEqual(
        answers.map(answer => answer.trim().split(' ').at(-1)),
        ['55', '610', '2584', '10946'],
      );
    });

    await t.test('7 publisher confirms', async () => {
      const text = await type('publisher_confirms');
      assert.equal(
        text,
        'Published 1000 messages one at a time\nPublished 1000 messages in batches\nPublished 1000 messages and handled confirms asynchronously\n',
      );
    });

    await type('tidy');
  });
}

test('tutorials across languages', async t => {
  const reason = ensureDebianPackages('python3-pika');
  if (reason) {
    t.skip(reason);
    return;
  }
  await ensureNpmClients();
  const broker = await brokerFor(t);
  const shell = (language: 'python' | 'javascript', command: string) => {
    const [interpreter, extension] = language === 'python' ? [debianPython, 'py'] : [process.execPath, 'js'];
    const [name, ...args] = command.split(' ');
    return [
      'sh',
      ['-c', `exec ${interpreter} ${name}.${extension} ${args.join(' ')}`],
      { cwd: join(conformanceRoot, 'tutorials', language), env: broker.env },
    ] as const;
  };
  for (const [here, there] of [
    ['python', 'javascript'],
    ['javascript', 'python'],
  ] as const) {
    await t.test(`${here} talks to ${there}`, async () => {
      await outputOf(...shell(here, 'tidy'));
      await using server = new Program(...shell(there, 'rpc_server'));
      await server.prints('Awaiting RPC requests');
      assert.equal(await outputOf(...shell(here, 'rpc_client 15')), ' [x] Requesting fib(15)\n [.] Got 610\n');
      await using logs = new Program(...shell(there, 'receive_logs_topic "*.critical"'));
      await logs.prints('Waiting for logs');
      await outputOf(...shell(here, 'emit_log_topic kern.critical "a kernel error"'));
      await logs.prints(' [x] kern.critical:a kernel error\n');
      await using worker = new Program(...shell(there, 'worker'));
      await worker.prints('Waiting');
      await outputOf(...shell(here, 'new_task for somebody else'));
      await worker.prints(' [x] Received for somebody else\n [x] Done\n');
      await Promise.all([server.kill(), worker.kill()]);
      await outputOf(...shell(here, 'tidy'));
    });
  }
});
