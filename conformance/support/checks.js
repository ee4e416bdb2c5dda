// Named checks, reported as TAP lines (see tap.ts). Used by every npm client's programs.
//   check('a queue can be declared', async () => { ... });
//   await main();
// An argument on the command line runs only the checks whose name contains it.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual, inspect } from 'node:util';

/** Where the broker is. */
export const brokerUrl = process.env.BROKER_URL ?? 'amqp://guest:guest@127.0.0.1:5672';

const checkMillisMax = 30_000;
const checks = [];

/** Thrown by a check that cannot be made here; its text is the reason. */
export class Skip extends Error {}

/**
 * @param {string} name
 * @param {() => Promise<void> | void} action
 */
export function check(name, action) {
  checks.push({ name, action });
}

/** A name that no other run uses, so that runs can share a broker. */
export function unique(label) {
  return `conformance.${label}.${randomBytes(6).toString('hex')}`;
}

/** Deep equality, told in one line so that it fits a TAP diagnosis. */
export function equal(actual, expected, what = 'value') {
  const show = value => inspect(value, { breakLength: Infinity, depth: 6, maxArrayLength: 20 });
  if (!isDeepStrictEqual(actual, expected)) throw new Error(`${what} is ${show(actual)}, expected ${show(expected)}`);
}

export function assert(condition, what) {
  if (!condition) throw new Error(what);
}

/** Polls until the condition gives something true, which is returned. */
export async function eventually(condition, what = 'the condition', millisMax = 10_000) {
  const deadline = Date.now() + millisMax;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${millisMax / 1000} s for ${what}`);
    await delay(10);
  }
}

/** The error with which the action fails. */
export async function errorOf(action) {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('there was no error');
}

/** The first occurrence of an event, as the list of its arguments. */
export function once(emitter, event) {
  return new Promise(resolve => emitter.once(event, (...args) => resolve(args)));
}

async function runOne({ action }) {
  let onRejection = () => {};
  const stray = new Promise((_resolve, reject) => {
    onRejection = error => reject(error);
    process.once('unhandledRejection', onRejection);
    process.once('uncaughtException', onRejection);
  });
  const timer = new AbortController();
  const late = delay(checkMillisMax, null, { signal: timer.signal }).then(
    () => {
      throw new Error(`the check had not ended after ${checkMillisMax / 1000} s`);
    },
    () => {},
  );
  try {
    await Promise.race([action(), stray, late.then(() => new Promise(() => {}))]);
  } finally {
    timer.abort();
    process.removeListener('unhandledRejection', onRejection);
    process.removeListener('uncaughtException', onRejection);
  }
}

export async function main() {
  const wanted = process.argv[2] ?? '';
  const selected = checks.filter(({ name }) => name.includes(wanted));
  console.log(`1..${selected.length}`);
  let failed = 0;
  for (const [index, one] of selected.entries()) {
    console.log(`# begin ${one.name}`);
    try {
      await runOne(one);
      console.log(`ok ${index + 1} - ${one.name}`);
    } catch (error) {
      if (error instanceof Skip) {
        console.log(`ok ${index + 1} - ${one.name} # SKIP ${error.message}`);
        continue;
      }
      failed += 1;
      console.log(`not ok ${index + 1} - ${one.name}`);
      for (const line of String(error?.stack ?? inspect(error)).split('\n')) console.log(`# ${line}`);
    }
  }
  // A client's sockets and timers must not keep a finished run alive.
  process.exit(failed === 0 ? 0 : 1);
}
