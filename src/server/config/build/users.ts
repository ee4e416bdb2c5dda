import type {
  AuthMechanism,
  CertificateLoginConfig,
  Config,
  CredentialValidatorConfig,
  DefaultsConfig,
  OperatorPolicyConfig,
  VhostLimitsConfig,
  VhostUserConfig,
} from '../config.ts';
import { quotable } from '../config-error.ts';
import type { AnyKey, FamilyKey } from '../key.ts';
import { DEFINITIONS, QUEUES } from '../schema/queues.ts';
import { TLS } from '../schema/tls.ts';
import { AUTH_BACKENDS, CREDENTIALS, OPERATOR_POLICIES, USERS, VHOST_LIMITS, VHOST_USERS } from '../schema/users.ts';
import { type BuildContext, problem, warn } from './context.ts';

type UsersPart = Pick<
  Config,
  | 'defaults'
  | 'loopbackUsers'
  | 'anonymousLogin'
  | 'authMechanisms'
  | 'certificateLogin'
  | 'passwordHashing'
  | 'credentialValidator'
  | 'definitions'
>;

export function buildUsers(context: BuildContext): UsersPart {
  const { settings } = context;
  checkBackends(context);
  const anonymousUser = settings.value(USERS.anonymousUser);
  const anonymousLogin = anonymousUser === null ? null : { user: anonymousUser, password: settings.value(USERS.anonymousPassword) };
  return {
    defaults: buildDefaults(context),
    loopbackUsers: buildLoopbackUsers(context),
    anonymousLogin,
    authMechanisms: buildMechanisms(context, anonymousLogin !== null),
    certificateLogin: buildCertificateLogin(context),
    passwordHashing: settings.value(USERS.hashing),
    credentialValidator: buildCredentialValidator(context),
    definitions: buildDefinitions(context),
  };
}

function buildDefaults(context: BuildContext): DefaultsConfig {
  const { settings } = context;
  const tags = settings.members(USERS.tags);
  return {
    vhost: settings.value(USERS.vhost),
    user: settings.value(USERS.user),
    password: settings.value(USERS.password),
    userTags: tags.length === 0 ? ['administrator'] : tags.filter(tag => tag.value).map(tag => tag.name),
    permissions: { configure: settings.value(USERS.configure), write: settings.value(USERS.write), read: settings.value(USERS.read) },
    queueType: settings.value(QUEUES.defaultType),
    vhostUsers: buildVhostUsers(context),
    vhostLimits: buildVhostLimits(context),
    operatorPolicies: buildOperatorPolicies(context),
  };
}

function buildLoopbackUsers(context: BuildContext): readonly string[] {
  const { settings } = context;
  if (settings.optional(USERS.noLoopback) !== null) return [];
  const users = new Set(['guest']);
  for (const { name, value } of settings.members(USERS.loopback)) {
    if (value) users.add(name);
    else users.delete(name);
  }
  return [...users];
}

function buildMechanisms(context: BuildContext, isAnonymousAllowed: boolean): readonly AuthMechanism[] {
  const listed = context.settings.members(USERS.mechanisms);
  if (listed.length === 0) return ['PLAIN', 'AMQPLAIN'];
  const mechanisms = new Set<AuthMechanism>();
  for (const { value, where } of listed) {
    if (value === 'RABBIT-CR-DEMO') warn(context, where, 'the mechanism RABBIT-CR-DEMO is for demonstrations and is not offered');
    else if (value === 'ANONYMOUS' && !isAnonymousAllowed)
      warn(context, where, 'the mechanism ANONYMOUS is not offered, because anonymous_login_user is none');
    else mechanisms.add(value);
  }
  if (mechanisms.size === 0) problem(context, listed[0]?.where ?? '', 'auth_mechanisms leaves no mechanism to log in with');
  return [...mechanisms];
}

/** A file that asks for another backend must not be answered from the internal one: that would change who gets in. */
function checkBackends(context: BuildContext): void {
  for (const key of Object.values(AUTH_BACKENDS)) {
    for (const { name, value, where } of context.settings.members(key)) {
      const written = key.pattern.replace('$n', quotable(name));
      if (!/^[0-9]{1,9}$/.test(name))
        problem(context, where, `${written}: the place in the chain of backends is a number, as in auth_backends.1`);
      else if (value !== 'internal')
        problem(context, where, `${written}: the backend ${value} is not part of this version; internal is the only one`);
    }
  }
}

