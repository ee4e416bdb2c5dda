// What has no meaning here, or none yet: a line for each route.
import * as misc from '../handlers/misc.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const otherRoutes: readonly Route[] = [
  get('/api/federation-links', 'monitoring', 'Federation links: none', misc.listNothing),
  get('/api/federation-links/:vhost', 'monitoring', 'Federation links of a virtual host: none', misc.listNothingOfVhost),
  get('/api/shovels', 'monitoring', 'Shovels: none', misc.listNothing),
  get('/api/shovels/:vhost', 'monitoring', 'Shovels of a virtual host: none', misc.listNothingOfVhost),
  get('/api/traces', 'administrator', 'Trace logs: none', misc.listNothing),
  get('/api/traces/:vhost', 'administrator', 'Trace logs of a virtual host: none', misc.listNothingOfVhost),
  get('/api/trace-files', 'administrator', 'Files of traces: none', misc.listNothing),
  get('/api/stream/connections', 'management', 'Connections of the stream protocol: none', misc.listNothing),
  get('/api/stream/connections/:vhost', 'management member', 'Connections of the stream protocol: none', misc.listNothingOfVhost),
  get('/api/stream/connections/:vhost/:name', 'management member', 'One connection of the stream protocol', misc.findNothing),
  route(
    'DELETE',
    '/api/stream/connections/:vhost/:name',
    'management member',
    'none',
    'Closes a connection of the stream protocol',
    misc.findNothing,
  ),
  get('/api/stream/connections/:vhost/:name/publishers', 'management member', 'Publishers of the stream protocol', misc.findNothing),
  get('/api/stream/connections/:vhost/:name/consumers', 'management member', 'Consumers of the stream protocol', misc.findNothing),
  get('/api/stream/publishers', 'management', 'Publishers of the stream protocol: none', misc.listNothing),
  get('/api/stream/publishers/:vhost', 'management member', 'Publishers of the stream protocol: none', misc.listNothingOfVhost),
  get('/api/stream/publishers/:vhost/:stream', 'management member', 'Publishers of a stream: none', misc.listNothingOfVhost),
  get('/api/stream/consumers', 'management', 'Consumers of the stream protocol: none', misc.listNothing),
  get('/api/stream/consumers/:vhost', 'management member', 'Consumers of the stream protocol: none', misc.listNothingOfVhost),
];
