import { WEB_AMQP, WEB_SOCKETS } from './schema/web-sockets.ts';
import { NODE } from './schema/node.ts';
import { buildAmqp10, buildInterceptors, buildMqtt, buildStomp, buildStream, buildWebSocket } from './build/protocols.ts';
import { buildAmqpListeners, buildProxyProtocolSources } from './build/listeners.ts';
import { buildDisk, buildLimits, buildMemory } from './build/limits.ts';
import { buildLog } from './build/logging.ts';
import { buildManagement, buildPrometheus } from './build/http.ts';
import { buildTelemetry } from './build/telemetry.ts';
import { buildAmqpTls } from './build/tls.ts';
import { buildUsers } from './build/users.ts';
import type { BuildContext, Platform } from './build/context.ts';
import { type CommandLine, parseCommandLine } from './command-line.ts';
import type { Config } from './config.ts';
import { ConfigError, quotable } from './config-error.ts';
import { DEFAULT_CONFIG_FILE, type FileReader, readConfSettings } from './conf-sources.ts';
import { deepFreeze } from './deep-freeze.ts';
import { parseEnabledPlugins } from './enabled-plugins.ts';
import { type Environment, type EnvironmentChoice, readEnvironment } from './environment.ts';
import { Interpolation } from './interpolation.ts';
import { EVENT_EXCHANGE } from './schema/http.ts';
import { KEY_INDEX, KEYS } from './schema.ts';
import { Settings } from './settings.ts';

export type { Platform } from './build/context.ts';
export type { Config } from './config.ts';
export { ConfigError } from './config-error.ts';

/** Everything the configuration depends on. */
export interface ConfigInputs {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** The text of a file; null if there is none that can be read. */
  readonly readFile: (path: string) => string | null;
  /** The names in a directory; null if there is none that can be read. Without it there are no conf.d directories. */
  readonly listDirectory?: (path: string) => readonly string[] | null;
  readonly platform?: Platform;
}

export interface LoadedConfig {
  readonly config: Config;
  /** What the operator should know: keys without effect, surprising values. A line each. */
  readonly warnings: readonly string[];
}

/** What RabbitMQ assumes of a machine it knows nothing about. */
const UNKNOWN_PLATFORM: Platform = { totalMemoryBytes: 1_073_741_824, hostname: 'localhost' };

const ADVANCED_CONFIG_FILE = '/etc/rabbitmq/advanced.config';
const ENABLED_PLUGINS_FILE = '/etc/rabbitmq/enabled_plugins';

/**
 * Makes the configuration of one broker: the command line goes before the environment, the environment before the files, and the files
 * before the defaults. Reads nothing but what `readFile` and `listDirectory` give it.
 * @throws ConfigError with every problem found; its exitCode is 64 for the command line, 78 for anything else
 */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const commandLine = parseCommandLine(inputs.argv);
  const platform = inputs.platform ?? UNKNOWN_PLATFORM;
  const reader: FileReader = { readFile: inputs.readFile, listDirectory: inputs.listDirectory ?? (() => null) };
  const environment = readEnvironment(inputs.env, platform.hostname);
  const conf = readConfSettings(
    { configOption: commandLine.config, configFile: environment.configFile, configFiles: environment.configFiles },
    reader,
  );

  const settings = new Settings(KEY_INDEX, KEYS, new Interpolation(inputs.env, conf.settings));
  settings.problems.addAll(environment.problems);
  settings.problems.addAll(conf.problems.toArray());
  settings.warnings.addAll(environment.warnings);
  settings.warnings.addAll(conf.warnings.toArray());
  settings.addFromFiles(conf.settings);
  settings.addOverrides(environment.settings);
  if (commandLine.dataDir !== null) {
    settings.addOverrides([
      { segments: ['warren', 'data_dir'], name: 'warren.data_dir', value: commandLine.dataDir, origin: { source: '--data-dir', line: 0 } },
    ]);
  }

  const context: BuildContext = {
    settings,
    commandLine,
    environment,
    platform,
    reader,
    nodeName: environment.nodeName,
    dataDir: commandLine.inMemory ? null : settings.value(NODE.dataDir),
    enabledPlugins: readEnabledPlugins(environment, commandLine, reader, settings),
  };
  warnOfAdvancedConfig(context);
  const config = build(context, conf.files);
  if (!settings.problems.isEmpty) throw new ConfigError(settings.problems.toArray());
  return { config: deepFreeze(config), warnings: settings.warnings.toArray() };
}

