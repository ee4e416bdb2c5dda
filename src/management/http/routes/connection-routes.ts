// Connections, channels, consumers: a line for each route.
import * as channels from '../handlers/channels.ts';
import * as connections from '../handlers/connections.ts';
import * as consumers from '../handlers/consumers.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const connectionRoutes: readonly Route[] = [
  get('/api/connections', 'management', 'Open connections', connections.listConnections),
  get('/api/vhosts/:vhost/connections', 'management member', 'Open connections of a virtual host', connections.listConnectionsOfVhost),
  get('/api/connections/:name', 'management', 'One connection', connections.getConnection),
  route(
    'DELETE',
    '/api/connections/:name',
    'management',
    'own connections; administrators: all',
    'Closes a connection; X-Reason tells the client why',
    connections.deleteConnection,
  ),
  get('/api/connections/username/:username', 'management', 'Connections of a user', connections.listConnectionsOfUser),
  route(
    'DELETE',
    '/api/connections/username/:username',
    'administrator',
    'none',
    'Closes all connections of a user',
    connections.deleteConnectionsOfUser,
  ),
  get('/api/connections/:name/channels', 'management', 'Channels of a connection', channels.listChannelsOfConnection),
  get('/api/connections/:name/sessions', 'management', 'AMQP 1.0 sessions of a connection', channels.listSessionsOfConnection),
  get('/api/channels', 'management', 'Open channels', channels.listChannels),
  get('/api/vhosts/:vhost/channels', 'management member', 'Open channels of a virtual host', channels.listChannelsOfVhost),
  get('/api/channels/:name', 'management', 'One channel', channels.getChannel),
  get('/api/consumers', 'management', 'Consumers', consumers.listConsumers),
  get('/api/consumers/:vhost', 'management observer', 'Consumers of a virtual host', consumers.listConsumersOfVhost),
];
