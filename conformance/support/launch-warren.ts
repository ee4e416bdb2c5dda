import { dirname, join } from 'node:path';
import type { Launch } from './broker-process.ts';
import { conformanceRoot } from './install.ts';

/** WarrenMQ from this checkout, on the Node that runs the tests. Variables that would configure it are not handed down from the shell. */
export function launchWarren(configFile: string, dataDirectory: string): Launch {
  const launcher = join(dirname(conformanceRoot), 'bin', 'warren');
  return {
    product: 'WarrenMQ',
    command: process.execPath,
    args: [launcher, '--config', configFile, '--data-dir', dataDirectory],
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(RABBITMQ_|WARREN_|NODE_TEST_CONTEXT$)/.test(name))),
    readyMillisMax: 20_000,
    isScript: false,
    forbiddenInLog: /internal error|Uncaught|unhandled rejection|MaxListenersExceededWarning/i,
  };
}
