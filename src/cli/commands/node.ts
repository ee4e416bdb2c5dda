import { CliError, exitCodes } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { cell } from '../formatters/cell.ts';

const group = 'Nodes';
const stopTimeoutMillis = 15_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function bytes(value: unknown): string {
  const number = Number(value);
  if (!Number.isFinite(number)) return '-';
  return number >= 1e9 ? `${(number / 1e9).toFixed(4)} gb` : `${(number / 1e6).toFixed(4)} mb`;
}

async function stop(pid: number | null): Promise<void> {
  if (pid === null || !isAlive(pid)) throw new CliError('no running broker was found in the data directory', exitCodes.unavailable);
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + stopTimeoutMillis;
  while (isAlive(pid)) {
    if (performance.now() > deadline)
      throw new CliError(`the broker with pid ${pid} did not stop within ${stopTimeoutMillis / 1000} seconds`, exitCodes.software);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export const node: readonly Command[] = [
  {
    name: 'status',
    usage: '',
    group,
    description: 'Displays status of the broker.',
    arity: [0, 0],
    async run({ api, out }) {
      const overview = (await api.get('/overview')) as Record<string, unknown>;
      const [facts] = await api.list('/nodes');
      if (facts === undefined) throw new CliError('the broker has no node', exitCodes.software);
      const totals = (overview.object_totals ?? {}) as Record<string, unknown>;
      const listeners = (overview.listeners ?? []) as Record<string, unknown>[];
      if (out.isJson) {
        out.write(JSON.stringify({ ...facts, listeners, totals }));
        return;
      }
      out.say(`Status of node ${String(facts.name)} ...`);
      const alarms = [facts.mem_alarm === true ? 'memory' : '', facts.disk_free_alarm === true ? 'disk' : ''].filter(name => name !== '');
      const lines = [
        'Runtime',
        '',
        `OS PID: ${String(facts.os_pid)}`,
        `Uptime (seconds): ${Math.round(Number(facts.uptime) / 1000)}`,
        `Product: ${cell(overview.product_name ?? 'RabbitMQ')} ${cell(overview.product_version ?? overview.rabbitmq_version)}`,
        `Node name: ${String(facts.name)}`,
        '',
        'Data directory',
        '',
        `Node data directory: ${cell(facts.db_dir ?? '(in memory)')}`,
        '',
        'Config files',
        '',
        ...((facts.config_files ?? []) as string[]).map(file => ` * ${file}`),
        '',
        'Log file(s)',
        '',
        ...((facts.log_files ?? []) as string[]).map(file => ` * ${file}`),
        '',
        'Alarms',
        '',
        alarms.length === 0 ? '(none)' : alarms.map(name => `${name} alarm on node ${String(facts.name)}`).join('\n'),
        '',
        'Memory',
        '',
        `Total memory used: ${bytes(facts.mem_used)}`,
        `Memory high watermark setting: computed to: ${bytes(facts.mem_limit)}`,
        '',
        'File Descriptors',
        '',
        `Total: ${String(facts.fd_used)}, limit: ${String(facts.fd_total)}`,
        `Sockets: ${String(facts.sockets_used)}, limit: ${String(facts.sockets_total)}`,
        '',
        'Free Disk Space',
        '',
        `Low free disk space watermark: ${bytes(facts.disk_free_limit)}`,
        `Free disk space: ${bytes(facts.disk_free)}`,
        '',
        'Totals',
        '',
        `Connection count: ${String(totals.connections)}`,
        `Queue count: ${String(totals.queues)}`,
        `Virtual host count: ${(await api.list('/vhosts')).length}`,
        '',
        'Listeners',
        '',
        ...listeners.map(item => `Interface: ${String(item.ip_address)}, port: ${String(item.port)}, protocol: ${String(item.protocol)}`),
      ];
      out.write(lines.join('\n'));
    },
  },
  {
    name: 'ping',
    usage: '',
    group,
    description: 'Checks that the broker answers.',
    arity: [0, 0],
    async run({ api, out }) {
      await api.get('/whoami');
      out.say('Ping succeeded');
    },
  },
  {
    name: 'await_startup',
    usage: '',
    group,
    description: 'Waits for the broker to start.',
    arity: [0, 0],
    async run({ api, options }) {
      const deadline = performance.now() + Number(options.get('timeout') ?? 300) * 1000;
      for (;;) {
        try {
          await api.get('/whoami');
          return;
        } catch (error) {
          if (performance.now() > deadline) throw error;
          await new Promise(resolve => setTimeout(resolve, 50));
        }
      }
    },
  },
  {
    name: 'stop',
    usage: '[<pidfile>]',
    group,
    description: 'Stops the broker: connections are closed, then the process exits.',
    arity: [0, 1],
    async run({ api, out }) {
      out.say('Stopping and halting node ...');
      await stop(api.pid);
    },
  },
  {
    name: 'shutdown',
    usage: '',
    group,
    description: 'Stops the broker and waits for the process to exit.',
    arity: [0, 0],
    async run({ api, out }) {
      const { pid } = api;
      out.say(`Shutting down RabbitMQ node running at PID ${pid ?? '-'}`);
      await stop(pid);
      out.say('RabbitMQ node exited');
    },
  },
];
