import type { Permission } from '../access/permissions.ts';
import { compilePattern, PatternError } from '../access/pattern.ts';
import type { TopicPermission } from '../access/topic-permissions.ts';
import { expandTopicPattern } from '../access/topic-permissions.ts';
import type { HashingAlgorithm, User, UserLimits } from '../access/user.ts';
import { defaultHashingAlgorithm, isHashingAlgorithm, parseTags, userTagsMax } from '../access/user.ts';
import type { Steps } from '../stepped-work.ts';
import type { Entry, ReadingContext } from './entry.ts';
import { isObject, readSection } from './entry.ts';

/** Hashes a plain password of a definitions file with the default algorithm. */
export type PasswordHasher = (password: string) => string;

const userKeys = ['name', 'password', 'password_hash', 'hashing_algorithm', 'tags', 'limits', 'administrator', 'permissions'];

/** Users, and the permissions that newer files may keep inside them. */
export function* readUsers(
  context: ReadingContext,
  section: unknown,
  version: string | null,
  hash: PasswordHasher,
): Steps<{ users: User[]; permissions: Permission[] }> {
  const permissions: Permission[] = [];
  const users = yield* readSection(context, 'users', section, userKeys, entry => {
    const name = entry.name('name');
    permissions.push(...readInnerPermissions(entry, name));
    return { name, ...readPassword(entry, version, hash), tags: readTags(entry), limits: readLimits(entry) };
  });
  return { users, permissions };
}

function readPassword(entry: Entry, version: string | null, hash: PasswordHasher): Pick<User, 'passwordHash' | 'hashingAlgorithm'> {
  const algorithm = readAlgorithm(entry, version);
  if (entry.has('password') && entry.has('password_hash')) entry.problem('both_password_and_password_hash_are_provided');
  else if (entry.has('password')) {
    const password = entry.text('password', '');
    return { passwordHash: password === '' ? '' : hash(password), hashingAlgorithm: defaultHashingAlgorithm };
  }
  return { passwordHash: readHash(entry, algorithm), hashingAlgorithm: algorithm };
}

/** Files of brokers before 3.6 name no algorithm and mean MD5. [RabbitMQ: hashing_algorithm] */
function readAlgorithm(entry: Entry, version: string | null): HashingAlgorithm {
  if (!entry.has('hashing_algorithm')) return /^3\.[0-5]\./.test(version ?? '') ? 'rabbit_password_hashing_md5' : defaultHashingAlgorithm;
  const algorithm = entry.text('hashing_algorithm', '');
  if (isHashingAlgorithm(algorithm)) return algorithm;
  entry.problem(
    'hashing_algorithm is not known; it is one of rabbit_password_hashing_sha256, rabbit_password_hashing_sha512, rabbit_password_hashing_md5',
  );
  return defaultHashingAlgorithm;
}

const hashBytes: Readonly<Record<HashingAlgorithm, number>> = {
  rabbit_password_hashing_sha256: 4 + 32,
  rabbit_password_hashing_sha512: 4 + 64,
  rabbit_password_hashing_md5: 4 + 16,
};

function readHash(entry: Entry, algorithm: HashingAlgorithm): string {
  const passwordHash = entry.text('password_hash', '');
  if (passwordHash === '') return '';
  if (passwordHash.length > 1024 || !/^[A-Za-z0-9+/]+={0,2}$/.test(passwordHash) || passwordHash.length % 4 !== 0) {
    entry.problem('password_hash is not base64');
    return '';
  }
  if (Buffer.from(passwordHash, 'base64').length !== hashBytes[algorithm]) {
    entry.warning(`password_hash is no ${algorithm} hash: the user cannot log in with a password`);
  }
  return passwordHash;
}

function readTags(entry: Entry): string[] {
  const tags = entry.raw('tags');
  if (tags === undefined) return entry.boolean('administrator', false) ? ['administrator'] : [];
  const isList = Array.isArray(tags) && tags.every(tag => typeof tag === 'string');
  if (typeof tags !== 'string' && !isList) {
    entry.problem('"tags" should be a string or a list of strings');
    return [];
  }
  const parsed = parseTags(tags);
  if (parsed.length > userTagsMax) entry.problem(`more than ${userTagsMax} tags`);
  return parsed;
}

function readLimits(entry: Entry): UserLimits {
  const limits = entry.object('limits');
  for (const key of Object.keys(limits)) {
    if (key !== 'max-connections' && key !== 'max-channels') entry.warning(`unknown limit "${key.slice(0, 100)}" ignored`);
  }
  return {
    maxConnections: readLimit(entry, limits['max-connections'], 'max-connections'),
    maxChannels: readLimit(entry, limits['max-channels'], 'max-channels'),
  };
}

function readLimit(entry: Entry, value: unknown, name: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  entry.problem(`${name} should be a number`);
  return null;
}

/** {"permissions": {"vhost": {"configure", "write", "read"}}}. [RabbitMQ: preconfigure_permissions] */
function readInnerPermissions(entry: Entry, user: string): Permission[] {
  return Object.entries(entry.object('permissions')).flatMap(([vhost, patterns]) => {
    if (!isObject(patterns)) {
      entry.problem('"permissions" should have an object for each vhost');
      return [];
    }
    const [configure, write, read] = [patterns['configure'], patterns['write'], patterns['read']];
    if (typeof configure !== 'string' || typeof write !== 'string' || typeof read !== 'string') {
      entry.problem('"permissions" should have "configure", "write" and "read"');
      return [];
    }
    for (const pattern of [configure, write, read]) checkPattern(entry, pattern);
    return [{ user, vhost, configure, write, read }];
  });
}

export function* readPermissions(context: ReadingContext, section: unknown): Steps<Permission[]> {
  return yield* readSection(context, 'permissions', section, ['user', 'vhost', 'configure', 'write', 'read'], entry => {
    const permission = {
      user: entry.name('user'),
      vhost: entry.vhost(),
      configure: entry.text('configure'),
      write: entry.text('write'),
      read: entry.text('read'),
    };
    for (const pattern of [permission.configure, permission.write, permission.read]) checkPattern(entry, pattern);
    return permission;
  });
}

export function* readTopicPermissions(context: ReadingContext, section: unknown): Steps<TopicPermission[]> {
  return yield* readSection(context, 'topic_permissions', section, ['user', 'vhost', 'exchange', 'write', 'read'], entry => {
    const permission = {
      user: entry.name('user'),
      vhost: entry.vhost(),
      exchange: entry.shortText('exchange'),
      write: entry.text('write'),
      read: entry.text('read'),
    };
    const sample = { username: 'u', vhost: 'v', clientId: 'c' };
    for (const pattern of [permission.write, permission.read]) checkPattern(entry, expandTopicPattern(pattern, sample));
    return permission;
  });
}

function checkPattern(entry: Entry, pattern: string): void {
  try {
    compilePattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    entry.problem(error.text);
  }
}
