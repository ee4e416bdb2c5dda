// rabbitmq-c's command-line tools, run as commands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerUnderTest } from '../support/broker-under-test.ts';
import { brokerFor } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { outputOf, Program, run } from '../support/program.ts';
import { uniqueName } from '../support/unique-name.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Runs one of the tools to its end, as `amqp-get -u URL ...`. */
function tool(broker: BrokerUnderTest, name: string, args: string[], input?: string | Uint8Array) {
  return run(`amqp-${name}`, ['-u', broker.url, ...args], input === undefined ? {} : { input });
}

async function declare(broker: BrokerUnderTest, queue: string, ...args: string[]): Promise<string> {
  return outputOf('amqp-declare-queue', ['-u', broker.url, '-q', queue, ...args]);
}

async function remove(broker: BrokerUnderTest, queue: string): Promise<string> {
  // -u means --if-unused in this tool
  return outputOf('amqp-delete-queue', [`--url=${broker.url}`, '-q', queue]);
}

/** Polls amqp-get until it prints a message; it ends with 2 when the queue is empty. */
async function getOne(broker: BrokerUnderTest, queue: string): Promise<string> {
  let body = '';
  await waitUntil(`a message in ${queue}`, async () => {
    const result = await tool(broker, 'get', ['-q', queue]);
    body = result.stdout;
    return result.code === 0;
  });
  return body;
}

const reason = ensureDebianPackages('amqp-tools');

