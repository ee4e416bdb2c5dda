// Environment variables, as RabbitMQ and its container image read them. [RabbitMQ docs: configure, "environment variables"]
import { join } from 'node:path';
import type { Setting } from './conf-file.ts';
import { quotable } from './config-error.ts';
import { DEPRECATED, OF_OTHER_PROGRAMS, SERVICE_LINK, VARIABLES, WITHOUT_EFFECT } from './environment-variables.ts';
import { keySegments } from './key.ts';
import { interfaceAddress, port } from './value-address.ts';
import { Mismatch } from './value-type.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment asks for. */
export interface EnvironmentChoice {
  /** Keys that variables set; they go before those of files. */
  readonly settings: readonly Setting[];
  readonly nodeName: string;
  readonly nodePort: number | null;
  /** RABBITMQ_NODE_IP_ADDRESS; null is every interface, undefined is not set. */
  readonly nodeAddress: string | null | undefined;
  readonly pidFile: string | null;
  readonly configFile: string | null;
  readonly configFiles: string | null;
  readonly advancedConfigFile: string | null;
  readonly enabledPluginsFile: string | null;
  /** RABBITMQ_ENABLED_PLUGINS, in place of a file. */
  readonly enabledPlugins: readonly string[] | null;
  /** RABBITMQ_LOGS names a file, and so not the console. */
  readonly isLogToFileOnly: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const READ = new Set(VARIABLES.map(variable => variable.name));

export function readEnvironment(environment: Environment, hostname: string): EnvironmentChoice {
  const reader = new EnvironmentReader(environment);
  return reader.read(hostname);
}

class EnvironmentReader {
  readonly #environment: Environment;
  readonly #settings: Setting[] = [];
  readonly #problems: string[] = [];
  readonly #warnings: string[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  read(hostname: string): EnvironmentChoice {
    this.#refuseDeprecated();
    this.#warnOfOthers();
    const nodeName = this.#nodeName(hostname);
    const mnesiaBase = this.#get('RABBITMQ_MNESIA_BASE');
    if (mnesiaBase !== null) this.#set('RABBITMQ_MNESIA_BASE', 'warren.data_dir', join(mnesiaBase, nodeName));
    for (const { name, key } of VARIABLES) {
      const value = key === null ? null : this.#get(name);
      if (key !== null && value !== null) this.#set(name, key, value);
    }
    const isLogToFileOnly = this.#readLogs();
    this.#readLogLevels();
    return {
      settings: this.#settings,
      nodeName,
      nodePort: this.#nodePort(),
      nodeAddress: this.#nodeAddress(),
      pidFile: this.#get('RABBITMQ_PID_FILE'),
      configFile: this.#get('RABBITMQ_CONFIG_FILE'),
      configFiles: this.#get('RABBITMQ_CONFIG_FILES'),
      advancedConfigFile: this.#get('RABBITMQ_ADVANCED_CONFIG_FILE'),
      enabledPluginsFile: this.#get('RABBITMQ_ENABLED_PLUGINS_FILE'),
      enabledPlugins: this.#enabledPlugins(),
      isLogToFileOnly,
      problems: this.#problems,
      warnings: this.#warnings,
    };
  }

