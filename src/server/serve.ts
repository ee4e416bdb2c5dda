import { rmSync } from 'node:fs';
import { version } from '../base/version.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Management } from '../management/management.ts';
import { Broker } from './broker.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { certificateWarnings } from './certificate-warnings.ts';
import { brokerOptions } from './config-to-settings.ts';
import { writePid } from './data-dir.ts';
import { readDefinitions } from './definitions-files.ts';
import { foreignDataWarning } from './foreign-data.ts';
import { createLogger } from './logging/create-logger.ts';
import type { ServerLogger } from './logging/server-logger.ts';
import { readPlatform } from './machine.ts';
import { machineMemory } from './memory-monitor.ts';
import { startManagement } from './management.ts';
import { ServerControl } from './server-control.ts';
import { listDirectory, readText } from './read-files.ts';
import { onSignals } from './signals.ts';
import { startTelemetry } from './telemetry.ts';
import { exitCodeOf, exitInternal, explain } from './start-error.ts';

/** How long an orderly end may take before the process ends all the same. */
const stopMillisMax = 9000;
const tidyDelayMillis = 1000;

/** Runs a broker until a signal ends it. @throws ConfigError; every other failure is told and ends the process */
export async function serve(argv: readonly string[]): Promise<void> {
  // What the broker writes is nobody else's business.
  process.umask(0o077);
  const inputs = { argv, env: process.env, readFile: readText, listDirectory, platform: readPlatform() };
  const { config, warnings } = loadConfig(inputs);
  let logger: ServerLogger;
  try {
    logger = createLogger(withConsoleApart(config).log);
  } catch (error) {
    process.stderr.write(`warren: the log file cannot be opened: ${explain(error)}\n`);
    process.exit(exitCodeOf(error));
  }
  await new Server(config, logger).run(warnings);
}

/** Standard output belongs to the URL that was asked for. */
function withConsoleApart(config: Config): Config {
  const { console } = config.log;
  if (!config.printUrl || console === null) return config;
  return { ...config, log: { ...config.log, console: { ...console, stream: 'stderr' } } };
}

/** RabbitMQ's words for what listens, by the names of protocols. */
const httpNames: ReadonlyMap<string, string> = new Map([
  ['http', 'Management plugin: HTTP (non-TLS)'],
  ['https', 'Management plugin: HTTPS'],
  ['http/prometheus', 'Prometheus metrics: HTTP (non-TLS)'],
  ['https/prometheus', 'Prometheus metrics: HTTPS'],
]);

/** The process: its broker, its signals, its end. */
class Server {
  readonly #config: Config;
  readonly #logger: ServerLogger;
  #broker: Broker | null = null;
  #management: Management | null = null;
  #telemetry: Telemetry | null = null;
  #stopWatching: () => void = () => {};
  /** Resolves when the start is over, however it went. */
  readonly #started = Promise.withResolvers<void>();

  constructor(config: Config, logger: ServerLogger) {
    this.#config = config;
    this.#logger = logger;
  }

