// Bindings: a line for each route.
import * as bodies from '../bodies.ts';
import * as bindings from '../handlers/bindings.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

const bindingPath = '/api/bindings/:vhost/e/:source/q/:destination';
const exchangeBindingPath = '/api/bindings/:vhost/e/:source/e/:destination';
const bindingPermission = 'write to the destination, read from the source';

export const bindingRoutes: readonly Route[] = [
  get('/api/bindings', 'management', 'Bindings', bindings.listBindings),
  get('/api/bindings/:vhost', 'management member', 'Bindings of a virtual host', bindings.listBindingsOfVhost),
  ...[bindingPath, exchangeBindingPath].flatMap(path => [
    get(path, 'management member', 'Bindings between an exchange and a queue or exchange', bindings.listBindingsBetween),
    route('POST', path, 'management member', bindingPermission, 'Binds', bindings.postBinding, bodies.bindingBody),
    get(`${path}/:props`, 'management member', 'One binding, by its properties key', bindings.getBinding),
    route('DELETE', `${path}/:props`, 'management member', bindingPermission, 'Unbinds', bindings.deleteBinding),
  ]),
];
