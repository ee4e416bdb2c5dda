import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ports } from './ports.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const startMillisMax = 120_000;

/** A system call at whose n-th entry the process is killed, before the call does anything. */
export interface SyscallFault {
  readonly syscall: string;
  readonly number: number;
}

/** Why calls cannot be made to kill; null when they can. */
export function straceRefusal(): string | null {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (error !== undefined) return `strace cannot be started: ${error.message}`;
  return status === 0 ? null : stderr.trim();
}

/** A broker in a process of its own, to be killed. */
export class Victim {
  readonly child: ChildProcess;
  readonly fault: SyscallFault | null;
  /** Resolves when the process is gone. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Resolves with the ports, or with null when the process ended before it served. */
  readonly started: Promise<Ports | null>;
  output = '';

  constructor(dataDir: string, fault: SyscallFault | null) {
    this.fault = fault;
    const node = [process.execPath, ...programOf(dataDir)];
    const strace =
      fault === null
        ? []
        : [
            ...['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${fault.syscall}`],
            ...['-e', `inject=${fault.syscall}:signal=KILL:when=${fault.number}`],
          ];
    const [command, ...args] = [...strace, ...node] as [string, ...string[]];
    // Counts are per thread: with one thread for files they are exact.
    const env = { ...process.env, UV_THREADPOOL_SIZE: fault === null ? '4' : '1' };
    // A group of its own: a tracer whose process was killed before it had hold of it waits for ever, with the pipes open.
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, detached: true });
    this.child.once('exit', () => this.#endGroup());
    this.exited = new Promise(resolve => this.child.on('close', (code, signal) => resolve({ code, signal })));
    this.started = new Promise(resolve => {
      const see = (chunk: unknown): void => {
        this.output += String(chunk);
        const ports = portsIn(this.output);
        if (ports !== null) resolve(ports);
      };
      this.child.stdout?.on('data', see);
      this.child.stderr?.on('data', see);
      void this.exited.then(() => resolve(null));
      setTimeout(() => resolve(null), startMillisMax).unref();
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }

  #endGroup(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** What a broker says of its ports: the program in its log, the library in a process as URLs. */
function portsIn(output: string): Ports | null {
  const amqp = /^amqp:\/\/.*:(\d+)$/m.exec(output)?.[1];
  const mqtt = /(?:^mqtt:.*|MQTT TCP listener on \S*):(\d+)\s*$/m.exec(output)?.[1];
  const stomp = /(?:^stomp:.*|STOMP TCP listener on \S*):(\d+)\s*$/m.exec(output)?.[1];
  return amqp === undefined || mqtt === undefined || stomp === undefined
    ? null
    : { amqp: Number(amqp), mqtt: Number(mqtt), stomp: Number(stomp) };
}

const configuration = `
management.tcp.ip = 127.0.0.1
log.console.level = info
mqtt.listeners.tcp.1 = 127.0.0.1:0
mqtt.prefetch = 500
stomp.listeners.tcp.1 = 127.0.0.1:0
`;

/** The program as users start it; in a copy of the sources, which has no JavaScript made of them, the library in a process. */
function programOf(dataDir: string): string[] {
  if (process.env.WARREN_CRASH_PROGRAM === 'child') return [join(root, 'test', 'crash', 'child.ts'), dataDir];
  const conf = `${dataDir}.conf`;
  writeFileSync(conf, configuration);
  return [join(root, 'bin', 'warren'), '--data-dir', dataDir, '--port', '0', '--config', conf, '--print-url'];
}
