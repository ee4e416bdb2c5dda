// Which broker the conformance runs talk to:
//   BROKER_URL=amqp://...   a broker that runs already (BROKER_HTTP_URL: its HTTP API); it is never stopped, so checks that restart it are skipped
//   BROKER=rabbitmq         Debian's RabbitMQ, started for the suite: the oracle that proves the suites themselves
//   otherwise               WarrenMQ from this checkout, started for the suite
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { BrokerProcess } from './broker-process.ts';
import { launchRabbitmq } from './launch-rabbitmq.ts';
import { launchWarren } from './launch-warren.ts';
import { freePorts } from './ports.ts';

export interface BrokerUnderTest {
  readonly product: string;
  readonly url: string;
  /** The HTTP API's root, or null when there is none to test. */
  readonly httpUrl: string | null;
  /** Where Prometheus scrapes, or null when there is no such place to test. */
  readonly metricsUrl: string | null;
  readonly port: number;
  /** What client programs find in their environment: BROKER_URL, and BROKER_HTTP_URL when there is an HTTP API. */
  readonly env: Record<string, string>;
  /** The process to stop and start again, or null when the broker is not ours to stop. */
  readonly process: BrokerProcess | null;
  /** Ends the broker if it was started here, and removes its files. Throws when the broker was not healthy. */
  close(): Promise<void>;
}

export interface BrokerOptions {
  /** Further lines of the configuration file, in rabbitmq.conf's format. */
  readonly config?: readonly string[];
  /** Further plugins of RabbitMQ's, as the oracle. */
  readonly plugins?: readonly string[];
  /** false leaves a broker of ours stopped until `process.start()`. */
  readonly isStarted?: boolean;
}

/**
 * The broker to test, ready to be used.
 * @throws Error with the end of the broker's output when it does not come up
 */
export async function brokerUnderTest(options: BrokerOptions = {}): Promise<BrokerUnderTest> {
  const given = process.env.BROKER_URL;
  return given ? external(given, process.env.BROKER_HTTP_URL ?? null) : own(options);
}

/** The broker to test, ended when the test `t` has ended. */
export async function brokerFor(t: TestContext, options: BrokerOptions = {}): Promise<BrokerUnderTest> {
  const broker = await brokerUnderTest(options);
  t.after(() => broker.close());
  return broker;
}

/** Why a suite that must configure, stop or restart its broker cannot be run, or null. */
export function reasonBrokerIsFixed(): string | null {
  return process.env.BROKER_URL ? 'the broker at BROKER_URL is not ours to configure, stop or restart' : null;
}

function external(url: string, httpUrl: string | null): BrokerUnderTest {
  return {
    product: `the broker at ${new URL(url).host}`,
    url,
    httpUrl,
    metricsUrl: null,
    port: Number(new URL(url).port || 5672),
    env: environment(url, httpUrl),
    process: null,
    close: async () => {},
  };
}

async function own(options: BrokerOptions): Promise<BrokerUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-conformance-'));
  const [port = 0, httpPort = 0, metricsPort = 0, distributionPort = 0] = await freePorts(4);
  const configFile = join(directory, 'rabbitmq.conf');
  const listeners = [`listeners.tcp.default = 127.0.0.1:${port}`];
  // prometheus.tcp.* is unknown to a RabbitMQ whose plugin is not enabled, and fatal there
  const ports = [`management.tcp.ip = 127.0.0.1`, `management.tcp.port = ${httpPort}`];
  const isOracle = process.env.BROKER === 'rabbitmq';
  if (!isOracle) ports.push('prometheus.tcp.ip = 127.0.0.1', `prometheus.tcp.port = ${metricsPort}`);
  writeFileSync(configFile, `${[...listeners, ...ports, ...(options.config ?? [])].join('\n')}\n`);
  const data = join(directory, 'data');
  mkdirSync(data);
  const launch = isOracle ? launchRabbitmq(configFile, directory, port, distributionPort, options.plugins) : launchWarren(configFile, data);
  const broker = new BrokerProcess(launch, port, directory);
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  if (options.isStarted !== false) {
    try {
      await broker.start();
    } catch (error) {
      remove();
      throw error;
    }
  }
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const httpUrl = `http://guest:guest@127.0.0.1:${httpPort}`;
  return {
    product: launch.product,
    url,
    httpUrl,
    metricsUrl: isOracle ? null : `http://127.0.0.1:${metricsPort}`,
    port,
    env: environment(url, httpUrl),
    process: broker,
    close: async () => {
      try {
        broker.assertHealthy();
      } finally {
        await broker.stop();
        remove();
      }
    },
  };
}

function environment(url: string, httpUrl: string | null): Record<string, string> {
  return httpUrl ? { BROKER_URL: url, BROKER_HTTP_URL: httpUrl } : { BROKER_URL: url };
}
