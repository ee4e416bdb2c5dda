// A broker in a process of its own that a test kills.
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const child = join(dirname(dirname(fileURLToPath(import.meta.url))), 'crash', 'child.ts');
const running = new Set<ChildProcess>();

export interface KillableBroker {
  readonly port: number;
  readonly mqttPort: number;
  readonly stompPort: number;
  /** Ends it with SIGKILL, or as told; resolves when it is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export async function startKillable(dataDir: string): Promise<KillableBroker> {
  const broker = spawn(process.execPath, [child, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(broker);
  const ended = new Promise<void>(resolve => broker.on('close', () => resolve()));
  void ended.then(() => running.delete(broker));
  const [port = 0, mqttPort = 0, stompPort = 0] = await new Promise<number[]>((resolve, reject) => {
    broker.stdout?.once('data', chunk =>
      resolve(
        String(chunk)
          .trim()
          .split('\n')
          .map(url => Number(new URL(url).port)),
      ),
    );
    broker.once('close', () => reject(new Error('the broker ended before it was ready')));
  });
  return {
    port,
    mqttPort,
    stompPort,
    kill: (signal = 'SIGKILL') => {
      broker.kill(signal);
      return ended;
    },
  };
}

/** For the end of a test file: nothing is left running. */
export function killAll(): void {
  for (const broker of running) broker.kill('SIGKILL');
}
