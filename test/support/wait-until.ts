import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMillis?: number;
  /** What is waited for, as the error of a timeout says it. */
  readonly message?: string | (() => string);
  readonly intervalMillis?: number;
}

/** Polls until the condition gives something true, and resolves with that. A condition that throws counts as not yet true. Rejects after
 * timeoutMillis (5000) with the message, and with what the condition threw last as the cause. */
export async function waitUntil<T>(condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  const { timeoutMillis = 5000, message = 'the condition', intervalMillis = 5 } = options;
  const deadline = performance.now() + timeoutMillis;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const what = typeof message === 'string' ? message : message();
      throw new Error(`waited ${timeoutMillis} ms in vain for ${what}`, { cause });
    }
    await delay(intervalMillis);
  }
}
