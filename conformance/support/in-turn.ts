import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What a turn may take. */
export const turnMillisMax = 240_000;

/** Acts while no other process does, for suites that run in several processes. `mark` is a folder that is there meanwhile. */
export async function inTurn<Result>(mark: string, act: () => Result): Promise<Result> {
  const deadline = Date.now() + turnMillisMax;
  while (!takeTurn(mark)) {
    if (Date.now() > deadline) throw new Error(`another run has been at it for ${turnMillisMax / 1000} s; remove ${mark} if there is none`);
    await delay(200);
  }
  try {
    return act();
  } finally {
    rmSync(mark, { recursive: true, force: true });
  }
}

/** Making a directory is atomic, so of several processes exactly one gets the turn. A mark left by a run that was killed does not count. */
function takeTurn(mark: string): boolean {
  if (existsSync(mark) && Date.now() - statSync(mark).mtimeMs > turnMillisMax) rmSync(mark, { recursive: true, force: true });
  try {
    mkdirSync(mark);
    return true;
  } catch {
    return false;
  }
}
