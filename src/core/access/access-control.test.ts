import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError } from '../broker-error.ts';
import { nullJournal, type MetadataChange } from '../ports/metadata-journal.ts';
import type { AccessChange } from './access-change.ts';
import { isAccessChange } from './access-change.ts';
import { AccessControl } from './access-control.ts';
import { PatternError } from './pattern.ts';
import type { PermissionKind } from './permissions.ts';
import type { User } from './user.ts';
import { noUserLimits, parseTags } from './user.ts';

function user(name: string, tags: string[] = []): User {
  return { name, passwordHash: 'aGFzaA==', hashingAlgorithm: 'rabbit_password_hashing_sha256', tags, limits: noUserLimits };
}

function withUser(name = 'u'): AccessControl {
  const control = new AccessControl();
  control.putUser(user(name));
  return control;
}

function code(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BrokerError) return error.code;
    throw error;
  }
  return 'none';
}

function text(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BrokerError) return error.message;
    throw error;
  }
  return 'none';
}

const kinds: readonly PermissionKind[] = ['configure', 'write', 'read'];

describe('authorization', () => {
  test('every user, vhost, permission and name is decided as a naive reading of the patterns decides it', () => {
    const sources = [
      '',
      '.*',
      '^$',
      '^amq\\.default$',
      '^orders',
      'orders$',
      '^(a|b)\\..*',
      '^(?!amq\\.).*',
      'x',
      '^[a-z]+$',
      '^é',
      '(?i)^ORDERS',
    ];
    const names = [
      '',
      'amq.default',
      'amq.gen-1',
      'orders',
      'orders.eu',
      'my.orders',
      'a.b',
      'b.',
      'x',
      'é',
      'ORDERS',
      '__proto__',
      'constructor',
      'n'.repeat(255),
      'n'.repeat(300),
    ];
    const vhosts = ['/', 'other', '__proto__', ''];
    const control = new AccessControl();
    const granted = new Map<string, Record<PermissionKind, string>>();
    sources.forEach((configure, index) => {
      const name = `u${index}`;
      control.putUser(user(name));
      vhosts.forEach((vhost, offset) => {
        if ((index + offset) % 4 === 3) return;
        const permission = {
          configure,
          write: sources[(index + offset) % sources.length] ?? '',
          read: sources[(index * 5 + offset) % sources.length] ?? '',
        };
        control.putPermission({ user: name, vhost, ...permission });
        granted.set(`${name} ${vhost}`, permission);
      });
    });
    let checked = 0;
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index <= sources.length; index += 1) {
        for (const vhost of vhosts) {
          for (const kind of kinds) {
            for (const name of names) {
              const permission = granted.get(`u${index} ${vhost}`);
              const expected = permission !== undefined && naive(permission[kind], name);
              assert.equal(control.authorize(`u${index}`, vhost, kind, name), expected, `u${index} ${vhost} ${kind} ${name}`);
              checked += 1;
            }
          }
        }
      }
    }
    assert.ok(checked > 7000);
  });

  function naive(source: string, name: string): boolean {
    const flags = source.startsWith('(?i)') ? 'iu' : 'u';
    return new RegExp(source === '' ? '^$' : source.replace('(?i)', ''), flags).test(name === '' ? 'amq.default' : name);
  }

  test('entering a vhost needs a permission entry, even an empty one', () => {
    const control = withUser();
    assert.equal(control.mayAccessVhost('u', '/'), false);
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '', read: '' });
    assert.ok(control.mayAccessVhost('u', '/'));
    assert.equal(control.mayAccessVhost('u', 'other'), false);
    assert.equal(control.authorize('u', '/', 'read', 'q'), false);
  });

  test('a held access follows every change of permissions', () => {
    const control = withUser();
    const access = control.access('u', '/');
    assert.equal(access.allows('write', 'a1'), false);
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '^a[0-9]$', read: '' });
    assert.ok(access.allows('write', 'a1'));
    assert.ok(access.allows('write', 'a1'));
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '^b[0-9]$', read: '' });
    assert.equal(access.allows('write', 'a1'), false);
    assert.ok(access.allows('write', 'b1'));
    control.deletePermission('u', '/');
    assert.equal(access.allows('write', 'b1'), false);
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '^a[0-9]$', read: '' });
    assert.ok(access.allows('write', 'a1'));
    control.deleteUser('u');
    assert.equal(access.allows('write', 'a1'), false);
    assert.equal(access.mayEnter(), false);
  });

  test('remembered answers stay right when there are more names than are remembered', () => {
    const control = withUser();
    control.putPermission({ user: 'u', vhost: '/', configure: '^q\\d*[02468]$', write: '^q\\d*[13579]$', read: '' });
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 5000; index += 1) {
        assert.equal(control.authorize('u', '/', 'configure', `q${index}`), index % 2 === 0);
        assert.equal(control.authorize('u', '/', 'write', `q${index}`), index % 2 === 1);
      }
    }
  });

  test('any one permission is enough to ask whether something exists', () => {
    const control = withUser();
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '', read: '^q$' });
    assert.ok(control.access('u', '/').allowsAny('q'));
    assert.equal(control.access('u', '/').allowsAny('r'), false);
  });

  test('a recorded pattern that does not compile permits nothing', () => {
    const control = withUser();
    control.apply({ kind: 'permission.put', permission: { user: 'u', vhost: '/', configure: '(', write: '.*', read: '.*' } });
    assert.equal(control.authorize('u', '/', 'configure', 'q'), false);
    assert.ok(control.authorize('u', '/', 'write', 'q'));
  });

  test("refusals have RabbitMQ's texts", () => {
    const control = withUser();
    control.putPermission({ user: 'u', vhost: '/', configure: '', write: '', read: '' });
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'amq.topic', write: '^x$', read: '' });
    assert.equal(
      text(() => control.checkResource('u', '/', 'configure', 'queue', 'q')),
      "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'u'",
    );
    assert.equal(
      text(() => control.checkResource('u', '/', 'write', 'exchange', '')),
      "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'u'",
    );
    assert.equal(
      text(() => control.checkTopic('u', '/', 'amq.topic', 'write', 'a.b')),
      "ACCESS_REFUSED - write access to topic 'a.b' in exchange 'amq.topic' in vhost '/' refused for user 'u'",
    );
    assert.equal(
      text(() => control.checkVhost('u', 'x')),
      "NOT_ALLOWED - access to vhost 'x' refused for user 'u'",
    );
  });
});

