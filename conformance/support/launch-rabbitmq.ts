import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from './broker-process.ts';

const server = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/**
 * Debian's RabbitMQ as the oracle: the same suites are run against it to prove the tests themselves. It gets a node name, ports and
 * directories of its own, so it does not touch a RabbitMQ that may be installed as a service.
 * @throws Error when the package rabbitmq-server is not installed
 */
export function launchRabbitmq(
  configFile: string,
  directory: string,
  port: number,
  distributionPort: number,
  plugins: readonly string[] = [],
): Launch {
  if (!existsSync(server)) throw new Error(`BROKER=rabbitmq needs Debian's package rabbitmq-server (${server} is absent)`);
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const pluginsFile = join(directory, 'enabled_plugins');
  writeFileSync(pluginsFile, `[${['rabbitmq_management', 'rabbitmq_auth_mechanism_ssl', ...plugins].join(', ')}].\n`);
  return {
    product: 'RabbitMQ',
    command: server,
    args: [],
    env: {
      PATH: process.env.PATH,
      LANG: process.env.LANG ?? 'C.UTF-8',
      HOME: home,
      RABBITMQ_NODENAME: `conformance${port}@localhost`,
      RABBITMQ_DIST_PORT: String(distributionPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_MNESIA_BASE: join(directory, 'db'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: pluginsFile,
      RABBITMQ_CONFIG_FILE: configFile,
    },
    readyMillisMax: 60_000,
    isScript: true,
    forbiddenInLog: null,
  };
}
