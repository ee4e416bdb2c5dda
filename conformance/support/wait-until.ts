import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls a condition until it holds and returns what it gave.
 * @throws Error naming what was waited for, with the last error of the condition as its cause, after `millisMax`
 */
export async function waitUntil<T>(what: string, condition: () => T | Promise<T>, millisMax = 20_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + millisMax;
  let lastError: unknown = null;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      lastError = null;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${millisMax / 1000} s for: ${what}`, { cause: lastError });
    await delay(25);
  }
}
