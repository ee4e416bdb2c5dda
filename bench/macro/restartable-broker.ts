import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** A broker as users start it, in a process and with a directory of its own, that can be killed and started again. */
export class RestartableBroker {
  readonly #home = mkdtempSync(join(tmpdir(), 'warren-bench-'));
  readonly #config: string;
  readonly port: number;
  #child: ChildProcess | null = null;

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = join(this.#home, 'warren.conf');
    writeFileSync(this.#config, config);
  }

  /** Starts one. `config` is added to what it is told of ports. */
  static async start(config = ''): Promise<RestartableBroker> {
    const [port, management, prometheus] = [await freePort(), await freePort(), await freePort()];
    const ports = `listeners.tcp.default = 127.0.0.1:${port}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${management}\nprometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = ${prometheus}\n`;
    const broker = new RestartableBroker(port, `${ports}log.console.level = error\n${config}`);
    await broker.start();
    return broker;
  }

  /** Starts the process; resolves with the milliseconds until it accepted a connection. */
  async start(): Promise<number> {
    const began = performance.now();
    this.#child = spawn(process.execPath, [join(root, 'bin', 'warren'), '--config', this.#config, '--data-dir', this.directory], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    while (!(await this.#accepts())) {
      if (performance.now() - began > 120_000) throw new Error('the broker does not start');
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    return performance.now() - began;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get directory(): string {
    return join(this.#home, 'data');
  }

  /** Resident memory now and its peak, in MiB. */
  memory(): { now: number; peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const read = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024);
    return { now: read('VmRSS'), peak: read('VmHWM') };
  }

  /** Bytes that the journal's files take on disk, and what they are when nothing is in it: a segment, two for the next ones, the reserve. */
  disk(): { now: number; empty: number } {
    const journal = join(this.directory, 'journal');
    let now = 0;
    for (const name of readdirSync(journal)) now += (statSync(join(journal, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    return { now, empty: (3 * 64 + 9) * 1024 * 1024 };
  }

  /** Ends the process; SIGTERM is a clean stop. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child as ChildProcess;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Ends the process and removes what it left. */
  async remove(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL');
    rmSync(this.#home, { recursive: true, force: true });
  }

  #accepts(): Promise<boolean> {
    return new Promise<boolean>(resolve => {
      const socket = net.connect(this.port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  }
}
