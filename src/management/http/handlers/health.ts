import type { ApiCall } from '../api-call.ts';
import { badRequest, type JsonObject, ok, type Reply } from '../reply.ts';
import { protocolName } from '../../listener-info.ts';

const healthy: Reply = ok({ status: 'ok' });
const singleNode: Reply = ok({ status: 'ok', reason: 'single node cluster' });

function failed(facts: JsonObject): Reply {
  return { status: 503, json: { status: 'failed', ...facts } };
}

/** Alarms of the whole cluster, and of this node: the same here. */
export function checkAlarms(call: ApiCall): Reply {
  const { active } = call.core.alarms;
  if (active.length === 0) return healthy;
  const isLocal = call.route.path.endsWith('local-alarms');
  return failed({
    reason: isLocal ? 'There are alarms in effect on the node' : 'There are alarms in effect in the cluster',
    alarms: active.map(resource => ({ node: call.nodeName, resource })),
  });
}

/** Virtual hosts are up as soon as they exist, and the API is not there before all that was stored is loaded. */
export function checkVhosts(_call: ApiCall): Reply {
  return healthy;
}

export function checkQuorum(_call: ApiCall): Reply {
  return singleNode;
}

export function checkInService(call: ApiCall): Reply {
  if (call.services.control?.isAppRunning === false) return failed({ reason: 'the node was stopped with stop_app', node: call.nodeName });
  if (call.services.control?.isListening === false) return failed({ reason: 'Node is being drained', node: call.nodeName });
  return ok({ status: 'ok', node: call.nodeName });
}

export function checkReady(call: ApiCall): Reply {
  const isListening = call.services.control?.isListening !== false;
  return isListening && call.services.listeners().some(({ protocol }) => protocol.startsWith('amqp'))
    ? healthy
    : failed({ reason: 'no AMQP listener is active' });
}

export function checkConnectionLimit(call: ApiCall): Reply {
  const { connectionsMax } = call.core.settings;
  const current = call.core.connections.size;
  if (current < connectionsMax) return ok({ status: 'ok', limit: connectionsMax, connections: current });
  return failed({ reason: 'node connection limit is reached', limit: connectionsMax, connections: current });
}

export function checkPort(call: ApiCall): Reply {
  const text = call.parameter('port');
  if (!/^\d{1,5}$/.test(text)) throw badRequest('Invalid port');
  const port = Number(text);
  const ports = call.services.listeners().map(listener => listener.port);
  if (ports.includes(port)) return ok({ status: 'ok', port });
  return failed({ reason: 'No active listener', missing: port, ports });
}

/** All protocols of a list (separated by commas) must have a listener. */
export function checkProtocols(call: ApiCall): Reply {
  const wanted = call.parameter('protocols').split(',');
  const names = wanted.map(name => protocolName(name.trim()));
  const protocols = [...new Set(call.services.listeners().map(({ protocol }) => protocol))];
  const missing = names.filter(name => !protocols.includes(name));
  const isOne = names.length === 1;
  if (missing.length === 0) return ok({ status: 'ok', ...(isOne ? { protocol: names[0] } : { protocols: names }) });
  return failed({ reason: 'No active listener', missing: isOne ? missing[0] : missing, protocols });
}

const unitDays: Readonly<Record<string, number>> = { days: 1, weeks: 7, months: 30, years: 365 };

/** Certificates of the listeners that end within a time. */
export function checkCertificates(call: ApiCall): Reply {
  const days = Object.hasOwn(unitDays, call.parameter('unit')) ? unitDays[call.parameter('unit')] : undefined;
  if (days === undefined) throw badRequest('Time unit not recognised. Supported units: days, weeks, months, years.');
  const within = call.parameter('within');
  if (!/^\d{1,6}$/.test(within)) throw badRequest('Invalid expiration value.');
  const until = Date.now() + Number(within) * days * 86_400_000;
  const expired = call.services
    .listeners()
    .filter(({ certificateValidTo }) => certificateValidTo !== null && Date.parse(certificateValidTo) < until);
  if (expired.length === 0) return healthy;
  return failed({
    reason: 'Certificates expiring',
    expired: expired.map(({ protocol, port, host, certificateValidTo }) => ({
      node: call.nodeName,
      protocol,
      interface: host,
      port: String(port),
      cacertfile_expires_on: [],
      certfile_expires_on: [certificateValidTo],
    })),
  });
}

/** Asks nothing of the virtual host but that it is there and the user's. [RabbitMQ 4.1: aliveness-test is a no-op] */
export function checkAliveness(call: ApiCall): Reply {
  call.vhost();
  return healthy;
}

export function checkAlivenessOfDefault(_call: ApiCall): Reply {
  return healthy;
}

/** The deprecated check of the whole node. */
export function checkNodeHealth(call: ApiCall): Reply {
  const { active } = call.core.alarms;
  return active.length === 0 ? healthy : ok({ status: 'failed', reason: `resource alarm(s) in effect:${active.join(',')}` });
}
