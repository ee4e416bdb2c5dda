import { hashPassword } from '../../../auth/password.ts';
import {
  defaultHashingAlgorithm,
  isHashingAlgorithm,
  noUserLimits,
  parseTags,
  type HashingAlgorithm,
  type User,
} from '../../../core/access/user.ts';
import { fromBase64 } from '../../messages/payload-json.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys, textOf } from '../json-body.ts';
import { list, type Listing, single } from '../listing.ts';
import { badRequest, createdOrThere, HttpError, noContent, notFound, ok, type Reply } from '../reply.ts';
import { checkPassword } from '../password-rule.ts';
import { userView } from '../views/user-view.ts';

const listing: Listing<User> = { keys: { name: user => user.name }, view: userView };

export function listUsers(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.users(), listing);
}

export function listUsersWithoutPermissions(call: ApiCall): Promise<Reply> {
  return list(call, call.core.access.usersWithoutPermissions(), listing);
}

export function getUser(call: ApiCall): Reply {
  return single(call, userView(userOf(call)));
}

export function putUser(call: ApiCall): Reply {
  const { core, body } = call;
  const name = call.parameter('user');
  const existing = core.access.user(name);
  if (existing !== undefined) assertNotProtected(call, existing);
  if (!Object.hasOwn(body, 'tags') && !Object.hasOwn(body, 'administrator')) throw badRequest('tags_not_present');
  core.access.putUser({
    name,
    ...passwordOf(call, name),
    tags: tagsOf(body['tags'], body['administrator']),
    limits: existing?.limits ?? noUserLimits,
  });
  return createdOrThere(existing === undefined);
}

export function deleteUser(call: ApiCall): Reply {
  const user = userOf(call);
  assertNotProtected(call, user);
  call.core.access.deleteUser(user.name);
  return noContent;
}

/** All or none are deleted. */
export function deleteUsers(call: ApiCall): Reply {
  requireKeys(call.body, ['users']);
  const { users } = call.body;
  if (!Array.isArray(users) || !users.every(name => typeof name === 'string')) throw badRequest('users should be a list of names');
  for (const name of users) {
    const user = call.core.access.user(name);
    if (user === undefined) throw badRequest(['no_such_user', name]);
    assertNotProtected(call, user);
  }
  for (const name of users) call.core.access.deleteUser(name);
  return noContent;
}

/** Users with the tag `protected` are changed and deleted by the command line only. [RabbitMQ 4.2: rabbit_mgmt_wm_user] */
function assertNotProtected(call: ApiCall, user: User): void {
  if (user.tags.includes('protected') && !call.user.isLocal)
    throw new HttpError(412, 'precondition_failed', `user '${user.name}' is protected from changes and deletion over HTTP`);
}

/** Whether a user can log in by a password: the tags, or 401 with the reason. */
export async function checkCredentials(call: ApiCall): Promise<Reply> {
  requireKeys(call.body, ['username', 'password']);
  const { name, tags } = await call.services.login.authenticate(textOf(call.body, 'username'), textOf(call.body, 'password'), null, false);
  return ok({ name, tags });
}

export function whoami(call: ApiCall): Reply {
  return ok({ name: call.user.name, tags: call.user.tags });
}

/** The user of the path. @throws HttpError 404 */
export function userOf(call: ApiCall): User {
  const user = call.core.access.user(call.parameter('user'));
  if (user === undefined) throw notFound();
  return user;
}

export function hashOfPassword(call: ApiCall): Reply {
  return ok({ ok: hashPassword(call.parameter('password'), algorithmOf(call)) });
}

function algorithmOf(call: ApiCall): HashingAlgorithm {
  return call.services.settings.passwordHashing === 'sha512' ? 'rabbit_password_hashing_sha512' : defaultHashingAlgorithm;
}

function passwordOf(call: ApiCall, name: string): Pick<User, 'passwordHash' | 'hashingAlgorithm'> {
  const { body } = call;
  const { password, password_hash: passwordHash, hashing_algorithm: given } = body;
  if (password !== undefined && passwordHash !== undefined) throw badRequest('both_password_and_password_hash_are_provided');
  if (passwordHash !== undefined) {
    if (typeof passwordHash !== 'string' || fromBase64(passwordHash) === null) throw badRequest(['not_base64', passwordHash]);
    if (given !== undefined && !isHashingAlgorithm(given)) throw badRequest(['unknown_hashing_algorithm', given]);
    return { passwordHash, hashingAlgorithm: given ?? defaultHashingAlgorithm };
  }
  // Without a password nobody can log in as the user by one.
  if (password === undefined || password === '') return { passwordHash: '', hashingAlgorithm: defaultHashingAlgorithm };
  if (typeof password !== 'string') throw badRequest(['not_string', 'password']);
  checkPassword(call.services.settings.credentialValidator, name, password);
  const hashingAlgorithm = algorithmOf(call);
  return { passwordHash: hashPassword(password, hashingAlgorithm), hashingAlgorithm };
}

/** 'a, b', ["a", "b"], or the old way to say administrator. */
function tagsOf(tags: unknown, administrator: unknown): string[] {
  if (tags === undefined) return administrator === true || administrator === 'true' ? ['administrator'] : [];
  if (typeof tags === 'string') return parseTags(tags);
  if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string')) return parseTags(tags);
  throw badRequest('tags should be a string or a list of strings');
}
