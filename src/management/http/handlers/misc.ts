import type { ApiCall } from '../api-call.ts';
import { list } from '../listing.ts';
import { badRequest, noContent, notFound, ok, type Reply } from '../reply.ts';
import { featureFlags } from '../feature-flags.ts';

/** What has no meaning here, or none yet, answers as a RabbitMQ that has nothing of it. */
export function listNothing(_call: ApiCall): Reply {
  return ok([]);
}

export function listNothingOfVhost(call: ApiCall): Reply {
  call.vhost();
  return ok([]);
}

export function findNothing(_call: ApiCall): Reply {
  throw notFound();
}

export function listExtensions(_call: ApiCall): Reply {
  return ok([{ javascript: 'dispatcher.js' }]);
}

/** How to log in: by name and password. */
export function getAuthMethods(_call: ApiCall): Reply {
  return ok({ oauth_enabled: false, enable_uaa: false, uaa_client_id: '', uaa_location: '' });
}

export function listFeatureFlags(call: ApiCall): Promise<Reply> {
  return list(call, featureFlags, { keys: { name: flag => flag.name }, view: flag => ({ ...flag }) });
}

/** All features are there from the start. */
export function enableFeatureFlag(call: ApiCall): Reply {
  if (!featureFlags.some(flag => flag.name === call.parameter('name'))) throw badRequest('unsupported');
  return noContent;
}

/** There is one node: queues are where they can be. */
export function rebalanceQueues(_call: ApiCall): Reply {
  return noContent;
}
