import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { boolean, integer, listOf, meaning, oneOf, orNone, regularExpression, secret, someText } from '../value-type.ts';
import { informationUnits, milliseconds } from '../value-units.ts';
import { CREDENTIAL_VALIDATION, DEFAULT_POLICIES, LOGIN_THROTTLE, PRESEEDED_VHOSTS } from './effects.ts';

export const USERS = {
  vhost: key('default_vhost', someText, '/', 'The virtual host made when the broker starts without any data.'),
  user: key('default_user', someText, 'guest', 'The user made when the broker starts without any data.'),
  password: key('default_pass', secret, 'guest', "That user's password."),
  tags: familyKey(
    'default_user_tags.$tag',
    boolean,
    'Give that user the tag (administrator, monitoring, ...). The first such key replaces the default.',
    {
      defaultText: 'administrator',
    },
  ),
  configure: key('default_permissions.configure', regularExpression, '.*', 'What that user may create and delete in the virtual host.'),
  read: key('default_permissions.read', regularExpression, '.*', 'What that user may read from in the virtual host.'),
  write: key('default_permissions.write', regularExpression, '.*', 'What that user may write to in the virtual host.'),
  noLoopback: optionalKey('loopback_users', oneOf('none'), 'none lets every user connect from everywhere.'),
  loopback: familyKey('loopback_users.$user', boolean, 'Whether the user can connect from this machine only.', {
    defaultText: 'loopback_users.guest = true',
  }),
  anonymousUser: key(
    'anonymous_login_user',
    orNone(someText),
    'guest',
    'Whom an anonymous client becomes, where anonymous logins are allowed at all.',
  ),
  anonymousPassword: key('anonymous_login_pass', secret, 'guest', "That user's password."),
  mechanisms: familyKey(
    'auth_mechanisms.$n',
    oneOf('PLAIN', 'AMQPLAIN', 'EXTERNAL', 'ANONYMOUS', 'RABBIT-CR-DEMO'),
    'SASL mechanisms to offer, in this order.',
    {
      defaultText: 'PLAIN, AMQPLAIN',
    },
  ),
  hashing: key(
    'password_hashing_module',
    meaning({ rabbit_password_hashing_sha256: 'sha256', rabbit_password_hashing_sha512: 'sha512' } as const),
    'rabbit_password_hashing_sha256',
    'How the passwords of new users are hashed.',
  ),
};

const backend = meaning({
  internal: 'internal',
  rabbit_auth_backend_internal: 'internal',
  ldap: 'ldap',
  rabbit_auth_backend_ldap: 'ldap',
  http: 'http',
  rabbit_auth_backend_http: 'http',
  oauth2: 'oauth2',
  oauth: 'oauth2',
  rabbit_auth_backend_oauth2: 'oauth2',
  cache: 'cache',
  rabbit_auth_backend_cache: 'cache',
} as const);

const ONLY_INTERNAL = 'Where users and permissions are looked up; internal is the only one there is, any other stops the start.';

export const AUTH_BACKENDS = {
  both: familyKey('auth_backends.$n', backend, ONLY_INTERNAL, { defaultText: 'internal' }),
  authentication: familyKey('auth_backends.$n.authn', backend, ONLY_INTERNAL),
  authorization: familyKey('auth_backends.$n.authz', backend, ONLY_INTERNAL),
};

export const CREDENTIALS = {
  backend: key(
    'credential_validator.validation_backend',
    meaning({
      rabbit_credential_validator_accept_everything: 'accept_everything',
      rabbit_credential_validator_min_password_length: 'min_password_length',
      rabbit_credential_validator_password_regexp: 'password_regexp',
    } as const),
    'rabbit_credential_validator_accept_everything',
    'How new passwords are checked.',
    { effect: CREDENTIAL_VALIDATION },
  ),
  lengthMin: key('credential_validator.min_length', integer(0, 1000), '1', 'Shortest password that min_password_length accepts.', {
    effect: CREDENTIAL_VALIDATION,
  }),
  pattern: optionalKey('credential_validator.regexp', regularExpression, 'What password_regexp accepts.', {
    effect: CREDENTIAL_VALIDATION,
  }),
  failuresPerMinute: key(
    'warren.login_failures_per_minute_max',
    integer(1, 1_000_000),
    '10',
    'Failed logins a minute from one address before its next ones have to wait.',
    {
      effect: LOGIN_THROTTLE,
    },
  ),
};

