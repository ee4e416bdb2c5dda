// For tests: a configuration from texts instead of files.
import { ConfigError } from '../../src/server/config/config-error.ts';
import type { Config } from '../../src/server/config/config.ts';
import { type ConfigInputs, type LoadedConfig, loadConfig } from '../../src/server/config/load-config.ts';

export interface Texts {
  /** What `--config rabbitmq.conf` reads; without it there is no --config. */
  readonly conf?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: ConfigInputs['platform'];
}

function inputs(texts: Texts): ConfigInputs {
  const files = new Map(Object.entries(texts.files ?? {}));
  if (texts.conf !== undefined) files.set('rabbitmq.conf', texts.conf);
  return {
    argv: [...(texts.conf === undefined ? [] : ['--config', 'rabbitmq.conf']), ...(texts.argv ?? [])],
    env: texts.env ?? {},
    readFile: path => files.get(path) ?? null,
    listDirectory: path => {
      const prefix = `${path.replace(/\/$/, '')}/`;
      const names = [...files.keys()].filter(file => file.startsWith(prefix)).map(file => file.slice(prefix.length));
      // Unsorted, as a file system may answer.
      return names.length === 0 ? null : names.filter(name => !name.includes('/')).reverse();
    },
    ...(texts.platform === undefined ? {} : { platform: texts.platform }),
  };
}

export function load(texts: Texts): LoadedConfig {
  return loadConfig(inputs(texts));
}

/** The error that loading ends with. Fails the test if there is none. */
export function refusal(texts: Texts): ConfigError {
  try {
    load(texts);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** The problems of a configuration file, without its name. */
export function problemsOf(conf: string): readonly string[] {
  return refusal({ conf }).problems.map(problem => problem.replace(/^rabbitmq\.conf:/, ''));
}

/** The warnings about a configuration file, without its name. */
export function warningsOf(conf: string, files: Texts['files'] = {}): readonly string[] {
  return load({ conf, files }).warnings.map(warning => warning.replace(/^rabbitmq\.conf:/, ''));
}

/** What a configuration file makes of itself. */
export function configOf(conf: string, files: Texts['files'] = {}): Config {
  return load({ conf, files }).config;
}

/** Listeners in a word each: kind, name, address (* for every interface), port. */
export function addressesOf(listeners: Config['listeners']): string[] {
  return listeners.map(({ kind, name, host, port }) => `${kind} ${name} ${host ?? '*'} ${port}`);
}

/** Files that TLS options may name. */
export const CERTIFICATES = { '/tls/ca.pem': 'ca', '/tls/cert.pem': 'cert', '/tls/key.pem': 'key' };

/** The least that TLS needs. Two lines of a configuration file. */
export const TLS = 'ssl_options.certfile = /tls/cert.pem\nssl_options.keyfile = /tls/key.pem\n';