function buildCertificateLogin(context: BuildContext): CertificateLoginConfig {
  const { settings } = context;
  const from = settings.value(TLS.loginFrom);
  return {
    from: from === 'subject_alt_name' ? 'subject_alternative_name' : from,
    sanType: settings.value(TLS.loginSanType),
    sanIndex: settings.value(TLS.loginSanIndex),
  };
}

function buildCredentialValidator(context: BuildContext): CredentialValidatorConfig {
  const { settings } = context;
  const kind = settings.value(CREDENTIALS.backend);
  const pattern = settings.optional(CREDENTIALS.pattern);
  if (kind === 'password_regexp' && pattern === null)
    problem(context, settings.where(CREDENTIALS.backend), 'the validator of passwords by pattern needs credential_validator.regexp');
  return { kind, lengthMin: settings.value(CREDENTIALS.lengthMin), pattern };
}

/** load_definitions goes before definitions.local.path, and that before management.load_definitions. */
function buildDefinitions(context: BuildContext) {
  const { settings, reader } = context;
  const backend = settings.value(DEFINITIONS.backend);
  if (backend === 'https' || backend === 'http') {
    problem(
      context,
      settings.where(DEFINITIONS.backend),
      `definitions.import_backend = ${backend}: definitions are read from files only; fetch the file and name it in load_definitions`,
    );
  }
  let path: string | null = null;
  for (const key of [DEFINITIONS.file, DEFINITIONS.localPath, DEFINITIONS.managementFile]) {
    const candidate = settings.optional(key);
    if (candidate === null) continue;
    const where = settings.where(key);
    if (path !== null && candidate !== path)
      warn(context, where, `${key.pattern} has no effect, because definitions are loaded from ${quotable(path)}`);
    else if (path === null && reader.readFile(candidate) === null && reader.listDirectory(candidate) === null) {
      problem(context, where, `${key.pattern} = ${quotable(candidate)}: the file does not exist or cannot be read`);
    }
    path ??= candidate;
  }
  return { path, skipIfUnchanged: settings.value(DEFINITIONS.skipIfUnchanged) };
}

/** The first variables that occur in any of some families, in order. */
function namesIn(context: BuildContext, families: Iterable<AnyKey>): readonly string[] {
  const names = new Set<string>();
  for (const family of families) for (const { name } of context.settings.members(family as FamilyKey<unknown>)) names.add(name);
  return [...names];
}

function buildVhostUsers(context: BuildContext): readonly VhostUserConfig[] {
  const { settings } = context;
  return namesIn(context, Object.values(VHOST_USERS)).map(name => ({
    name,
    vhostPattern: settings.member(VHOST_USERS.vhostPattern, name) ?? '.*',
    password: settings.member(VHOST_USERS.password, name),
    configure: settings.member(VHOST_USERS.configure, name) ?? '^$',
    write: settings.member(VHOST_USERS.write, name) ?? '^$',
    read: settings.member(VHOST_USERS.read, name) ?? '^$',
    tags: settings.member(VHOST_USERS.tags, name) ?? [],
  }));
}

function buildVhostLimits(context: BuildContext): readonly VhostLimitsConfig[] {
  const { settings } = context;
  return namesIn(context, Object.values(VHOST_LIMITS)).map(id => ({
    id,
    pattern: settings.member(VHOST_LIMITS.pattern, id) ?? '.*',
    connectionMax: settings.member(VHOST_LIMITS.connections, id) ?? Number.POSITIVE_INFINITY,
    queueMax: settings.member(VHOST_LIMITS.queues, id) ?? Number.POSITIVE_INFINITY,
  }));
}

function buildOperatorPolicies(context: BuildContext): readonly OperatorPolicyConfig[] {
  const { settings } = context;
  return namesIn(context, Object.values(OPERATOR_POLICIES)).map(id => ({
    id,
    vhostPattern: settings.member(OPERATOR_POLICIES.vhostPattern, id) ?? '.*',
    queuePattern: settings.member(OPERATOR_POLICIES.queuePattern, id) ?? '.*',
    applyTo: settings.member(OPERATOR_POLICIES.applyTo, id) ?? 'queues',
    expiresMillis: settings.member(OPERATOR_POLICIES.expires, id),
    messageTtlMillis: settings.member(OPERATOR_POLICIES.messageTtl, id),
    lengthMax: settings.member(OPERATOR_POLICIES.maxLength, id),
    lengthBytesMax: settings.member(OPERATOR_POLICIES.maxLengthBytes, id),
    deliveryLimit: settings.member(OPERATOR_POLICIES.deliveryLimit, id),
  }));
}