describe('topic authorization', () => {
  test('without a topic permission for the exchange every routing key is allowed', () => {
    const control = withUser();
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e1', write: '^a\\.', read: '' });
    assert.ok(control.authorizeTopic('u', '/', 'e2', 'write', 'anything'));
    assert.ok(control.authorizeTopic('u', 'other', 'e1', 'write', 'anything'));
    assert.ok(control.authorizeTopic('u', '/', 'e1', 'write', 'a.b'));
    assert.equal(control.authorizeTopic('u', '/', 'e1', 'write', 'b.a'), false);
    assert.equal(control.authorizeTopic('u', '/', 'e1', 'read', 'a.b'), false);
  });

  test('variables stand for the connection, as literal text', () => {
    const control = withUser('a.user');
    control.putTopicPermission({
      user: 'a.user',
      vhost: 'v',
      exchange: 'e',
      write: '^{vhost}\\.{username}\\.{client_id}$',
      read: '^{client_id}',
    });
    const may = (key: string, clientId: string | null): boolean => control.authorizeTopic('a.user', 'v', 'e', 'write', key, clientId);
    assert.ok(may('v.a.user.c1', 'c1'));
    assert.ok(may('v.a.user.c2', 'c2'));
    assert.equal(may('v.a.user.c1', 'c2'), false);
    assert.equal(may('v.aXuser.c1', 'c1'), false);
    assert.equal(may('v.a.user.anything', '.*'), false);
    assert.equal(may('v.a.user.c1', null), false);
    assert.ok(control.authorizeTopic('a.user', 'v', 'e', 'read', '{username}x', '{username}'));
    assert.ok(control.authorizeTopic('a.user', 'v', 'e', 'read', '', ''));
    assert.equal(control.authorizeTopic('a.user', 'v', 'e', 'read', '', null), false);
    assert.equal(control.authorizeTopic('a.user', 'v', 'e', 'read', 'x', 'x'.repeat(70_000)), false);
  });

  test('a change of topic permissions shows at once', () => {
    const control = withUser();
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e', write: '^a$', read: '.*' });
    assert.equal(control.authorizeTopic('u', '/', 'e', 'write', 'b'), false);
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e', write: '^b$', read: '.*' });
    assert.ok(control.authorizeTopic('u', '/', 'e', 'write', 'b'));
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'f', write: '', read: '' });
    assert.equal(control.deleteTopicPermissions('u', '/', 'e'), 1);
    assert.ok(control.authorizeTopic('u', '/', 'e', 'write', 'anything'));
    assert.equal(control.deleteTopicPermissions('u', '/', null), 1);
    assert.equal(control.deleteTopicPermissions('u', '/', null), 0);
    assert.ok(control.authorizeTopic('u', '/', 'f', 'write', 'anything'));
  });
});