/** Users that appear in virtual hosts made later. [RabbitMQ docs: vhosts, "pre-configured users"] */
export const VHOST_USERS = {
  vhostPattern: familyKey(
    'default_users.$name.vhost_pattern',
    regularExpression,
    'In which virtual hosts, when they are made, the user gets permissions.',
    { effect: PRESEEDED_VHOSTS },
  ),
  password: familyKey('default_users.$name.password', secret, "The user's password.", { effect: PRESEEDED_VHOSTS }),
  configure: familyKey('default_users.$name.configure', regularExpression, 'What the user may create and delete there.', {
    effect: PRESEEDED_VHOSTS,
  }),
  read: familyKey('default_users.$name.read', regularExpression, 'What the user may read from there.', { effect: PRESEEDED_VHOSTS }),
  write: familyKey('default_users.$name.write', regularExpression, 'What the user may write to there.', { effect: PRESEEDED_VHOSTS }),
  tags: familyKey('default_users.$name.tags', listOf(someText), "The user's tags.", { effect: PRESEEDED_VHOSTS }),
};

export const VHOST_LIMITS = {
  pattern: familyKey('default_limits.vhosts.$id.pattern', regularExpression, 'Which virtual hosts get the limits when they are made.', {
    effect: PRESEEDED_VHOSTS,
  }),
  connections: familyKey('default_limits.vhosts.$id.max_connections', integer(1), 'Most connections of such a virtual host.', {
    effect: PRESEEDED_VHOSTS,
  }),
  queues: familyKey('default_limits.vhosts.$id.max_queues', integer(1), 'Most queues of such a virtual host.', {
    effect: PRESEEDED_VHOSTS,
  }),
};

const policy = (name: string) => `default_policies.operator.$id.${name}`;

export const OPERATOR_POLICIES = {
  vhostPattern: familyKey(
    policy('vhost_pattern'),
    regularExpression,
    'In which virtual hosts, when they are made, the operator policy appears.',
    { effect: DEFAULT_POLICIES },
  ),
  queuePattern: familyKey(policy('queue_pattern'), regularExpression, 'Which queues it is for.', { effect: DEFAULT_POLICIES }),
  applyTo: familyKey(
    policy('apply_to'),
    oneOf('queues', 'classic_queues', 'quorum_queues', 'streams', 'all'),
    'Which kinds of queue it is for.',
    { effect: DEFAULT_POLICIES },
  ),
  expires: familyKey(policy('expires'), milliseconds(1, 4_294_967_295), 'Delete queues unused for this long.', {
    effect: DEFAULT_POLICIES,
  }),
  messageTtl: familyKey(policy('message_ttl'), milliseconds(0, 4_294_967_295), 'Longest time a message stays.', {
    effect: DEFAULT_POLICIES,
  }),
  maxLength: familyKey(policy('max_length'), integer(1), 'Most ready messages.', { effect: DEFAULT_POLICIES }),
  maxLengthBytes: familyKey(policy('max_length_bytes'), informationUnits(1), 'Most bytes of ready messages.', { effect: DEFAULT_POLICIES }),
  deliveryLimit: familyKey(policy('delivery_limit'), integer(1), 'Most deliveries of one message.', { effect: DEFAULT_POLICIES }),
};

const NO_SUCH_BACKEND = 'users and permissions are internal; auth_backends refuses any other';

export const USERS_AREA: Area = {
  title: 'Users, permissions and login',
  introduction:
    'The default user and virtual host are made once, when the broker starts without any data. ' +
    'guest stays restricted to this machine until `loopback_users.guest = false` or `loopback_users = none` says otherwise, also when other ' +
    'users are listed (in RabbitMQ listing another user drops guest from the list).',
  keys: [
    ...Object.values(USERS),
    ...Object.values(AUTH_BACKENDS),
    ...Object.values(CREDENTIALS),
    ...Object.values(VHOST_USERS),
    ...Object.values(VHOST_LIMITS),
    ...Object.values(OPERATOR_POLICIES),
    ignoredKey(policy('max_in_memory_bytes'), 'messages are kept in memory within one budget of the broker'),
    ignoredKey(policy('max_in_memory_length'), 'messages are kept in memory within one budget of the broker'),
    ignoredKey('default_policies.operator.$id.classic_queues.$setting', 'mirrored queues do not exist'),
    ignoredKey('track_auth_attempt_source', 'login attempts are counted by source anyway'),
    ignoredKey('auth_ldap.**', NO_SUCH_BACKEND),
    ignoredKey('auth_http.**', NO_SUCH_BACKEND),
    ignoredKey('auth_oauth2.**', NO_SUCH_BACKEND),
    ignoredKey('auth_cache.**', NO_SUCH_BACKEND),
    ignoredKey('trust_store.**', 'there is no trust store; name the authorities in ssl_options.cacertfile'),
  ],
};
