// The short form of the simulation of a broker on a disk that loses what was not synced; `npm run sim` runs as many seeds as one likes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const seedCount = 500;
const program = join(dirname(fileURLToPath(import.meta.url)), 'durability.ts');

function run(from: number, count: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, '--from', String(from), '--seeds', String(count)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', chunk => (output += String(chunk)));
    child.stderr.on('data', chunk => (output += String(chunk)));
    child.on('close', code => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

test(`nothing that was promised is lost by power cuts, kills and stops, for ${seedCount} seeds`, { timeout: 600_000 }, async () => {
  const processes = Math.min(4, availableParallelism());
  const share = Math.ceil(seedCount / processes);
  const outputs = await Promise.all(Array.from({ length: processes }, (_, index) => run(1 + index * share, share)));
  const sum = (name: string): number =>
    outputs.reduce((total, output) => total + Number(new RegExp(`${name}: (\\d+)`).exec(output)?.[1] ?? 0), 0);
  assert.ok(sum('confirms') > 300 * seedCount, `only ${sum('confirms')} messages were confirmed`);
  assert.ok(sum('indexBlocks') > seedCount, `only ${sum('indexBlocks')} parts of indexes went to disk and came back`);
  assert.ok(sum('duplicates') > 5 * seedCount, `only ${sum('duplicates')} duplicates were sent`);
  assert.ok(sum('delayed') > 10 * seedCount, `only ${sum('delayed')} delayed messages came`);
  assert.ok(sum('starts') > 4 * seedCount && sum('segmentsRemoved') > seedCount, outputs.join('\n'));
});
