import { authAttempts } from '../../auth-attempts.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys, textOf } from '../json-body.ts';
import { list, single } from '../listing.ts';
import { noContent, notFound, ok, type JsonObject, type Reply } from '../reply.ts';
import { sampleRangesOf } from '../sample-ranges.ts';
import { binaryView, memoryView } from '../views/memory-view.ts';
import { nodeView } from '../views/node-view.ts';
import { clusterName, overviewView } from '../views/overview-view.ts';

export function getOverview(call: ApiCall): Reply {
  return single(call, overviewView(call, sampleRangesOf(call.query)));
}

export async function listNodes(call: ApiCall): Promise<Reply> {
  await call.services.node.refresh();
  const ranges = sampleRangesOf(call.query);
  return await list(call, [call.nodeName], { keys: { name: name => name }, view: () => nodeView(call.services, ranges) });
}

export async function getNode(call: ApiCall): Promise<Reply> {
  checkNode(call);
  await call.services.node.refresh();
  const view = nodeView(call.services, sampleRangesOf(call.query));
  if (call.flag('memory')) view['memory'] = memoryView(call.services);
  if (call.flag('binary')) view['binary'] = binaryView(call.services);
  return single(call, view);
}

export function getNodeMemory(call: ApiCall): Reply {
  checkNode(call);
  return ok({ memory: memoryView(call.services) });
}

/** The parts of the memory as percentages of the whole. */
export function getRelativeMemory(call: ApiCall): Reply {
  checkNode(call);
  const view = memoryView(call.services);
  const total = (view['total'] as { rss: number }).rss;
  const relative: JsonObject = {};
  for (const [name, value] of Object.entries(view)) if (typeof value === 'number') relative[name] = Math.floor((value * 100) / total);
  return ok({ memory: { ...relative, total: 100 } });
}

/** Erlang's tables, of which there are none. */
export function getEts(call: ApiCall): Reply {
  checkNode(call);
  return ok({ ets: { total: 0 } });
}

export function getClusterName(call: ApiCall): Reply {
  return single(call, { name: clusterName(call.services) });
}

export function putClusterName(call: ApiCall): Reply {
  requireKeys(call.body, ['name']);
  call.core.parameters.putGlobal('cluster_name', textOf(call.body, 'name'));
  return noContent;
}

export function getAuthAttempts(call: ApiCall): Promise<Reply> {
  checkNode(call);
  const attempts = authAttempts(call.services);
  return list(call, attempts, {
    keys: {},
    view: ({ protocol, succeeded, failed }) => ({
      protocol,
      auth_attempts: succeeded + failed,
      auth_attempts_failed: failed,
      auth_attempts_succeeded: succeeded,
    }),
  });
}

/** Attempts by source are counted only where RabbitMQ is told to; here they are in the audit log. */
export function getAuthAttemptsBySource(call: ApiCall): Reply {
  checkNode(call);
  return ok([]);
}

export function deleteAuthAttempts(call: ApiCall): Reply {
  checkNode(call);
  call.services.login.counters.failed = 0;
  call.services.login.counters.succeeded = 0;
  return noContent;
}

/** Forgets what was measured; there is nothing else in this statistics database. */
export function resetStatistics(call: ApiCall): Reply {
  call.services.node.resetLoopDelay();
  return noContent;
}

export function resetNodeStatistics(call: ApiCall): Reply {
  checkNode(call);
  return resetStatistics(call);
}

function checkNode(call: ApiCall): void {
  if (call.parameter('node') !== call.nodeName) throw notFound();
}