function build(context: BuildContext, configFiles: readonly string[]): Config {
  const { settings } = context;
  const tls = buildAmqpTls(context);
  const users = buildUsers(context);
  const memory = buildMemory(context);
  return {
    nodeName: context.nodeName,
    clusterName: settings.optional(NODE.clusterName) ?? context.nodeName,
    clusterTags: settings.members(NODE.clusterTags).map(({ name, value }) => ({ name, value })),
    nodeTags: settings.members(NODE.nodeTags).map(({ name, value }) => ({ name, value })),
    product: { name: settings.value(NODE.productName), version: settings.value(NODE.productVersion) },
    dataDir: context.dataDir,
    pidFile: context.environment.pidFile,
    printUrl: context.commandLine.printUrl,
    watchDefinitions: context.commandLine.watchDefinitions,
    seed: context.commandLine.seed,
    configFiles,
    enabledPlugins: context.enabledPlugins,
    listeners: buildAmqpListeners(context, tls),
    tls,
    proxyProtocolSources: buildProxyProtocolSources(context),
    ...users,
    limits: buildLimits(context),
    memory,
    disk: buildDisk(context, memory),
    log: buildLog(context),
    management: buildManagement(context),
    prometheus: buildPrometheus(context),
    mqtt: buildMqtt(context, tls, users.anonymousLogin),
    stomp: buildStomp(context, tls),
    webAmqp: buildWebSocket(context, WEB_AMQP, 15670, 'rabbitmq_web_amqp'),
    webSocketOrigins: settings.members(WEB_SOCKETS.origins).map(({ value }) => value),
    stream: buildStream(context, tls),
    amqp10: buildAmqp10(context),
    telemetry: buildTelemetry(context),
    eventExchange: { vhost: settings.optional(EVENT_EXCHANGE.vhost), protocol: settings.value(EVENT_EXCHANGE.protocol) },
    interceptors: buildInterceptors(context),
  };
}

/** An enabled_plugins file that is named must be there; the usual one counts only along with the usual configuration files. */
function readEnabledPlugins(
  environment: EnvironmentChoice,
  commandLine: CommandLine,
  reader: FileReader,
  settings: Settings,
): readonly string[] | null {
  if (environment.enabledPlugins !== null) return environment.enabledPlugins;
  const named = environment.enabledPluginsFile;
  if (named === null && commandLine.config !== null) return null;
  const file = named ?? ENABLED_PLUGINS_FILE;
  const text = reader.readFile(file);
  if (text === null) {
    // RabbitMQ takes a missing file for "no plugins".
    return null;
  }
  const plugins = parseEnabledPlugins(text);
  if (plugins === null)
    settings.warnings.add(`${quotable(file)}: not read: expected a list of plugins such as [rabbitmq_management,rabbitmq_mqtt].`);
  return plugins;
}

function warnOfAdvancedConfig(context: BuildContext): void {
  const { environment, commandLine, reader, settings } = context;
  const unsupported = 'WarrenMQ does not read advanced.config (Erlang terms); what it sets has to be set in rabbitmq.conf';
  if (environment.advancedConfigFile !== null) settings.warnings.add(`RABBITMQ_ADVANCED_CONFIG_FILE has no effect: ${unsupported}`);
  else if (commandLine.config === null && environment.configFile === null && reader.readFile(ADVANCED_CONFIG_FILE) !== null) {
    settings.warnings.add(`${ADVANCED_CONFIG_FILE} has no effect: ${unsupported}`);
  }
}

export { DEFAULT_CONFIG_FILE };
