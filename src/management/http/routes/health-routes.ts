// Health: a line for each route.
import * as health from '../handlers/health.ts';
import type { Route } from '../route.ts';
import { get } from './route-line.ts';

export const healthRoutes: readonly Route[] = [
  get('/api/aliveness-test', 'management', 'Whether the broker works', health.checkAlivenessOfDefault),
  get('/api/aliveness-test/:vhost', 'management member', 'Whether a virtual host works', health.checkAliveness),
  get('/api/healthchecks/node', 'management', 'Whether the node works, the old way', health.checkNodeHealth),
  get('/api/healthchecks/node/:node', 'management', 'Whether the node works, the old way', health.checkNodeHealth),
  get('/api/health/checks/alarms', 'management', '503 while an alarm is in effect', health.checkAlarms),
  get('/api/health/checks/local-alarms', 'management', '503 while an alarm is in effect on this node', health.checkAlarms),
  get(
    '/api/health/checks/certificate-expiration/:within/:unit',
    'management',
    '503 when a certificate ends within a time',
    health.checkCertificates,
  ),
  get('/api/health/checks/port-listener/:port', 'management', '503 without a listener on the port', health.checkPort),
  get('/api/health/checks/protocol-listener/:protocols', 'management', '503 without a listener of each protocol', health.checkProtocols),
  get('/api/health/checks/virtual-hosts', 'management', '503 when a virtual host is down', health.checkVhosts),
  get('/api/health/checks/node-is-quorum-critical', 'management', 'Whether quorum queues can do without the node', health.checkQuorum),
  get('/api/health/checks/node-is-mirror-sync-critical', 'management', 'Of the past: there are no mirrors', health.checkQuorum),
  get('/api/health/checks/is-in-service', 'management', '503 while the node is being drained', health.checkInService),
  get(
    '/api/health/checks/below-node-connection-limit',
    'management',
    '503 when no more connections are taken',
    health.checkConnectionLimit,
  ),
  get('/api/health/checks/metadata-store/initialized', 'management', 'Whether the metadata is loaded', health.checkVhosts),
  get(
    '/api/health/checks/metadata-store/initialized/with-data',
    'management',
    'Whether the metadata is loaded, with something in it',
    health.checkVhosts,
  ),
  get('/api/health/checks/ready-to-serve-clients', 'management', '503 while clients cannot connect', health.checkReady),
];
