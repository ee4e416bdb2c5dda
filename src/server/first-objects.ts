import { hashPassword } from '../auth/password.ts';
import { defaultHashingAlgorithm, type HashingAlgorithm, noUserLimits } from '../core/access/user.ts';
import type { BrokerCore } from '../core/broker.ts';

/** What a broker without any data begins with. [RabbitMQ docs: default user] */
export interface FirstObjects {
  readonly vhost: string;
  readonly user: string;
  readonly password: string;
  readonly hashingAlgorithm: HashingAlgorithm;
  readonly tags: readonly string[];
  readonly permissions: { readonly configure: string; readonly write: string; readonly read: string };
}

export const defaultFirstObjects: FirstObjects = {
  vhost: '/',
  user: 'guest',
  password: 'guest',
  hashingAlgorithm: defaultHashingAlgorithm,
  tags: ['administrator'],
  permissions: { configure: '.*', write: '.*', read: '.*' },
};

/** Adds a virtual host and a user with permissions there. */
export function addFirstObjects(core: BrokerCore, objects: FirstObjects): void {
  const { vhost, user, password, hashingAlgorithm, tags, permissions } = objects;
  core.addVhost({ name: vhost, description: 'Default virtual host', tags: [], defaultQueueType: null });
  core.access.addUser({ name: user, passwordHash: hashPassword(password, hashingAlgorithm), hashingAlgorithm, tags, limits: noUserLimits });
  core.access.putPermission({ user, vhost, ...permissions });
}
