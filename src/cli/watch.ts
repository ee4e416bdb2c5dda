import { setTimeout as sleep } from 'node:timers/promises';
import { badArgument } from './cli-error.ts';

const secondsMax = 86_400;

/** Runs a command again and again until Ctrl+C. On a terminal each run takes the place of the one before. */
export async function watch(seconds: string, run: (write: (text: string) => void) => Promise<void>): Promise<never> {
  const pause = Number(seconds);
  if (!(pause >= 0.1 && pause <= secondsMax)) throw badArgument(`--watch wants seconds from 0.1 to ${secondsMax}`);
  process.on('SIGINT', () => process.exit(0));
  process.stdout.on('error', () => process.exit(0));
  for (;;) {
    const parts: string[] = [];
    await run(text => void parts.push(text));
    const text = parts.join('');
    // Written at once, so that nothing flickers: home, the lines with their ends cleared, and what is below.
    if (process.stdout.isTTY) process.stdout.write(`\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`);
    else process.stdout.write(text);
    await sleep(pause * 1000);
  }
}
