import type { User, UserLimits } from '../../../core/access/user.ts';
import type { JsonObject } from '../reply.ts';

export function userView({ name, passwordHash, hashingAlgorithm, tags, limits }: User): JsonObject {
  return { name, password_hash: passwordHash, hashing_algorithm: hashingAlgorithm, tags, limits: userLimitsView(limits) };
}

export function userLimitsView({ maxChannels, maxConnections }: UserLimits): JsonObject {
  const view: JsonObject = {};
  if (maxChannels !== null) view['max-channels'] = maxChannels;
  if (maxConnections !== null) view['max-connections'] = maxConnections;
  return view;
}
