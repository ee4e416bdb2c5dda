// Parameters and policies: a line for each route.
import * as bodies from '../bodies.ts';
import * as parameters from '../handlers/parameters.ts';
import * as policies from '../handlers/policies.ts';
import type { Route } from '../route.ts';
import { get, route } from './route-line.ts';

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
  get('/api/policies', 'management', 'Policies', policies.listPolicies),
  get('/api/policies/:vhost', 'management member', 'Policies of a virtual host', policies.listPoliciesOfVhost),
  get('/api/policies/:vhost/:name', 'policymaker member', 'One policy', policies.getPolicy),
  route(
    'PUT',
    '/api/policies/:vhost/:name',
    'policymaker member',
    'none',
    'Makes or changes a policy',
    policies.putPolicy,
    bodies.policyBody,
  ),
  route('DELETE', '/api/policies/:vhost/:name', 'policymaker member', 'none', 'Deletes a policy', policies.deletePolicy),
  get('/api/operator-policies', 'management', 'Operator policies', policies.listPolicies),
  get('/api/operator-policies/:vhost', 'management member', 'Operator policies of a virtual host', policies.listPoliciesOfVhost),
  get('/api/operator-policies/:vhost/:name', 'administrator', 'One operator policy', policies.getPolicy),
  route(
    'PUT',
    '/api/operator-policies/:vhost/:name',
    'administrator',
    'none',
    'Makes or changes an operator policy',
    policies.putPolicy,
    bodies.policyBody,
  ),
  route('DELETE', '/api/operator-policies/:vhost/:name', 'administrator', 'none', 'Deletes an operator policy', policies.deletePolicy),
];
