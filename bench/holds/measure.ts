import { existsSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** The longest stretch, in milliseconds of processor time, that a broker's thread worked at one thing since it was last asked. The broker has loaded ../fairness/probe.ts. */
export async function longestHoldMillis(pid: number, probeFile: string): Promise<number> {
  rmSync(probeFile, { force: true });
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(probeFile)) await pause(5);
  return (JSON.parse(readFileSync(probeFile, 'utf8')) as { longestMicros: number }).longestMicros / 1000;
}

/** Calls the HTTP API; rejects when it says no. Resolves with how many bytes it answered. */
export function api(port: number, method: string, path: string, body?: unknown): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`, 'content-type': 'application/json' };
  const call = http.request({ port, path, method, headers, host: '127.0.0.1' }, response => {
    let bytes = 0;
    let text = '';
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (text.length < 500) text += chunk.toString();
    });
    response.on('end', () =>
      Number(response.statusCode) < 300 ? resolve(bytes) : reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`)),
    );
  });
  call.on('error', reject);
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
