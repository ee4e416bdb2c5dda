import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { getCiphers } from 'node:tls';
import { CliError } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';
import { statusLines, readStatus } from './status.ts';

const define = commandsOf('Configuration and Environment', ['rabbitmqctl', 'rabbitmq-diagnostics']);
const diagnostics = commandsOf('Configuration and Environment', ['rabbitmq-diagnostics']);

async function environmentOf({ api }: CommandContext): Promise<{ node: string; settings: Record<string, unknown> }> {
  const [node] = await api.list('/nodes?columns=name');
  const name = String(node?.['name']);
  return { node: name, settings: await api.object(`/nodes/${segment(name)}/environment`) };
}

/** A line for each setting, by its path. */
function settingLines(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${path} = ${value === null ? '-' : String(value)}`];
  const entries = Object.entries(value);
  if (entries.length === 0) return [`${path} = []`];
  return entries.flatMap(([name, item]) => settingLines(item, path === '' ? name : `${path}.${name}`));
}

/** Commands whose answers make a report, with their arguments. */
const reported: readonly (readonly string[])[] = [
  ['cluster_status'],
  ['environment'],
  ['list_connections', 'pid', 'name', 'port', 'peer_port', 'host', 'peer_host', 'state', 'user', 'vhost', 'protocol', 'channels'],
  ['list_channels', 'name', 'user', 'vhost', 'consumer_count', 'prefetch_count', 'messages_unacknowledged'],
  ['list_feature_flags'],
  ['list_log_levels'],
];
const reportedOfVhost: readonly (readonly string[])[] = [
  ['list_queues', 'name', 'type', 'durable', 'policy', 'messages_ready', 'messages_unacknowledged', 'consumers', 'state'],
  ['list_exchanges', 'name', 'type', 'durable', 'policy'],
  ['list_bindings'],
  ['list_permissions'],
  ['list_policies'],
];

export const environment: readonly Command[] = [
  define(
    'environment',
    [0, 0],
    'Displays the configuration in effect: every setting with its value, secrets as ***.',
    ['environment', 'environment --formatter json | jq .limits'],
    async context => {
      const { node, settings } = await environmentOf(context);
      context.out.say(`Application environment of node ${node} ...`);
      context.out.facts(settings, () => settingLines(settings, ''));
    },
  ),
  define(
    'report',
    [0, 0],
    'Generates a server status report: what support asks for, without passwords and message contents.',
    ['report > report.txt'],
    async context => {
      const found = await readStatus(context);
      context.out.write(`Reporting server status of node ${String(found.node['name'])} ...\n`);
      context.out.write(`Status of node ${String(found.node['name'])} ...\n${statusLines(found, 'gb').join('\n')}\n`);
      const { findCommand } = await import('./registry.ts');
      const run = async ([name = '', ...args]: readonly string[], vhost: string): Promise<void> => {
        await findCommand('warrenctl', name)?.run({ ...context, args, vhost });
        context.out.write('');
      };
      for (const line of reported) await run(line, '/');
      for (const { name } of await context.api.list('/vhosts?columns=name')) {
        for (const line of reportedOfVhost) await run(line, String(name));
      }
    },
  ),
  diagnostics('os_env', [0, 0], 'Lists environment variables of this shell that the broker would read.', ['os_env'], async context => {
    await context.api.get('/whoami');
    context.out.say('Listing RabbitMQ-specific environment variables of this shell...');
    const names = Object.keys(process.env).filter(name => /^(?:RABBITMQ|WARREN)_/.test(name));
    const isSecret = (name: string): boolean => /PASS|SECRET|COOKIE/.test(name);
    context.out.write(
      names
        .sort()
        .map(name => `${name}=${isSecret(name) ? '***' : process.env[name]}`)
        .join('\n'),
    );
  }),
  diagnostics(
    'command_line_arguments',
    [0, 0],
    "Displays the configuration in effect, which the broker's command line is part of.",
    ['command_line_arguments'],
    async context => {
      const { node, settings } = await environmentOf(context);
      context.out.say(`Command line arguments of node ${node} are part of its configuration ...`);
      context.out.facts(settings, () => settingLines(settings, ''));
    },
  ),
  diagnostics(
    'list_network_interfaces [--offload]',
    [0, 0],
    'Lists network interfaces of this machine.',
    ['list_network_interfaces'],
    async context => {
      context.out.say('Listing network interfaces of this machine ...');
      const rows = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
        addresses.map(({ address, netmask, family, mac, internal }) => [name, address, netmask, family, mac, internal]),
      );
      context.out.list({ columns: ['interface', 'address', 'netmask', 'family', 'mac', 'internal'], rows });
      await Promise.resolve();
    },
    { options: ['offload'] },
  ),
  diagnostics(
    'resolve_hostname <hostname> [--ipv6]',
    [1, 1],
    'Resolves a hostname to a set of addresses, as this machine does.',
    ['resolve_hostname localhost'],
    async ({ out, args, options }) => {
      const [name = ''] = args;
      const family = options.has('ipv6') ? 6 : 4;
      out.say(`Asking this machine to resolve hostname ${name} to IPv${family} addresses...`);
      try {
        const found = await lookup(name, { family, all: true });
        out.write(found.map(({ address }) => address).join('\n'));
      } catch (error) {
        throw new CliError(`Error: could not resolve ${name}: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
      }
    },
    { options: ['ipv6'] },
  ),
  diagnostics(
    'cipher_suites [--format <format>] [--all]',
    [0, 0],
    'Lists cipher suites of TLS that can be configured, by their OpenSSL names.',
    ['cipher_suites'],
    async ({ out }) => {
      out.say('Listing available cipher suites in OpenSSL format');
      out.write(
        getCiphers()
          .map(name => name.toUpperCase().replace(/^TLS_/, 'TLS_'))
          .join('\n'),
      );
      await Promise.resolve();
    },
    { options: ['format', 'all'] },
  ),
  diagnostics('tls_versions', [0, 0], 'Lists TLS versions that the broker supports.', ['tls_versions'], async ({ out }) => {
    out.say('Listing all TLS versions supported by the runtime...');
    out.write('tlsv1.3\ntlsv1.2');
    await Promise.resolve();
  }),
  diagnostics('certificates', [0, 0], 'Displays when the certificates of TLS listeners end.', ['certificates'], async context => {
    const { settings } = await environmentOf(context);
    context.out.say(`Certificates of node ${await context.node()} ...`);
    const lines = settingLines(settings, '').filter(line => /(?:cert|ca|key)File = (?!-)/.test(line));
    context.out.write(lines.length === 0 ? 'No TLS listener is configured' : lines.join('\n'));
  }),
  diagnostics(
    'list_node_auth_attempt_stats',
    [0, 0],
    'Lists authentication attempts by protocol.',
    ['list_node_auth_attempt_stats'],
    async context => {
      const node = await context.node();
      context.out.say(`Listing authentication attempts for node "${node}" ...`);
      const [facts] = await context.api.list('/nodes?columns=name');
      const list = await context.api.list(`/auth/attempts/${segment(String(facts?.['name']))}`);
      const columns = ['protocol', 'auth_attempts', 'auth_attempts_failed', 'auth_attempts_succeeded'];
      context.out.list({ columns, rows: list.map(item => columns.map(name => item[name])) });
    },
    { tools: ['rabbitmqctl', 'rabbitmq-diagnostics'] },
  ),
  diagnostics(
    'reset_node_auth_attempt_metrics',
    [0, 0],
    'Sets the counts of logins over HTTP to zero.',
    ['reset_node_auth_attempt_metrics'],
    async context => {
      context.out.say(`Reset auth attempt metrics on node ${await context.node()} ...`);
      const [facts] = await context.api.list('/nodes?columns=name');
      await context.api.delete(`/auth/attempts/${segment(String(facts?.['name']))}`);
    },
  ),
];
