import assert from 'node:assert/strict';

/** How much larger the large case is. Work in linear time takes 4 times as long, quadratic work 16 times. */
const sizeRatio = 4;
const ratioMax = 9;
/** What takes no longer than this at full size grows with no power that would matter. */
const insignificantMillis = 50;
const roundsMax = 6;

/**
 * Asserts that the processor time of `work` grows with its size and not with a power of it. Two sizes are measured side by side, each by the
 * best of some rounds: a busy machine makes both slower and so proves nothing against the work. `work` prepares its input and does its task; the
 * preparation counts, and has to be linear too.
 */
export function assertLinear(name: string, size: number, work: (size: number) => void): void {
  let [small, large] = [Infinity, Infinity];
  for (let round = 0; round < roundsMax; round++) {
    small = Math.min(
      small,
      millisOf(() => work(Math.ceil(size / sizeRatio))),
    );
    large = Math.min(
      large,
      millisOf(() => work(size)),
    );
    if (large <= insignificantMillis || large <= small * ratioMax) return;
  }
  assert.fail(`${name}: ${sizeRatio} times as much takes ${(large / small).toFixed(1)} times as long (${large.toFixed(1)} ms)`);
}

function millisOf(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}
