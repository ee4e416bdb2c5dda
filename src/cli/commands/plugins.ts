import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext } from '../command.ts';

const define = commandsOf('Plugin Management', ['rabbitmq-plugins']);

/** What there is of RabbitMQ's plugins: built in, or opened by the configuration. */
const builtIn: Readonly<Record<string, string>> = {
  rabbitmq_management: 'always on: the HTTP API',
  rabbitmq_management_agent: 'always on',
  rabbitmq_prometheus: 'always on: metrics',
  rabbitmq_web_dispatch: 'always on',
  rabbitmq_consistent_hash_exchange: 'always on: exchange type x-consistent-hash',
  rabbitmq_random_exchange: 'always on: exchange type x-random',
  rabbitmq_recent_history_exchange: 'always on: exchange type x-recent-history',
  rabbitmq_sharding: 'always on: exchange type x-modulus-hash',
  rabbitmq_delayed_message_exchange: 'always on: exchange type x-delayed-message',
  rabbitmq_message_deduplication: 'always on: x-message-deduplication',
  rabbitmq_event_exchange: 'always on: exchange amq.rabbitmq.event',
  rabbitmq_auth_mechanism_ssl: 'always on: mechanism EXTERNAL',
};

/** Protocols that get their listeners by the configuration, or by the file enabled_plugins. */
const protocols: Readonly<Record<string, string>> = {
  rabbitmq_mqtt: 'mqtt',
  rabbitmq_stomp: 'stomp',
  rabbitmq_stream: 'stream',
  rabbitmq_web_mqtt: 'web-mqtt',
  rabbitmq_web_stomp: 'web-stomp',
};

/** Plugins of RabbitMQ that are not here. */
const absent = new Set([
  'rabbitmq_shovel',
  'rabbitmq_shovel_management',
  'rabbitmq_federation',
  'rabbitmq_federation_management',
  'rabbitmq_tracing',
  'rabbitmq_top',
  'rabbitmq_auth_backend_ldap',
  'rabbitmq_auth_backend_http',
  'rabbitmq_auth_backend_oauth2',
  'rabbitmq_auth_backend_cache',
  'rabbitmq_peer_discovery_aws',
  'rabbitmq_peer_discovery_common',
  'rabbitmq_peer_discovery_consul',
  'rabbitmq_peer_discovery_etcd',
  'rabbitmq_peer_discovery_k8s',
  'rabbitmq_jms_topic_exchange',
  'rabbitmq_stream_management',
  'rabbitmq_amqp1_0',
]);

async function runningProtocols({ api }: CommandContext): Promise<Set<string>> {
  const overview = await api.object('/overview?columns=listeners');
  const listeners = (overview['listeners'] ?? []) as Record<string, unknown>[];
  return new Set(listeners.map(item => String(item['protocol']).replace(/^https?\/|\/ssl$/g, '')));
}

interface PluginState {
  readonly name: string;
  readonly isRunning: boolean;
  readonly note: string;
}