  /** A variable's value; an empty one is the same as none (compose files write `NAME=` for what is not set). */
  #get(name: string): string | null {
    const value = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    return value === undefined || value === '' ? null : value;
  }

  #set(variable: string, key: string, value: string): void {
    this.#settings.push({ segments: keySegments(key) ?? [], name: key, value, origin: { source: variable, line: 0 } });
  }

  #names(): string[] {
    return Object.keys(this.#environment)
      .filter(name => /^(RABBITMQ|WARREN)_/.test(name) && this.#get(name) !== null && !this.#isServiceLink(name))
      .sort();
  }

  #isServiceLink(name: string): boolean {
    return (
      SERVICE_LINK.test(name) || (name.endsWith('_PORT') && name !== 'RABBITMQ_NODE_PORT' && /^(tcp|udp):\/\//.test(this.#get(name) ?? ''))
    );
  }

  /** [docker-library/rabbitmq, docker-entrypoint.sh] */
  #refuseDeprecated(): void {
    const found: string[] = [];
    for (const name of this.#names()) {
      const deprecated = DEPRECATED.find(([pattern]) => pattern.test(name));
      if (deprecated !== undefined)
        found.push(`error: ${name} is set but deprecated; the key in the configuration file is ${deprecated[1](name)}`);
    }
    if (found.length > 0)
      this.#problems.push(
        ...found,
        'error: deprecated environment variables detected',
        'Please use a configuration file instead; see docs/guides/configuration.md',
      );
  }

  #warnOfOthers(): void {
    for (const name of this.#names()) {
      if (READ.has(name) || OF_OTHER_PROGRAMS.test(name)) continue;
      if (DEPRECATED.some(([pattern]) => pattern.test(name))) continue;
      const reason = WITHOUT_EFFECT.get(name) ?? 'WarrenMQ knows no such variable';
      this.#warnings.push(`${quotable(name)} has no effect: ${reason}`);
    }
  }

  #nodeName(hostname: string): string {
    const longName = this.#get('RABBITMQ_USE_LONGNAME') === 'true';
    const host = (longName ? hostname : (hostname.split('.')[0] ?? '')).replace(/[^A-Za-z0-9_.-]/g, '-') || 'localhost';
    const configured = this.#get('RABBITMQ_NODENAME');
    if (configured === null) return `rabbit@${host}`;
    const name = configured.includes('@') ? configured : `${configured}@${host}`;
    if (/^[A-Za-z0-9_.-]{1,255}@[A-Za-z0-9_.:-]{1,255}$/.test(name)) return name;
    this.#problems.push(`RABBITMQ_NODENAME = ${quotable(configured)}: expected a name such as rabbit@${host}`);
    return `rabbit@${host}`;
  }

  #nodePort(): number | null {
    const value = this.#get('RABBITMQ_NODE_PORT');
    if (value === null) return null;
    const parsed = port.parse(value);
    if (!(parsed instanceof Mismatch)) return parsed;
    const hint = value.startsWith('tcp://')
      ? ' (Kubernetes sets it so for a service named rabbitmq-node: set enableServiceLinks: false, or rename the service)'
      : '';
    this.#problems.push(`RABBITMQ_NODE_PORT = ${quotable(value)}: expected ${parsed.expected}${hint}`);
    return null;
  }

  #nodeAddress(): string | null | undefined {
    const value = this.#get('RABBITMQ_NODE_IP_ADDRESS');
    if (value === null) return undefined;
    const parsed = interfaceAddress.parse(value === 'auto' ? 'any' : value);
    if (!(parsed instanceof Mismatch)) return parsed;
    this.#problems.push(`RABBITMQ_NODE_IP_ADDRESS = ${quotable(value)}: expected an IP address`);
    return undefined;
  }

  /** RABBITMQ_LOGS: `-` is the console, `-stderr` its other stream, anything else a file. True if it is a file. */
  #readLogs(): boolean {
    const logs = this.#get('RABBITMQ_LOGS');
    if (logs === null) return false;
    if (logs === '-' || logs === '-stderr') {
      this.#set('RABBITMQ_LOGS', 'log.console', 'true');
      this.#set('RABBITMQ_LOGS', 'log.file', 'false');
      if (logs === '-stderr') this.#set('RABBITMQ_LOGS', 'log.console.stdio', 'stderr');
      return false;
    }
    if (/^(exchange|syslog):/.test(logs)) {
      this.#warnings.push(`RABBITMQ_LOGS = ${quotable(logs)} has no effect: the log goes to the console or a file`);
      return false;
    }
    this.#set('RABBITMQ_LOGS', 'log.file', logs);
    return true;
  }

  /** RABBITMQ_LOG: a list of a level, levels of categories, and switches: `debug,connection=error,+json`. */
  #readLogLevels(): void {
    for (const item of (this.#get('RABBITMQ_LOG') ?? '').split(',').map(part => part.trim())) {
      if (item === '') continue;
      const [category = '', level] = item.split('=', 2);
      if (level !== undefined && keySegments(category)?.length === 1) this.#set('RABBITMQ_LOG', `log.${category}.level`, level);
      else if (item === '+json' || item === '-json') this.#setBoth('formatter', item === '+json' ? 'json' : 'plaintext');
      else if (item === '+color' || item === '-color')
        this.#set('RABBITMQ_LOG', 'log.console.use_colors', item === '+color' ? 'true' : 'false');
      else if (/^[a-z]+$/.test(item)) this.#setBoth('level', item);
      else if (!/^[+-]single_line$/.test(item))
        this.#problems.push(
          `RABBITMQ_LOG: ${quotable(item)}: expected a level (info), a category's level (connection=debug), +json or +color`,
        );
    }
  }

  /** Of the console, and of the file if there is one: a key of the file alone would switch it on. */
  #setBoth(name: string, value: string): void {
    this.#set('RABBITMQ_LOG', `log.console.${name}`, value);
    const logs = this.#get('RABBITMQ_LOGS');
    if (logs !== null && !logs.startsWith('-')) this.#set('RABBITMQ_LOG', `log.file.${name}`, value);
  }

  #enabledPlugins(): readonly string[] | null {
    const value = this.#get('RABBITMQ_ENABLED_PLUGINS');
    if (value === null) return null;
    return value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '' && part !== 'NONE');
  }
}
