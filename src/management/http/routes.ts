// Everything the HTTP API serves: one line a route in the tables of routes/, with what a user needs for it. A route that is not there answers 404.
import { describeApiPage } from './api-page.ts';
import { describeApi } from './openapi.ts';
import { ok } from './reply.ts';
import type { Route } from './route.ts';
import { bindingRoutes } from './routes/binding-routes.ts';
import { connectionRoutes } from './routes/connection-routes.ts';
import { definitionsRoutes } from './routes/definitions-routes.ts';
import { exchangeRoutes } from './routes/exchange-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { limitRoutes } from './routes/limit-routes.ts';
import { nodeRoutes } from './routes/node-routes.ts';
import { otherRoutes } from './routes/other-routes.ts';
import { parameterRoutes } from './routes/parameter-routes.ts';
import { queueRoutes } from './routes/queue-routes.ts';
import { userRoutes } from './routes/user-routes.ts';
import { vhostRoutes } from './routes/vhost-routes.ts';
import { get } from './routes/route-line.ts';

export const routes: readonly Route[] = [
  ...nodeRoutes,
  get('/api', 'anybody', 'This description, as a page', call => ({
    status: 301,
    headers: { location: `${call.services.settings.management.pathPrefix}/api/index.html` },
  })),
  get('/api/index.html', 'anybody', 'This description, as a page', () => describeApiPage(routes)),
  get('/api/openapi.json', 'anybody', 'This description', () => ok(describeApi(routes))),
  ...definitionsRoutes,
  ...connectionRoutes,
  ...exchangeRoutes,
  ...queueRoutes,
  ...bindingRoutes,
  ...vhostRoutes,
  ...userRoutes,
  ...limitRoutes,
  ...parameterRoutes,
  ...healthRoutes,
  ...otherRoutes,
];
