// Every route of the HTTP API, asked with each tag for a virtual host of one's own and one of others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route } from '../../../src/management/http/route.ts';
import { routes } from '../../../src/management/http/routes.ts';
import { withManagement } from '../management/with-management.ts';
import { addUser } from './grants.ts';

/** The tags of users that have what a route asks for. [RabbitMQ docs: management, permissions] */
const whoHas: Readonly<Record<Route['tag'], readonly string[]>> = {
  anybody: ['none', 'management', 'policymaker', 'monitoring', 'administrator'],
  management: ['management', 'policymaker', 'monitoring', 'administrator'],
  policymaker: ['policymaker', 'administrator'],
  monitoring: ['monitoring', 'administrator'],
  administrator: ['administrator'],
};

/** Tags whose users need not belong to a virtual host to ask about it. */
const whoMayLookIn: Readonly<Record<Route['vhost'], readonly string[]>> = {
  none: whoHas.management,
  observer: ['monitoring', 'administrator'],
  member: ['administrator'],
};

/** Names that nothing has: whoever may ask is told so. */
function pathOf({ path }: Route, vhost: string): string {
  return path.replace(':vhost', vhost).replace(/:\w+/g, 'missing');
}

test('every route of the API answers each tag as its line in the table says', async t => {
  await withManagement({}, async ({ broker: { core }, http }) => {
    const all = { configure: '.*', write: '.*', read: '.*' };
    for (const tag of whoHas.anybody) addUser(core, tag, tag === 'none' ? [] : [tag]);
    let cells = 0;
    for (const route of routes) {
      // A wrong password is told with the same status.
      if (route.path === '/api/auth/check' || route.path === '/api/login') continue;
      for (const vhost of route.path.includes(':vhost') ? ['own', 'foreign'] : ['own']) {
        for (const tag of whoHas.anybody) {
          // Administrators may delete them.
          for (const name of ['own', 'foreign']) core.addVhost({ name, description: '', tags: [], defaultQueueType: null });
          core.access.putPermission({ user: tag, vhost: 'own', ...all });
          const path = pathOf(route, vhost);
          const body = route.method === 'GET' ? {} : { body: {} };
          const { status, text } = await http.request(route.method, path, { user: `${tag}:${tag}`, ...body });
          const mayAsk = whoHas[route.tag].includes(tag) && (vhost === 'own' || whoMayLookIn[route.vhost].includes(tag));
          // Administrators come everywhere, and have the permissions that they have.
          if (mayAsk && vhost === 'foreign' && route.permission !== 'none') continue;
          assert.equal(status !== 401, mayAsk, `${route.method} ${path} with the tag ${tag}: ${status} ${text.slice(0, 200)}`);
          assert.notEqual(status, 500, text);
          cells++;
        }
      }
    }
    t.diagnostic(`${cells} cells`);
    assert.ok(cells > 1000);
  });
});

test('what the tags mean: who watches changes nothing, who makes policies makes policies, all else is for administrators', () => {
  const changing = routes.filter(({ method, tag }) => method !== 'GET' && tag !== 'anybody');
  const by = (tag: Route['tag']) => changing.filter(route => route.tag === tag);
  assert.deepEqual(by('monitoring'), []);
  assert.ok(by('policymaker').every(({ path }) => /^\/api\/(policies|parameters|global-parameters)\//.test(path)));
  // The rest asks for permissions, or is about what is one's own.
  const others = by('management').filter(({ permission }) => permission === 'none');
  assert.deepEqual(
    others.map(({ method, path }) => `${method} ${path}`),
    ['POST /api/exchanges/:vhost/:name/explain', 'POST /api/queues/:vhost/:name/actions', 'DELETE /api/stream/connections/:vhost/:name'],
  );
});
