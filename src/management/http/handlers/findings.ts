import type { ApiCall } from '../api-call.ts';
import { isMonitor } from '../api-user.ts';
import { isMember } from '../authorize.ts';
import { badRequest, notFound, ok, type Reply } from '../reply.ts';
import type { Finding } from '../../findings/finding.ts';

const limitDefault = 100;
const limitMax = 500;

/** What the broker noticed, in words, as far as the user may see what it is about. With `vhost` and `queue`: of that queue. */
export async function listFindings(call: ApiCall): Promise<Reply> {
  const { core, query, services, user } = call;
  const limit = Math.min(limitMax, limitOf(query.get('limit')));
  const queueName = query.get('queue');
  if (queueName !== null) {
    const vhost = core.vhosts.get(query.get('vhost') ?? '/');
    const queue = vhost === undefined || !isMember(user, core.access, vhost.name) ? undefined : vhost.queues.get(queueName);
    if (vhost === undefined || queue === undefined) throw notFound();
    return ok(services.findings.ofQueue(vhost, queue).slice(0, limit).map(view));
  }
  const found = await services.findings.all();
  const own = new Set<string>();
  if (!isMonitor(user)) for (const connection of core.connections) if (connection.user === user.name) own.add(connection.name);
  return ok(
    found
      .filter(finding => maySee(call, finding, own))
      .slice(0, limit)
      .map(view),
  );
}

/** `own` are the names of the user's connections. */
function maySee({ core, user }: ApiCall, { kind, vhost, name }: Finding, own: ReadonlySet<string>): boolean {
  if (kind === 'node') return true;
  if (kind !== 'connection') return isMember(user, core.access, vhost);
  return isMonitor(user) || own.has(name);
}

function view({ severity, text, advice, kind, vhost, name }: Finding): Omit<Finding, 'weight'> {
  return { severity, text, advice, kind, vhost, name };
}

function limitOf(text: string | null): number {
  if (text === null) return limitDefault;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw badRequest('limit should be a whole number');
  return Number(text);
}