  async run(warnings: readonly string[]): Promise<void> {
    // Whoever reads our output may leave: a pipe's reader, a terminal.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    process.on('uncaughtException', error => this.#fail('an error that nothing expected', error));
    process.on('unhandledRejection', error => this.#fail('an error that nothing expected', error));
    const logger = this.#logger;
    onSignals({
      stop: signal => void this.#stop(signal),
      stopNow: signal => this.#stopNow(signal),
      reload: () => void this.#reload(),
      ignore: signal => logger.warning('default', `${signal} means nothing here: SIGHUP opens log files anew and reads certificates`),
    });
    logger.info('default', `Starting WarrenMQ ${version} on Node.js ${process.version}, process ${process.pid}`);
    for (const warning of warnings) logger.warning('default', warning);
    try {
      await this.#start();
    } catch (error) {
      await this.#giveUp(error);
    }
    this.#started.resolve();
  }

  async #start(): Promise<void> {
    const config = this.#config;
    const logger = this.#logger;
    const foreign = config.dataDir === null ? null : foreignDataWarning(config.dataDir);
    if (foreign !== null) logger.warning('default', foreign);
    const definitions = [...readDefinitions(config.definitions.path), ...readDefinitions(config.watchDefinitions)];
    if (config.definitions.path !== null) logger.info('default', `Applying definitions from '${config.definitions.path}'`);
    this.#broker = await Broker.start({
      ...brokerOptions(config),
      definitions,
      logger,
      onFatal: error => this.#fail('the data directory failed', error),
    });
    this.#telemetry = await startTelemetry(this.#broker, config.telemetry, logger);
    if (config.pidFile !== null) writePid(config.pidFile);
    if (config.seed !== null) {
      const { seed } = await import('./seed.ts');
      const count = await seed(this.#broker.core, config.seed);
      logger.info(
        'default',
        count === null ? `There are queues: '${config.seed}' is not loaded` : `Loaded ${count} messages from '${config.seed}'`,
      );
    }
    if (config.watchDefinitions !== null) {
      const { watchDefinitions } = await import('./watch-definitions.ts');
      this.#stopWatching = watchDefinitions(this.#broker.core, config.watchDefinitions);
    }
    for (const listener of this.#broker.listeners) {
      const { tls, host, socketPath, protocol, webSocket } = listener.options;
      const where = host === null && socketPath === null ? `[::]:${listener.port}` : listener.where;
      const what = `${protocol === 'amqp' ? '' : `${protocol.toUpperCase()} `}${webSocket === null ? '' : 'WebSocket '}`;
      logger.info('default', `started ${what}${tls === null ? 'TCP' : 'TLS (SSL)'} listener on ${where}`);
    }
    this.#management = await startManagement(this.#broker, config, logger, new ServerControl(this.#broker, config, logger));
    for (const { protocol, port } of this.#management?.listeners() ?? []) {
      const name = httpNames.get(protocol);
      if (name !== undefined) logger.info('default', `${name} listener started on port ${port}`);
      if (protocol === 'http') logger.info('default', `Web UI: http://localhost:${port}/`);
    }
    this.#warnOfCertificates();
    const pluginCount = [config.management, config.prometheus].filter(plugin => plugin.listeners.length > 0).length;
    setTimeout(() => this.#tidy(), tidyDelayMillis).unref();
    logger.info('default', `Server startup complete; ${pluginCount} plugins started.`);
    if (config.printUrl) process.stdout.write(`${this.#broker.amqpUrl}\n`);
  }

  /** Much of the heap is what only loading and starting needed. It takes tens of milliseconds, so not while somebody waits for the start. */
  #tidy(): void {
    if (this.#broker?.core.connections.size === 0) machineMemory.collectGarbage();
  }

  /** The start failed: one line for whoever started it, the same in the log file. */
  async #giveUp(error: unknown): Promise<never> {
    process.stderr.write(`warren: ${explain(error)}\n`);
    if (this.#config.log.file !== null) this.#logger.error('default', `the broker does not start: ${explain(error)}`);
    await this.#close();
    await this.#logger.close();
    process.exit(exitCodeOf(error));
  }

  async #stop(signal: string): Promise<void> {
    this.#logger.info('default', `${signal} received - shutting down`);
    setTimeout(() => this.#fail('the broker did not stop in time', undefined), stopMillisMax).unref();
    await this.#started.promise;
    await this.#close();
    this.#logger.info('default', 'WarrenMQ has stopped');
    await this.#logger.close();
    process.exit(0);
  }

  #stopNow(signal: string): never {
    this.#logger.lastWords(`a second signal, ${signal}: the broker ends at once`);
    process.exit(1);
  }

  async #close(): Promise<void> {
    this.#stopWatching();
    await this.#management?.stop();
    await this.#broker?.stop();
    await this.#telemetry?.stop();
    if (this.#config.pidFile !== null) rmSync(this.#config.pidFile, { force: true });
  }

  async #reload(): Promise<void> {
    this.#logger.reopen();
    this.#logger.info('default', 'SIGHUP received: log files are open anew, reading certificates');
    try {
      await this.#broker?.reloadCertificates();
      await this.#management?.reloadCertificates();
      this.#warnOfCertificates();
    } catch (error) {
      this.#logger.error('default', `certificates stay as they were: ${explain(error)}`);
    }
  }

  #warnOfCertificates(): void {
    for (const warning of certificateWarnings(this.#management?.listeners() ?? [], Date.now())) this.#logger.warning('default', warning);
  }

  /** Something is broken in a way that nobody knows the end of. Going on might lose or invent messages; a restart recovers. */
  #fail(what: string, error: unknown): never {
    this.#logger.lastWords(`the broker ends: ${what}`, error);
    process.exit(exitInternal);
  }
}
