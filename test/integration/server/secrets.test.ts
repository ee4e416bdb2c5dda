// Nothing that a password was written into tells it again: not the log at its finest, not the HTTP API, not the command line, not the disk.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { routes } from '../../../src/management/http/routes.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { CertificateStore } from '../../support/certificates.ts';
import { MqttDriver } from '../../support/mqtt-driver.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { Cli } from '../cli/cli.ts';
import { HttpClient } from '../management/http-client.ts';

const canary = 'C4NARYBIRD';
/** Each place has its own, so that a failure says where it came from. */
const secret = (place: string): string => `${canary}-${place}`;
/** As it is, and in base64 at each of the three alignments. */
const traces = [
  canary,
  ...[0, 1, 2].map(shift =>
    Buffer.from(`${'x'.repeat(shift)}${canary}x`)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, 12),
  ),
];

function assertSilent(text: string, what: string): void {
  for (const trace of traces) {
    const at = text.indexOf(trace);
    assert.equal(at, -1, `${what}: ...${text.slice(Math.max(0, at - 80), at + 40)}...`);
  }
}

test('no password is told again, wherever it was given', { timeout: 60_000 }, async t => {
  const store = new CertificateStore();
  t.after(() => store.dispose());
  const { certFile, keyFile } = store.make({ subject: '/CN=localhost', altNames: 'DNS:localhost' });
  const directory = temporaryDirectory(t);
  const logFile = join(directory, 'warren.log');
  const definitions = join(directory, 'definitions.json');
  writeFileSync(definitions, JSON.stringify({ users: [{ name: 'filed', password: secret('definitions'), tags: '' }] }));
  const warren = await WarrenProcess.start(t, {
    env: {
      RABBITMQ_DEFAULT_USER: 'root',
      RABBITMQ_DEFAULT_PASS: secret('environment'),
      RABBITMQ_PASSWORD: secret('ignored'),
      RABBITMQ_ERLANG_COOKIE: secret('cookie'),
    },
    conf: [
      'listeners.tcp.1 = 127.0.0.1:0',
      'listeners.ssl.1 = 127.0.0.1:0',
      `ssl_options.certfile = ${certFile}`,
      `ssl_options.keyfile = ${keyFile}`,
      `ssl_options.password = ${secret('key')}`,
      'mqtt.listeners.tcp.1 = 127.0.0.1:0',
      'stomp.listeners.tcp.1 = 127.0.0.1:0',
      'management.tcp.port = 0',
      'prometheus.tcp.port = 0',
      `log.file = ${logFile}`,
      'log.file.level = debug',
      'log.console = true',
      'log.console.level = debug',
      `default_users.other.password = ${secret('configuration')}`,
    ].join('\n'),
  });
  const portOf = async (what: RegExp): Promise<number> => Number((await warren.logged(what))[1]);
  const httpPort = await portOf(/HTTP \(non-TLS\) listener started on port (\d+)/);
  const mqttPort = await portOf(/started MQTT TCP listener on \S*:(\d+)/);
  const stompPort = await portOf(/started STOMP TCP listener on \S*:(\d+)/);
  const root = `root:${secret('environment')}`;
  const http = new HttpClient(httpPort);
  const said: [string, string][] = [];
  const note = (what: string, answer: { text: string; headers?: unknown }): void =>
    void said.push([what, answer.text + JSON.stringify(answer.headers ?? {})]);

  // Right and wrong, by every protocol.
  const client = await AmqpDriver.connect({ port: warren.port, user: 'root', password: secret('environment') });
  await client.openChannel(1);
  await assert.rejects(AmqpDriver.connect({ port: warren.port, user: 'root', password: secret('amqp') }), /ACCESS_REFUSED/);
  await assert.rejects(AmqpDriver.connect({ port: warren.port, user: secret('user'), password: 'x', vhost: '/' }), /ACCESS_REFUSED/);
  const mqtt = await MqttDriver.open(mqttPort);
  assert.notEqual((await mqtt.login({ username: 'root', password: secret('mqtt') })).reason, 0);
  const stomp = new StompDriver(stompPort);
  stomp.send('CONNECT', { 'accept-version': '1.2', host: '/', login: 'root', passcode: secret('stomp') });
  await stomp.expect('ERROR');
  note('a refused request', await http.get('/api/whoami', { user: `root:${secret('http')}` }));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  note(
    'a refused login',
    await http.request('POST', '/api/login', { user: null, body: `username=root&password=${secret('login')}`, headers: form }),
  );
  // Stored, changed, refused, misplaced.
  note('a user', await http.put('/api/users/one', { password: secret('put'), tags: 'management' }, { user: root }));
  note('a broken body', await http.put('/api/users/two', `{"password": "${secret('broken')}", `, { user: root }));
  note('a wrong type', await http.put('/api/users/two', { password: [secret('typed')], tags: '' }, { user: root }));
  note('an unknown key', await http.put('/api/users/two', { passwort: secret('misspelled'), tags: '' }, { user: root }));
  const imported = {
    users: [
      { name: 'three', password: secret('imported'), tags: '' },
      { name: 'four', password: 4, tags: '' },
    ],
  };
  note('definitions', await http.request('POST', '/api/definitions', { user: root, body: imported }));
  note(
    'a parameter',
    await http.put('/api/parameters/shovel/%2F/s', { value: { 'src-uri': `amqp://u:${secret('uri')}@h` } }, { user: root }),
  );
  const cli = new Cli(directory, { WARREN_DATA_DIR: String(warren.dataDir) });
  for (const args of [
    ['add_user', 'five', secret('added')],
    ['change_password', 'five', secret('changed')],
    ['authenticate_user', 'five', secret('asked')],
    ['import_definitions', definitions],
    ['report'],
    ['environment'],
    ['diagnostics', 'os_env'],
    ['diagnostics', 'command_line_arguments'],
    ['export_definitions', '-'],
    ['list_users'],
  ]) {
    const { stdout, stderr } = await cli.ctl(...args);
    said.push([args[0] ?? '', stdout + stderr]);
  }
  // Every page of the API that can be read.
  const values: Record<string, string> = { vhost: '%2F', user: 'one', name: 'root', node: 'rabbit%40x', component: 'shovel' };
  for (const { method, path } of routes) {
    // The hash of a password is asked for by the password.
    if (method !== 'GET' || path.includes('hash_password') || path.includes('/events')) continue;
    note(
      path,
      await http.get(
        path.replaceAll(/:(\w+)/g, (_, key: string) => values[key] ?? key),
        { user: root },
      ),
    );
  }
  client.destroy();
  await warren.stop();

  assert.ok(said.length > 80, String(said.length));
  // An administrator who writes a password into a parameter reads it back, as in RabbitMQ: parameters are what was put there.
  for (const [what, text] of said) assertSilent(text.replaceAll(secret('uri'), ''), what);
  // A user name that is a password typed into the wrong field is told in the log: it is the name that was refused.
  assertSilent(warren.output.replaceAll(secret('user'), ''), 'the console');
  assertSilent(readFileSync(logFile, 'utf8').replaceAll(secret('user'), ''), 'the log file');
  for (const name of readdirSync(String(warren.dataDir), { recursive: true, encoding: 'utf8' })) {
    const file = join(String(warren.dataDir), name);
    if (statSync(file).isFile()) assertSilent(readFileSync(file, 'latin1').replaceAll(secret('uri'), ''), name);
  }
});
