import { preconditionFailed } from '../broker-error.ts';

/** How a password hash was made. [RabbitMQ docs: passwords] */
export type HashingAlgorithm = 'rabbit_password_hashing_sha256' | 'rabbit_password_hashing_sha512' | 'rabbit_password_hashing_md5';

export const defaultHashingAlgorithm: HashingAlgorithm = 'rabbit_password_hashing_sha256';

/** What a user may have at once. null and negative numbers mean no limit, 0 forbids. [RabbitMQ docs: user limits] */
export interface UserLimits {
  readonly maxConnections: number | null;
  readonly maxChannels: number | null;
}

export const noUserLimits: UserLimits = { maxConnections: null, maxChannels: null };

export interface User {
  readonly name: string;
  /** base64(salt ++ hash(salt ++ password)); '' if the user has no password and can log in only by other means. */
  readonly passwordHash: string;
  readonly hashingAlgorithm: HashingAlgorithm;
  readonly tags: readonly string[];
  readonly limits: UserLimits;
}

export const userNameBytesMax = 255;
export const userTagsMax = 64;

export function isHashingAlgorithm(name: unknown): name is HashingAlgorithm {
  return name === 'rabbit_password_hashing_sha256' || name === 'rabbit_password_hashing_sha512' || name === 'rabbit_password_hashing_md5';
}

/** Tags as people give them, 'administrator, monitoring' or a list: trimmed, without empty and repeated ones. [RabbitMQ: tag_list_from] */
export function parseTags(tags: string | readonly string[]): string[] {
  const list = typeof tags === 'string' ? tags.split(',') : tags;
  return [...new Set(list.map(tag => tag.trim()).filter(tag => tag !== ''))];
}

/** Throws BrokerError PRECONDITION_FAILED if the user's name, tags or hash are out of bounds. */
export function checkUser(user: User): void {
  if (user.name === '') throw preconditionFailed('user name must not be blank');
  if (Buffer.byteLength(user.name) > userNameBytesMax) throw preconditionFailed(`user name is longer than ${userNameBytesMax} bytes`);
  if (user.tags.length > userTagsMax) throw preconditionFailed(`user '${user.name}' has more than ${userTagsMax} tags`);
  if (user.tags.some(tag => tag.length > userNameBytesMax)) throw preconditionFailed(`a tag of user '${user.name}' is too long`);
  if (user.passwordHash.length > 1024) throw preconditionFailed(`password hash of user '${user.name}' is too long`);
}
