// Definitions: a line for each route.
import * as bodies from '../bodies.ts';
import * as definitions from '../handlers/definitions.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const definitionsRoutes: readonly Route[] = [
  get('/api/definitions', 'administrator', 'All definitions', definitions.getDefinitions),
  route('POST', '/api/definitions', 'administrator', 'none', 'Imports definitions', definitions.postDefinitions, bodies.definitionsBody),
  get('/api/definitions/:vhost', 'administrator member', 'The definitions of a virtual host', definitions.getVhostDefinitions),
  route(
    'POST',
    '/api/definitions/:vhost',
    'administrator member',
    'none',
    'Imports definitions into a virtual host',
    definitions.postVhostDefinitions,
    bodies.definitionsBody,
  ),
  get('/api/all-configuration', 'administrator', 'All definitions, by an old name', definitions.getDefinitions),
  route(
    'POST',
    '/api/all-configuration',
    'administrator',
    'none',
    'Imports definitions, by an old name',
    definitions.postDefinitions,
    bodies.definitionsBody,
  ),
];
