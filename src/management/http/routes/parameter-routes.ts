// Parameters and policies: a line for each route.
import * as bodies from '../bodies.ts';
import * as parameters from '../handlers/parameters.ts';
import * as policies from '../handlers/policies.ts';
import type { Route } from '../route.ts';
import { get, type Needs, route } from './route-line.ts';

export const parameterRoutes: readonly Route[] = [
  get('/api/parameters', 'policymaker', 'Parameters', parameters.listParameters),
  get('/api/parameters/:component', 'policymaker', 'Parameters of a component', parameters.listParametersOfComponent),
  get(
    '/api/parameters/:component/:vhost',
    'policymaker member',
    'Parameters of a component in a virtual host',
    parameters.listParametersOfVhost,
  ),
  get('/api/parameters/:component/:vhost/:name', 'policymaker member', 'One parameter', parameters.getParameter),
  route(
    'PUT',
    '/api/parameters/:component/:vhost/:name',
    'policymaker member',
    'none',
    'Sets a parameter',
    parameters.putParameter,
    bodies.valueBody,
  ),
  route(
    'DELETE',
    '/api/parameters/:component/:vhost/:name',
    'policymaker member',
    'none',
    'Deletes a parameter',
    parameters.deleteParameter,
  ),
  get('/api/global-parameters', 'policymaker', 'Global parameters', parameters.listGlobalParameters),
  get('/api/global-parameters/:name', 'policymaker', 'One global parameter', parameters.getGlobalParameter),
  route(
    'PUT',
    '/api/global-parameters/:name',
    'policymaker',
    'none',
    'Sets a global parameter',
    parameters.putGlobalParameter,
    bodies.valueBody,
  ),
  route('DELETE', '/api/global-parameters/:name', 'policymaker', 'none', 'Deletes a global parameter', parameters.deleteGlobalParameter),
  ...policyRoutes('policies', 'policymaker member', 'policy', 'policies'),
  ...policyRoutes('operator-policies', 'administrator', 'operator policy', 'operator policies'),
];

/** Policies of either kind; `access` is for those who may change them. */
function policyRoutes(section: string, access: Needs, noun: string, plural: string): readonly Route[] {
  const all = `${plural.charAt(0).toUpperCase()}${plural.slice(1)}`;
  const article = noun.startsWith('o') ? 'an' : 'a';
  const one = `/api/${section}/:vhost/:name`;
  return [
    get(`/api/${section}`, 'management', all, policies.listPolicies),
    get(`/api/${section}/:vhost`, 'management member', `${all} of a virtual host`, policies.listPoliciesOfVhost),
    get(one, access, `One ${noun}`, policies.getPolicy),
    route('PUT', one, access, 'none', `Makes or changes ${article} ${noun}`, policies.putPolicy, bodies.policyBody),
    route('DELETE', one, access, 'none', `Deletes ${article} ${noun}`, policies.deletePolicy),
  ];
}
