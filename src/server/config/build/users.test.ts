import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf as of, load, problemsOf } from '../../../../test/support/config-texts.ts';

test('the default user is guest with every permission, the tag administrator, and loopback only', () => {
  const config = of('');
  assert.equal(config.defaults.user, 'guest');
  assert.equal(config.defaults.password.reveal(), 'guest');
  assert.equal(config.defaults.vhost, '/');
  assert.deepEqual(config.defaults.permissions, { configure: '.*', write: '.*', read: '.*' });
  assert.deepEqual(config.defaults.userTags, ['administrator']);
  assert.deepEqual(config.loopbackUsers, ['guest']);
  assert.deepEqual(config.authMechanisms, ['PLAIN', 'AMQPLAIN']);
});

test('the default user can be another, with other tags and permissions', () => {
  const { defaults } = of(`default_user = app
default_pass = 'C4NARY#1'
default_vhost = shop
default_user_tags.monitoring = true
default_user_tags.administrator = false
default_permissions.configure = ^$
default_permissions.write = ^app\\.
default_queue_type = quorum`);
  assert.equal(defaults.user, 'app');
  assert.equal(defaults.password.reveal(), 'C4NARY#1');
  assert.equal(defaults.vhost, 'shop');
  assert.deepEqual(defaults.userTags, ['monitoring']);
  assert.deepEqual(defaults.permissions, { configure: '^$', write: '^app\\.', read: '.*' });
  assert.equal(defaults.queueType, 'quorum');
});

test('loopback users: guest stays one until it is released by name, or all are', () => {
  assert.deepEqual(of('loopback_users.guest = false').loopbackUsers, []);
  assert.deepEqual(of('loopback_users = none').loopbackUsers, []);
  assert.deepEqual(of('loopback_users.monitoring = true').loopbackUsers, ['guest', 'monitoring']);
  assert.deepEqual(of('loopback_users = none\nloopback_users.monitoring = true').loopbackUsers, []);
  assert.deepEqual(of('loopback_users.a\\.b = true\nloopback_users.guest = off').loopbackUsers, ['a.b']);
});

test('mechanisms are offered in number order; what cannot be offered is dropped with a warning', () => {
  assert.deepEqual(of('auth_mechanisms.2 = PLAIN\nauth_mechanisms.1 = EXTERNAL\nauth_mechanisms.3 = ANONYMOUS').authMechanisms, [
    'EXTERNAL',
    'PLAIN',
    'ANONYMOUS',
  ]);
  const { config, warnings } = load({
    conf: 'auth_mechanisms.1 = RABBIT-CR-DEMO\nauth_mechanisms.2 = PLAIN\nauth_mechanisms.3 = ANONYMOUS\nanonymous_login_user = none',
  });
  assert.deepEqual(config.authMechanisms, ['PLAIN']);
  assert.equal(config.anonymousLogin, null);
  assert.equal(warnings.length, 2);
  assert.deepEqual(problemsOf('auth_mechanisms.1 = RABBIT-CR-DEMO'), ['1: auth_mechanisms leaves no mechanism to log in with']);
});

test('anonymous clients become the user that is configured', () => {
  const { anonymousLogin } = of('anonymous_login_user = anna\nanonymous_login_pass = C4NARY');
  assert.equal(anonymousLogin?.user, 'anna');
  assert.equal(anonymousLogin.password.reveal(), 'C4NARY');
});

test('an auth backend other than the internal one stops the start', () => {
  of('auth_backends.1 = internal\nauth_backends.2 = rabbit_auth_backend_internal');
  assert.deepEqual(problemsOf('auth_backends.1 = ldap\nauth_backends.2.authn = rabbit_auth_backend_http\nauth_backends.first = internal'), [
    '1: auth_backends.1: the backend ldap is not part of this version; internal is the only one',
    '3: auth_backends.first: the place in the chain of backends is a number, as in auth_backends.1',
    '2: auth_backends.2.authn: the backend http is not part of this version; internal is the only one',
  ]);
  assert.deepEqual(problemsOf('auth_backends.1 = my_backend').length, 1);
});