describe('users and permissions', () => {
  test('users are added once, changed and deleted', () => {
    const control = withUser();
    assert.equal(
      code(() => control.addUser(user('u'))),
      'NOT_ALLOWED',
    );
    control.setTags('u', ['administrator']);
    control.setUserLimits('u', { maxConnections: 5, maxChannels: null });
    control.setPasswordHash('u', '', 'rabbit_password_hashing_sha512');
    assert.deepEqual(control.user('u'), {
      name: 'u',
      passwordHash: '',
      hashingAlgorithm: 'rabbit_password_hashing_sha512',
      tags: ['administrator'],
      limits: { maxConnections: 5, maxChannels: null },
    });
    assert.ok(control.hasTag('u', 'administrator'));
    assert.equal(control.hasTag('u', 'monitoring'), false);
    assert.equal(control.hasTag('nobody', 'administrator'), false);
    control.clearUserLimits('u');
    assert.deepEqual(control.user('u')?.limits, noUserLimits);
    assert.ok(control.deleteUser('u'));
    assert.equal(control.deleteUser('u'), false);
    assert.equal(control.userCount, 0);
  });

  test('a deleted user takes its permissions along', () => {
    const control = withUser();
    control.putPermission({ user: 'u', vhost: '/', configure: '.*', write: '.*', read: '.*' });
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e', write: '', read: '' });
    control.deleteUser('u');
    control.putUser(user('u'));
    assert.deepEqual([control.permissions(), control.topicPermissions()], [[], []]);
    assert.equal(control.authorize('u', '/', 'write', 'q'), false);
  });

  test("a deleted vhost takes every user's permissions for it along, and says so once", () => {
    const changes: AccessChange[] = [];
    const control = new AccessControl({ record: change => void changes.push(change as AccessChange) });
    for (const name of ['u', 'v']) {
      control.putUser(user(name));
      for (const vhost of ['/', 'x']) control.putPermission({ user: name, vhost, configure: '.*', write: '.*', read: '.*' });
      control.putTopicPermission({ user: name, vhost: 'x', exchange: 'e', write: '', read: '' });
    }
    changes.length = 0;
    control.vhostDeleted('x');
    control.vhostDeleted('x');
    assert.deepEqual(changes, [{ kind: 'vhost-permissions.delete', vhost: 'x' }]);
    assert.deepEqual(
      control.permissions().map(each => `${each.user}${each.vhost}`),
      ['u/', 'v/'],
    );
    assert.deepEqual(control.topicPermissions(), []);
    assert.equal(control.authorize('u', 'x', 'write', 'q'), false);
  });

  test('lists are restricted to a user, a vhost or both', () => {
    const control = new AccessControl();
    for (const name of ['u', 'v', 'w']) control.putUser(user(name));
    for (const [name, vhost] of [
      ['u', '/'],
      ['u', 'x'],
      ['v', 'x'],
    ] as const)
      control.putPermission({ user: name, vhost, configure: '', write: '', read: '' });
    assert.equal(control.permissions({ user: 'u' }).length, 2);
    assert.equal(control.permissions({ vhost: 'x' }).length, 2);
    assert.equal(control.permissions({ user: 'u', vhost: 'x' }).length, 1);
    assert.deepEqual(
      control.usersWithoutPermissions().map(each => each.name),
      ['w'],
    );
    assert.ok(control.deletePermission('v', 'x'));
    assert.equal(control.deletePermission('v', 'x'), false);
    assert.deepEqual(
      control.usersWithoutPermissions().map(each => each.name),
      ['v', 'w'],
    );
  });

  test('malformed users and permissions are refused and change nothing', () => {
    const changes: MetadataChange[] = [];
    const control = new AccessControl({ record: change => void changes.push(change) });
    assert.equal(
      code(() => control.putUser(user(''))),
      'PRECONDITION_FAILED',
    );
    assert.equal(
      code(() => control.putUser(user('n'.repeat(256)))),
      'PRECONDITION_FAILED',
    );
    assert.equal(
      code(() =>
        control.putUser(
          user(
            'n'.repeat(255),
            Array.from({ length: 65 }, (_, index) => `t${index}`),
          ),
        ),
      ),
      'PRECONDITION_FAILED',
    );
    assert.equal(
      code(() => control.setTags('nobody', [])),
      'NOT_FOUND',
    );
    assert.equal(
      code(() => control.putPermission({ user: 'nobody', vhost: '/', configure: '', write: '', read: '' })),
      'NOT_FOUND',
    );
    assert.deepEqual(changes, []);
    control.putUser(user('n'.repeat(255)));
    control.putUser(user('u'));
    const generation = control.generation;
    assert.throws(() => control.putPermission({ user: 'u', vhost: '/', configure: '', write: '*', read: '' }), PatternError);
    assert.throws(() => control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e', write: '[', read: '' }), PatternError);
    assert.equal(control.generation, generation);
    assert.deepEqual(control.permissions(), []);
  });

  test('names that are keys of Object.prototype are only names', () => {
    const control = withUser('__proto__');
    control.putPermission({ user: '__proto__', vhost: 'constructor', configure: '.*', write: '.*', read: '.*' });
    assert.ok(control.authorize('__proto__', 'constructor', 'read', 'toString'));
    assert.equal(control.authorize('constructor', '__proto__', 'read', 'q'), false);
    assert.equal(control.user('toString'), undefined);
  });
});

describe('the state machine', () => {
  function busy(control: AccessControl): void {
    control.putUser(user('u', ['administrator']));
    control.putUser(user('v'));
    control.putUser(user('w'));
    control.putPermission({ user: 'u', vhost: '/', configure: '.*', write: '^a', read: '' });
    control.putPermission({ user: 'v', vhost: '/', configure: '.*', write: '.*', read: '.*' });
    control.putPermission({ user: 'v', vhost: 'x', configure: '', write: '', read: '.*' });
    control.putPermission({ user: 'w', vhost: 'x', configure: '', write: '', read: '.*' });
    control.putTopicPermission({ user: 'v', vhost: 'x', exchange: 'e', write: '^a', read: '.*' });
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'e', write: '^a', read: '.*' });
    control.putTopicPermission({ user: 'u', vhost: '/', exchange: 'f', write: '^a', read: '.*' });
    control.setUserLimits('u', { maxConnections: -1, maxChannels: 10 });
    control.deleteTopicPermissions('u', '/', 'f');
    control.deletePermission('v', '/');
    control.deleteUser('w');
    control.vhostDeleted('x');
  }

  test('the recorded changes, through JSON, and the snapshot both give the same state', () => {
    const log: string[] = [];
    const control = new AccessControl({ record: change => void log.push(JSON.stringify(change)) });
    busy(control);
    const replayed = new AccessControl();
    for (const line of log) {
      const change = JSON.parse(line) as MetadataChange;
      assert.ok(isAccessChange(change), line);
      replayed.apply(change);
      replayed.apply(change);
    }
    assert.deepEqual(replayed.snapshot(), control.snapshot());
    const restored = new AccessControl();
    for (const change of control.snapshot()) restored.apply(change);
    assert.deepEqual(restored.snapshot(), control.snapshot());
    assert.equal(control.snapshot().length, 4);
    assert.equal(isAccessChange({ kind: 'queue.put' }), false);
    assert.equal(isAccessChange({ kind: 'toString' }), false);
  });

  test('a change is recorded before it is applied, and one that cannot be recorded is not applied', () => {
    const control = new AccessControl({
      record() {
        throw new Error('disk full');
      },
    });
    assert.throws(() => control.putUser(user('u')), /disk full/);
    assert.equal(control.user('u'), undefined);
  });

  test('listeners hear of changes made here, not of replayed ones, until they stop', () => {
    const control = new AccessControl(nullJournal);
    const heard: string[] = [];
    const stop = control.onChange(change => heard.push(change.kind));
    control.putUser(user('u'));
    control.apply({ kind: 'user.put', user: user('v') });
    stop();
    control.deleteUser('u');
    assert.deepEqual(heard, ['user.put']);
  });

  test('what is stored is out of reach of the caller', () => {
    const control = new AccessControl();
    const tags = ['monitoring'];
    control.putUser(user('u', tags));
    tags.push('administrator');
    assert.equal(control.hasTag('u', 'administrator'), false);
  });
});

test('tags are read from a comma string or a list', () => {
  assert.deepEqual(parseTags('administrator, monitoring,,administrator '), ['administrator', 'monitoring']);
  assert.deepEqual(parseTags([' a ', '', 'b']), ['a', 'b']);
  assert.deepEqual(parseTags(''), []);
});
