// mosquitto's command-line tools, run as commands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { freePorts } from '../support/ports.ts';
import { outputOf, Program, run } from '../support/program.ts';
import { uniqueName } from '../support/unique-name.ts';

/** Arguments for a session that outlives its connection. */
function lasting(version: string, clientId: string): string[] {
  return ['-i', clientId, '-c', ...(version === 'mqttv5' ? ['-x', '60'] : [])];
}

const fixed = process.env.BROKER === 'rabbitmq' ? 'the oracle is started without its MQTT plugin' : reasonBrokerIsFixed();

test('mosquitto-clients', { skip: fixed ?? false }, async t => {
  const reason = ensureDebianPackages('mosquitto-clients');
  if (reason !== null) {
    t.skip(reason);
    return;
  }
  const [port = 0] = await freePorts(1);
  await brokerFor(t, { config: [`mqtt.listeners.tcp.default = 127.0.0.1:${port}`] });
  const login = ['-h', '127.0.0.1', '-p', String(port), '-u', 'guest', '-P', 'guest'];

  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    await t.test(`${version}: pub and sub with every QoS`, async () => {
      for (const qos of ['0', '1', '2']) {
        const topic = uniqueName('tool');
        // The tool does not say when its subscription is there: a session is, when it has ended.
        const session = [...login, '-V', version, ...lasting(version, topic), '-q', qos, '-t', topic];
        await outputOf('mosquitto_sub', [...session, '-E']);
        for (const text of ['one', 'two']) await outputOf('mosquitto_pub', [...login, '-V', version, '-q', qos, '-t', topic, '-m', text]);
        assert.equal(await outputOf('mosquitto_sub', [...session, '-C', '2', '-W', '10', '-F', '%q %p']), `${qos} one\n${qos} two\n`);
      }
    });
  }

  await t.test('retained messages, and taking them away', async () => {
    const topic = uniqueName('kept');
    await outputOf('mosquitto_pub', [...login, '-r', '-q', '1', '-t', `${topic}/a`, '-m', 'kept']);
    assert.equal(await outputOf('mosquitto_sub', [...login, '-t', `${topic}/#`, '-C', '1', '-W', '10']), 'kept\n');
    await outputOf('mosquitto_pub', [...login, '-r', '-q', '1', '-t', `${topic}/a`, '-n']);
    assert.equal((await run('mosquitto_sub', [...login, '-t', `${topic}/#`, '-C', '1', '-W', '1'])).stdout, '');
  });

  await t.test('a session that outlives its connection, and properties of MQTT 5', async () => {
    const topic = uniqueName('session');
    const session = [...login, '-V', 'mqttv5', '-i', topic, '-c', '-x', '60', '-q', '1', '-t', topic];
    await outputOf('mosquitto_sub', [...session, '-E']);
    await outputOf('mosquitto_pub', [
      ...login,
      '-V',
      'mqttv5',
      '-q',
      '1',
      '-t',
      topic,
      '-m',
      'waits',
      '-D',
      'publish',
      'content-type',
      'text/x',
    ]);
    assert.equal(await outputOf('mosquitto_sub', [...session, '-C', '1', '-W', '10', '-F', '%C %p']), 'text/x waits\n');
  });

  await t.test('request and response', async () => {
    const topic = uniqueName('rr');
    const session = [...login, '-V', 'mqttv5', ...lasting('mqttv5', topic), '-q', '1', '-t', topic];
    await outputOf('mosquitto_sub', [...session, '-E']);
    await using client = new Program('mosquitto_rr', [
      ...login,
      '-V',
      'mqttv5',
      '-q',
      '1',
      '-t',
      topic,
      '-e',
      `${topic}/answer`,
      '-m',
      'ask',
      '-W',
      '10',
    ]);
    assert.equal(await outputOf('mosquitto_sub', [...session, '-C', '1', '-W', '10', '-F', '%R %p']), `${topic}/answer ask\n`);
    await outputOf('mosquitto_pub', [...login, '-V', 'mqttv5', '-q', '1', '-t', `${topic}/answer`, '-m', 'answered']);
    assert.match((await client.end()).stdout, /answered/);
  });

  await t.test('a wrong password is told', async () => {
    const { code, stderr, stdout } = await run('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-u',
      'guest',
      '-P',
      'x',
      '-t',
      't',
      '-m',
      'x',
    ]);
    assert.notEqual(code, 0);
    assert.match(stderr + stdout, /bad user name or password|not authori[sz]ed/i);
  });
});