test('amqp-tools', { skip: reason ?? false }, async t => {
  const broker = await brokerFor(t);

  await t.test('declare-queue prints the name, also one the broker chose', async () => {
    const queue = uniqueName('declared');
    assert.equal(await declare(broker, queue), `${queue}\n`);
    assert.equal(await declare(broker, queue), `${queue}\n`);
    const chosen = (await declare(broker, '')).trim();
    assert.match(chosen, /^amq\.gen-[\w-]{22}$/);
    await remove(broker, queue);
    await remove(broker, chosen);
  });

  await t.test('publish and get carry a body, and get fails on an empty queue', async () => {
    const queue = uniqueName('got');
    await declare(broker, queue);
    assert.equal((await tool(broker, 'get', ['-q', queue])).code, 2);
    assert.equal((await tool(broker, 'publish', ['-r', queue, '-b', 'hello täxt'])).code, 0);
    assert.equal(await getOne(broker, queue), 'hello täxt');
    assert.equal((await tool(broker, 'get', ['-q', queue])).code, 2);
    await remove(broker, queue);
  });

  await t.test('publish takes its body from standard input, or a message from each line', async () => {
    const queue = uniqueName('stdin');
    await declare(broker, queue);
    const large = 'x'.repeat(300_000);
    assert.equal((await tool(broker, 'publish', ['-r', queue], large)).code, 0);
    assert.equal(await getOne(broker, queue), large);
    assert.equal((await tool(broker, 'publish', ['-r', queue, '-l'], 'one\ntwo\nthree\n')).code, 0);
    assert.deepEqual(
      [await getOne(broker, queue), await getOne(broker, queue), await getOne(broker, queue)],
      ['one\n', 'two\n', 'three\n'],
    );
    await remove(broker, queue);
  });

  await t.test('consume runs a command for each message, up to a count', async () => {
    const queue = uniqueName('consumed');
    await declare(broker, queue);
    for (const body of ['a', 'b', 'c']) await tool(broker, 'publish', ['-r', queue, '-b', body]);
    const result = await tool(broker, 'consume', ['-q', queue, '-c', '2', '--', 'sh', '-c', 'printf "<%s>" "$(cat)"']);
    assert.deepEqual([result.code, result.stdout], [0, '<a><b>']);
    assert.equal(await getOne(broker, queue), 'c');
    await remove(broker, queue);
  });

  await t.test('a message whose command fails stays in the queue', async () => {
    const queue = uniqueName('failed');
    await declare(broker, queue);
    await tool(broker, 'publish', ['-r', queue, '-b', 'again']);
    const failing = await tool(broker, 'consume', ['-q', queue, '-c', '1', '--', 'sh', '-c', 'cat >/dev/null; exit 1']);
    assert.equal(failing.code, 0, failing.stderr);
    assert.equal(await getOne(broker, queue), 'again');
    await remove(broker, queue);
  });

  await t.test('consume binds a queue of its own to an exchange', async () => {
    const key = uniqueName('key');
    await using consumer = new Program('amqp-consume', [
      '-u',
      broker.url,
      '-e',
      'amq.topic',
      '-r',
      `${key}.#`,
      '-x',
      '-c',
      '2',
      '--',
      'sh',
      '-c',
      'cat; echo',
    ]);
    // the tool says on standard error which queue it got, and binds it afterwards
    await waitUntil('the queue', () => /amq\.gen-[\w-]+/.test(consumer.stderr));
    await waitUntil('two messages', async () => {
      await tool(broker, 'publish', ['-e', 'amq.topic', '-r', `${key}.deep.er`, '-b', 'by topic']);
      return !consumer.isRunning || consumer.lines.length >= 2;
    });
    const result = await consumer.end();
    assert.deepEqual([result.code, result.stdout], [0, 'by topic\nby topic\n']);
  });

  await t.test('two consumers with prefetch 1 share a queue, each at its pace', async () => {
    const queue = uniqueName('shared');
    await declare(broker, queue, '-d');
    await tool(broker, 'publish', ['-r', queue, '-p', '-l'], Array.from({ length: 10 }, (_, index) => `${index}\n`).join(''));
    const args = ['-u', broker.url, '-q', queue, '-p', '1'];
    await using stuck = new Program('amqp-consume', [...args, '--', 'sh', '-c', 'cat; sleep 60'], { hasChildren: true });
    await waitUntil('the first message', () => stuck.lines.length === 1);
    const others = await outputOf('amqp-consume', [...args, '-c', '9', 'cat']);
    assert.equal([...stuck.lines, ...others.trim().split('\n')].sort().join(' '), '0 1 2 3 4 5 6 7 8 9');
    await stuck.kill();
    assert.equal(await getOne(broker, queue), `${stuck.lines[0]}\n`);
    await remove(broker, queue);
  });

  await t.test('headers, content type and reply-to are sent', async () => {
    const [queue, matched] = [uniqueName('headers'), uniqueName('matched')];
    await declare(broker, queue);
    await declare(broker, matched);
    const published = await tool(broker, 'publish', [
      '-r',
      queue,
      '-C',
      'text/plain',
      '-E',
      'utf-8',
      '-t',
      matched,
      '-H',
      'colour: red',
      '-p',
      '-b',
      'x',
    ]);
    assert.equal(published.code, 0, published.stderr);
    assert.equal(await getOne(broker, queue), 'x');
    await remove(broker, queue);
    await remove(broker, matched);
  });

  await t.test('delete-queue tells how many messages went, and keeps what is not empty when told so', async () => {
    const queue = uniqueName('deleted');
    await declare(broker, queue);
    for (const body of ['a', 'b']) await tool(broker, 'publish', ['-r', queue, '-b', body]);
    const kept = await run('amqp-delete-queue', [`--url=${broker.url}`, '-q', queue, '-e']);
    assert.equal(kept.code, 1);
    assert.match(kept.stderr, new RegExp(`406.*PRECONDITION_FAILED - queue '${queue}' in vhost '/' not empty`));
    assert.equal(await remove(broker, queue), '2\n');
  });

  await t.test('what is missing or refused is told', async () => {
    const queue = uniqueName('missing');
    const missing = await tool(broker, 'get', ['-q', queue]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, new RegExp(`404.*NOT_FOUND - no queue '${queue}' in vhost '/'`));
    const refused = await run('amqp-get', ['-u', broker.url.replace('guest:guest', 'guest:wrong'), '-q', queue]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /403.*ACCESS_REFUSED/);
    const nowhere = await run('amqp-get', ['-u', `${broker.url}/nowhere`, '-q', queue]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /530.*vhost nowhere not found/);
  });

  await t.test('heartbeats keep a waiting consumer connected', async () => {
    const queue = uniqueName('patient');
    await declare(broker, queue);
    await using consumer = new Program('amqp-consume', ['-u', broker.url, '--heartbeat=1', '-q', queue, '-c', '1', 'cat']);
    const began = Date.now();
    // idleness itself is what is checked: more than two intervals must pass
    await waitUntil('the time to pass', () => Date.now() - began > 3500);
    assert.ok(consumer.isRunning, consumer.output());
    await tool(broker, 'publish', ['-r', queue, '-b', 'at last']);
    assert.deepEqual([(await consumer.end()).code, consumer.stdout], [0, 'at last'], consumer.output());
    await remove(broker, queue);
  });
});
