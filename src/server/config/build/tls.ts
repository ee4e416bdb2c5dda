import type { SniConfig, TlsConfig, TlsVersion } from '../config.ts';
import { quotable } from '../config-error.ts';
import type { FamilyKey, OptionalKey } from '../key.ts';
import { AMQP_TLS, TLS } from '../schema/tls.ts';
import type { TlsKeys } from '../schema/tls-keys.ts';
import { type BuildContext, problem, warn } from './context.ts';

/** ssl_options; null if no certificate is configured. */
export function buildAmqpTls(context: BuildContext): TlsConfig | null {
  if (context.settings.optional(TLS.none) !== null) return null;
  return buildTls(context, AMQP_TLS, buildSni(context));
}

/** TLS options below one prefix; null if there is neither certificate nor key. */
export function buildTls(context: BuildContext, keys: TlsKeys, sni: readonly SniConfig[] = []): TlsConfig | null {
  const { settings } = context;
  const certFile = readableFile(context, keys.certFile);
  const keyFile = readableFile(context, keys.keyFile);
  const caFile = readableFile(context, keys.caFile);
  if (certFile === null && keyFile === null) return null;
  if (certFile === null) problem(context, settings.where(keys.keyFile), `${keys.keyFile.pattern} needs ${keys.certFile.pattern} as well`);
  if (keyFile === null) problem(context, settings.where(keys.certFile), `${keys.certFile.pattern} needs ${keys.keyFile.pattern} as well`);

  const verify = settings.value(keys.verify) === 'verify_peer' ? 'peer' : 'none';
  if (verify === 'peer' && caFile === null) {
    problem(
      context,
      settings.where(keys.verify),
      `${keys.verify.pattern} = verify_peer needs ${keys.caFile.pattern}, the authorities that client certificates are checked against`,
    );
  }
  const failIfNoPeerCert = settings.value(keys.failIfNoPeerCert);
  if (failIfNoPeerCert && verify === 'none') {
    warn(
      context,
      settings.where(keys.failIfNoPeerCert),
      `${keys.failIfNoPeerCert.pattern} has no effect without ${keys.verify.pattern} = verify_peer`,
    );
  }
  return {
    certFile: certFile ?? '',
    keyFile: keyFile ?? '',
    caFile,
    password: settings.optional(keys.password),
    verify,
    failIfNoPeerCert: failIfNoPeerCert && verify === 'peer',
    depth: settings.value(keys.depth),
    versions: buildVersions(context, keys),
    ciphers: settings.members(keys.ciphers).map(member => member.value),
    honorCipherOrder: settings.value(keys.honorCipherOrder),
    sni,
  };
}

/** TLS 1.2 and 1.3, less what is not listed. Older versions are dropped, and nothing but older versions is refused. */
function buildVersions(context: BuildContext, keys: TlsKeys): readonly TlsVersion[] {
  const listed = context.settings.members(keys.versions);
  if (listed.length === 0) return ['TLSv1.3', 'TLSv1.2'];
  const versions: TlsVersion[] = [];
  if (listed.some(member => member.value === 'tlsv1.3')) versions.push('TLSv1.3');
  if (listed.some(member => member.value === 'tlsv1.2')) versions.push('TLSv1.2');
  for (const member of listed) {
    if (member.value !== 'tlsv1.3' && member.value !== 'tlsv1.2')
      warn(context, member.where, `${member.value} is never offered, because it is broken`);
  }
  if (versions.length === 0)
    problem(context, listed[0]?.where ?? '', `${keys.versions.pattern} leaves no TLS version; tlsv1.2 and tlsv1.3 are supported`);
  return versions;
}

function buildSni(context: BuildContext): readonly SniConfig[] {
  const { settings } = context;
  const hosts = new Map(settings.members(TLS.sniHost).map(member => [member.name, member]));
  for (const family of [TLS.sniCertFile, TLS.sniKeyFile, TLS.sniPassword]) {
    for (const { name, where } of settings.members<unknown>(family)) {
      if (!hosts.has(name)) problem(context, where, `warren.sni.${name} needs warren.sni.${name}.hostname`);
    }
  }
  const sni: SniConfig[] = [];
  for (const { name, value, where } of hosts.values()) {
    const certFile = familyFile(context, TLS.sniCertFile, name, where);
    const keyFile = familyFile(context, TLS.sniKeyFile, name, where);
    if (certFile !== null && keyFile !== null)
      sni.push({ hostname: value.toLowerCase(), certFile, keyFile, password: settings.member(TLS.sniPassword, name) });
  }
  return sni;
}

function familyFile(context: BuildContext, family: FamilyKey<string>, name: string, where: string): string | null {
  const member = context.settings.members(family).find(candidate => candidate.name === name);
  if (member === undefined) {
    problem(context, where, `warren.sni.${name} needs ${family.pattern.replace('$name', name)}`);
    return null;
  }
  checkReadable(context, member.where, family.pattern.replace('$name', name), member.value);
  return member.value;
}

function readableFile(context: BuildContext, key: OptionalKey<string>): string | null {
  const file = context.settings.optional(key);
  if (file !== null && key.effect === 'full') checkReadable(context, context.settings.where(key), key.pattern, file);
  return file;
}

function checkReadable(context: BuildContext, where: string, key: string, file: string): void {
  if (context.reader.readFile(file) === null)
    problem(context, where, `${key} = ${quotable(file)}: the file does not exist or cannot be read`);
}