test('users, limits and operator policies of virtual hosts to come are gathered by name', () => {
  const { defaults } = of(`default_users.mon.vhost_pattern = .*
default_users.mon.tags = monitoring, management
default_users.mon.read = .*
default_users.mon.password = C4NARY
default_limits.vhosts.prod.pattern = ^prod-
default_limits.vhosts.prod.max_queues = 10
default_policies.operator.p.queue_pattern = ^q
default_policies.operator.p.message_ttl = 1h
default_policies.operator.p.max_length_bytes = 1GiB`);
  const [user] = defaults.vhostUsers;
  assert.deepEqual(
    [user?.name, user?.configure, user?.write, user?.read, user?.tags],
    ['mon', '^$', '^$', '.*', ['monitoring', 'management']],
  );
  assert.equal(user?.password?.reveal(), 'C4NARY');
  assert.deepEqual(defaults.vhostLimits, [{ id: 'prod', pattern: '^prod-', connectionMax: Number.POSITIVE_INFINITY, queueMax: 10 }]);
  assert.deepEqual(defaults.operatorPolicies, [
    {
      id: 'p',
      vhostPattern: '.*',
      queuePattern: '^q',
      applyTo: 'queues',
      expiresMillis: null,
      messageTtlMillis: 3_600_000,
      lengthMax: null,
      lengthBytesMax: 1_073_741_824,
      deliveryLimit: null,
    },
  ]);
});

test('the user of a client certificate comes from where it is configured', () => {
  assert.deepEqual(
    of('ssl_cert_login_from = subject_alt_name\nssl_cert_login_san_type = email\nssl_cert_login_san_index = 1').certificateLogin,
    {
      from: 'subject_alternative_name',
      sanType: 'email',
      sanIndex: 1,
    },
  );
});

test('password hashing and validation', () => {
  const config = of(
    'password_hashing_module = rabbit_password_hashing_sha512\ncredential_validator.validation_backend = rabbit_credential_validator_min_password_length\ncredential_validator.min_length = 12',
  );
  assert.equal(config.passwordHashing, 'sha512');
  assert.deepEqual(config.credentialValidator, { kind: 'min_password_length', lengthMin: 12, pattern: null });
  assert.equal(problemsOf('credential_validator.validation_backend = rabbit_credential_validator_password_regexp').length, 1);
  assert.equal(problemsOf('password_hashing_module = rabbit_password_hashing_md5').length, 1);
});

test('definitions are loaded from the first of their three keys', () => {
  const files = { '/a.json': '{}', '/b.json': '{}', '/d/x.json': '{}' };
  assert.equal(of('').definitions.path, null);
  assert.equal(of('management.load_definitions = /a.json', files).definitions.path, '/a.json');
  assert.equal(of('definitions.local.path = /d\ndefinitions.import_backend = local_filesystem', files).definitions.path, '/d');
  const { config, warnings } = load({
    conf: 'management.load_definitions = /a.json\nload_definitions = /b.json\ndefinitions.skip_if_unchanged = true',
    files,
  });
  assert.deepEqual(config.definitions, { path: '/b.json', skipIfUnchanged: true });
  assert.deepEqual(warnings, ['rabbitmq.conf:1: management.load_definitions has no effect, because definitions are loaded from /b.json']);
});

test('definitions that are not there, or not in a file, are refused', () => {
  assert.deepEqual(problemsOf('load_definitions = /none.json'), [
    '1: load_definitions = /none.json: the file does not exist or cannot be read',
  ]);
  assert.match(
    problemsOf('definitions.import_backend = https')[0] ?? '',
    /^1: definitions\.import_backend = https: definitions are read from files only/,
  );
});
