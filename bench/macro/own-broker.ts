// A broker of the benchmark's own: a process with its data in the system's temporary directory.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFlameGraph } from './flame-graph.ts';

/** Whom the load goes to. */
export interface Broker {
  readonly name: string;
  readonly port: number;
  readonly pid: number | null;
}

export interface OwnBroker extends Broker {
  /** Of its HTTP API. */
  readonly httpPort: number;
  /** Ends it; its profile, if there is to be one, is there afterwards. */
  stop(): Promise<void>;
}

export interface OwnBrokerOptions {
  readonly name?: string;
  /** Keeps a processor profile and a flame graph of its life under this path, with .cpuprofile and .svg behind it. */
  readonly profile?: string;
  /** Further lines of its configuration. */
  readonly configuration?: readonly string[];
  readonly nodeOptions?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the broker of the checkout at `root` with everything switched on. @throws Error when it does not answer */
export async function startOwn(root: string, options: OwnBrokerOptions = {}): Promise<OwnBroker> {
  const { name = 'WarrenMQ', profile, configuration = [], nodeOptions = [], environment = {} } = options;
  const directory = mkdtempSync(join(tmpdir(), 'warren-bench-'));
  const [port, management, prometheus] = [await freePort(), await freePort(), await freePort()];
  const config = join(directory, 'warren.conf');
  writeFileSync(
    config,
    `listeners.tcp.default = 127.0.0.1:${port}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${management}\nprometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = ${prometheus}\nlog.console.level = error\n${configuration.join('\n')}\n`,
  );
  const profiling = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', directory];
  const child = spawn(
    process.execPath,
    [...profiling, ...nodeOptions, join(root, 'bin', 'warren'), '--config', config, '--data-dir', join(directory, 'data')],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } },
  );
  // It must not outlive us, however we end.
  process.on('exit', () => child.kill('SIGKILL'));
  const isClosed = new Promise<void>(resolve => child.on('close', () => resolve()));
  await answers(child, port);
  return {
    name,
    port,
    httpPort: management,
    pid: child.pid ?? null,
    async stop() {
      child.kill(profile === undefined ? 'SIGKILL' : 'SIGTERM');
      await isClosed;
      if (profile !== undefined) {
        const found = readdirSync(directory).find(file => file.endsWith('.cpuprofile'));
        if (found !== undefined) writeFlameGraph(join(directory, found), profile);
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A checkout of another commit, with the dependencies of this one. */
export function checkOut(root: string, commit: string): { readonly root: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'warren-commit-'));
  execFileSync('git', ['-C', root, 'worktree', 'add', '--quiet', '--detach', '--force', directory, commit]);
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  return {
    root: directory,
    remove: () => void execFileSync('git', ['-C', root, 'worktree', 'remove', '--force', directory]),
  };
}

/** Processor seconds that a broker has used; null where there is no /proc, or its process is not known. [Linux: proc_pid_stat(5)] */
export function processorOf(broker: Broker): number | null {
  if (broker.pid === null) return null;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${broker.pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksPerSecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) break;
    const isUp = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isUp) return;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error('the broker does not answer');
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
