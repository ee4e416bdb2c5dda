// Exchanges: a line for each route.
import * as bodies from '../bodies.ts';
import * as delayed from '../handlers/delayed.ts';
import * as exchanges from '../handlers/exchanges.ts';
import * as messages from '../handlers/messages.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

export const exchangeRoutes: readonly Route[] = [
  get('/api/exchanges', 'management', 'Exchanges', exchanges.listExchanges),
  get('/api/exchanges/:vhost', 'management member', 'Exchanges of a virtual host', exchanges.listExchangesOfVhost),
  get('/api/exchanges/:vhost/:name', 'management member', 'One exchange', exchanges.getExchange),
  route(
    'PUT',
    '/api/exchanges/:vhost/:name',
    'management member',
    'configure the exchange',
    'Declares an exchange',
    exchanges.putExchange,
    bodies.exchangeBody,
  ),
  route(
    'DELETE',
    '/api/exchanges/:vhost/:name',
    'management member',
    'configure the exchange',
    'Deletes an exchange',
    exchanges.deleteExchange,
  ),
  get('/api/exchanges/:vhost/:name/bindings/source', 'management member', 'Bindings from an exchange', exchanges.listSourceBindings),
  get(
    '/api/exchanges/:vhost/:name/bindings/destination',
    'management member',
    'Bindings to an exchange',
    exchanges.listDestinationBindings,
  ),
  route(
    'POST',
    '/api/exchanges/:vhost/:name/publish',
    'management member',
    'write to the exchange',
    'Publishes a message',
    exchanges.publishToExchange,
    bodies.publishBody,
  ),

  route(
    'POST',
    '/api/exchanges/:vhost/:name/explain',
    'management member',
    'none',
    'Tells what a publish would reach, and by which bindings',
    messages.explainPublish,
    bodies.explainBody,
  ),
  route(
    'GET',
    '/api/exchanges/:vhost/:name/delayed',
    'management member',
    'read from the exchange',
    'Messages that the exchange holds for later, in the order of their release',
    delayed.delayedByExchange.list,
  ),
  route(
    'GET',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'read from the exchange',
    'One message that the exchange holds for later',
    delayed.delayedByExchange.get,
  ),
  route(
    'PUT',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'write to the exchange',
    'Holds a message until another time',
    delayed.delayedByExchange.reschedule,
    bodies.rescheduleBody,
  ),
  route(
    'DELETE',
    '/api/exchanges/:vhost/:name/delayed/:id',
    'management member',
    'write to the exchange',
    'Drops a message that the exchange holds for later',
    delayed.delayedByExchange.cancel,
  ),
];