async function states(context: CommandContext): Promise<PluginState[]> {
  const running = await runningProtocols(context);
  return [
    ...Object.entries(builtIn).map(([name, note]) => ({ name, isRunning: true, note })),
    ...Object.entries(protocols).map(([name, protocol]) => {
      const isRunning = running.has(protocol);
      const note = isRunning ? 'listening' : 'name it in enabled_plugins, RABBITMQ_ENABLED_PLUGINS or set its listeners, and restart';
      return { name, isRunning, note };
    }),
    ...[...absent].map(name => ({ name, isRunning: false, note: 'not part of WarrenMQ' })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function switchPlugins(context: CommandContext, isOn: boolean, names: readonly string[]): Promise<void> {
  const node = await context.node();
  context.out.say(`${isOn ? 'Enabling' : 'Disabling'} plugins on node ${node}:\n${names.join('\n')}`);
  const all = await states(context);
  const unknown = names.filter(name => !all.some(plugin => plugin.name === name));
  if (unknown.length > 0) throw new CliError(`{:plugins_not_found, [${unknown.map(name => `:${name}`).join(', ')}]}`, exitCodes.software);
  for (const name of names) {
    const plugin = all.find(item => item.name === name) as PluginState;
    if (isOn && !plugin.isRunning) throw new CliError(`${name}: ${plugin.note}`, exitCodes.unavailable);
    if (!isOn && plugin.isRunning && Object.hasOwn(builtIn, name)) context.out.say(`${name} stays: ${plugin.note}`);
    else if (!isOn && plugin.isRunning) throw new CliError(`${name}: take its listeners out of the configuration, and restart`);
  }
  context.out.say('Plugin configuration unchanged.');
}

/** As the broker finds it. [RABBITMQ_ENABLED_PLUGINS_FILE] */
function enabledPluginsFile(): string {
  return process.env['RABBITMQ_ENABLED_PLUGINS_FILE'] || '/etc/rabbitmq/enabled_plugins';
}

/** The names in the file; comments are not. */
function namesIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8').replace(/%.*$/gm, '');
  return Array.from(text.matchAll(/[a-z][a-z0-9_]*/g), ([name]) => name);
}

/** Writes the file of enabled plugins, for the next start: what Dockerfiles and start scripts do. */
async function switchOffline({ out, args, options }: CommandContext, verb: 'enable' | 'disable' | 'set'): Promise<void> {
  const file = enabledPluginsFile();
  const known = [...Object.keys(builtIn), ...Object.keys(protocols), ...absent];
  const unknown = args.filter(name => !known.includes(name));
  if (unknown.length > 0) throw new CliError(`{:plugins_not_found, [${unknown.map(name => `:${name}`).join(', ')}]}`, exitCodes.software);
  const names = options.has('all') ? [...Object.keys(builtIn), ...Object.keys(protocols)] : args;
  try {
    const before = namesIn(file);
    const after = verb === 'set' ? names : verb === 'enable' ? [...before, ...names] : before.filter(name => !names.includes(name));
    const list = [...new Set(after)].sort();
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `[${list.join(',')}].\n`);
    out.say(`${verb === 'disable' ? 'Disabling' : 'Enabling'} plugins:\n${names.join('\n')}`);
    out.say(`The following plugins have been configured:\n${list.map(name => `  ${name}`).join('\n')}`);
    out.done('Offline change; changes will take effect at broker restart.');
  } catch (error) {
    throw new CliError(`Could not update enabled plugins file at ${file}: ${error instanceof Error ? error.message : ''}`, exitCodes.data);
  }
  await Promise.resolve();
}

export const plugins: readonly Command[] = [
  define(
    'list [<pattern>] [--verbose|-v] [--minimal|-m] [--enabled|-e] [--implicitly-enabled|-E]',
    [0, 1],
    'Lists plugins of RabbitMQ and whether what they do is there.',
    ['list', 'list -e -m', 'list mqtt'],
    async context => {
      const { out, args, options } = context;
      const [pattern = '.*'] = args;
      let matches: RegExp;
      try {
        matches = new RegExp(pattern.slice(0, 200));
      } catch {
        throw new CliError(`pattern ${pattern} is no regular expression`, exitCodes.usage);
      }
      const node = await context.node();
      const version = String((await context.api.object('/overview?columns=rabbitmq_version'))['rabbitmq_version']);
      const onlyRunning = options.has('enabled') || options.has('implicitly-enabled');
      const found = (await states(context)).filter(plugin => matches.test(plugin.name) && (plugin.isRunning || !onlyRunning));
      out.say(`Listing plugins with pattern "${pattern}" ...`);
      if (options.has('minimal')) return out.write(found.map(({ name }) => name).join('\n'));
      if (!out.isJson) {
        out.say(' Configured: E = explicitly enabled; e = implicitly enabled');
        out.say(` | Status: * = running on ${node}`);
        out.say(' |/');
      }
      const width = Math.max(0, ...found.map(({ name }) => name.length));
      out.facts(
        {
          format: 'normal',
          plugins: found.map(({ name, isRunning, note }) => ({
            name,
            enabled: isRunning ? 'enabled' : 'not_enabled',
            running: isRunning,
            version,
            note,
          })),
        },
        () =>
          found.map(
            ({ name, isRunning, note }) =>
              `[${isRunning ? 'E*' : '  '}] ${name.padEnd(width)} ${version}${options.has('verbose') ? `\n     ${note}` : ''}`,
          ),
      );
    },
    {
      options: ['verbose', 'minimal', 'enabled', 'implicitly-enabled'],
      shorts: { v: 'verbose', m: 'minimal', e: 'enabled', E: 'implicitly-enabled' },
    },
  ),
  define(
    'enable <plugin> ... [--all] [--offline] [--online]',
    [0, Infinity],
    'Says whether what a plugin does is there: most of it is built in and on. With --offline the name goes into the file enabled_plugins, which opens the listener of a protocol at the next start.',
    ['enable rabbitmq_management', 'enable --offline rabbitmq_mqtt'],
    context => (context.options.has('offline') ? switchOffline(context, 'enable') : switchPlugins(context, true, context.args)),
    { options: ['all', 'offline', 'online'] },
  ),
  define(
    'disable <plugin> ... [--all] [--offline] [--online]',
    [0, Infinity],
    'Says what there is to do: what is built in stays.',
    ['disable rabbitmq_management'],
    context => (context.options.has('offline') ? switchOffline(context, 'disable') : switchPlugins(context, false, context.args)),
    { options: ['all', 'offline', 'online'] },
  ),
  define(
    'set [<plugin> ...] [--offline] [--online]',
    [0, Infinity],
    'Does the same as enable: nothing that is built in is switched off.',
    ['set rabbitmq_management rabbitmq_prometheus'],
    context => (context.options.has('offline') ? switchOffline(context, 'set') : switchPlugins(context, true, context.args)),
    { options: ['offline', 'online'] },
  ),
  define(
    'is_enabled <plugin> ... [--offline] [--online]',
    [1, Infinity],
    'Health check that exits with a non-zero code if what a plugin does is not there.',
    ['is_enabled rabbitmq_management'],
    async context => {
      const { args, out } = context;
      const node = await context.node();
      const noun = args.length === 1 ? `plugin ${args[0]} is` : `plugins ${args.join(', ')} are`;
      out.say(`Asking node ${node} if ${noun} enabled...`);
      const running = (await states(context)).filter(({ isRunning }) => isRunning).map(({ name }) => name);
      const off = args.filter(name => !running.includes(name));
      const words = (names: readonly string[]): string =>
        names.length === 1 ? `Plugin ${names[0]} is` : `Plugins ${names.join(', ')} are`;
      if (off.length > 0)
        throw new CliError(`${words(off)} not enabled on node ${node}. Enabled plugins and dependencies: ${running.join(', ')}`);
      out.done(`${words(args)} enabled on node ${node}`);
    },
    { options: ['offline', 'online'] },
  ),
  define(
    'directories [--offline] [--online]',
    [0, 0],
    'Says where plugins are: none are loaded from files.',
    ['directories'],
    async context => {
      context.out.say(`Listing plugin directories used by node ${await context.node()}`);
      context.out.write(
        'Plugins are built in. Enabled plugins file: RABBITMQ_ENABLED_PLUGINS_FILE, /etc/rabbitmq/enabled_plugins by default',
      );
    },
    { options: ['offline', 'online'] },
  ),
];
