// Loaded into every test file by tools/run-tests.ts: a file whose tests are over and which leaves something open would never end. It is told
// what it is, and fails. (--test-timeout is about tests; --test-force-exit would hide it, and cuts reports short.)
import { after } from 'node:test';

const graceMillis = 10_000;

if (process.env.NODE_TEST_CONTEXT !== undefined)
  after(() => {
    const timer = setTimeout(() => {
      console.error(`${process.argv[1]}: its tests are over and these are open: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    }, graceMillis);
    timer.unref();
  });
