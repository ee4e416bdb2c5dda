import { version } from '../../base/version.ts';
import type { JsonObject } from './reply.ts';
import { parameterNames } from './router.ts';
import type { BodyDescription, Route } from './route.ts';

/** Query parameters that lists take. */
const listQuery = ['page', 'page_size', 'name', 'use_regex', 'sort', 'sort_reverse', 'columns'];

/** The API as an OpenAPI 3.1 document, made of the table of routes. */
export function describeApi(routes: readonly Route[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const path = route.path.replace(/:([a-z]+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = describeRoute(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'WarrenMQ HTTP API',
      version,
      description: "RabbitMQ's management HTTP API. Names in paths are percent-encoded: the virtual host / is %2F.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ basic: [] }],
    paths,
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: {
        Error: {
          type: 'object',
          required: ['error', 'reason'],
          properties: { error: { type: 'string' }, reason: { type: ['string', 'array'] } },
        },
      },
    },
  };
}

function describeRoute(route: Route): JsonObject {
  const { method, path, summary, tag, permission, vhost, body } = route;
  const parameters = parameterNames(path).map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const query = method === 'GET' ? listQuery.map(name => ({ name, in: 'query', required: false, schema: { type: 'string' } })) : [];
  return {
    operationId: operationId(method, path),
    summary,
    tags: [path.split('/')[2] ?? 'api'],
    ...(tag === 'anybody' ? { security: [] } : {}),
    'x-required-tag': tag,
    'x-vhost-rule': vhost,
    'x-permission': permission,
    parameters: [...parameters, ...query],
    ...(body === null ? {} : { requestBody: describeBody(body) }),
    responses: {
      ...successes(method),
      '400': error('The request makes no sense'),
      ...(tag === 'anybody' ? {} : { '401': error('Not logged in, or not allowed') }),
      '404': error('There is no such thing'),
    },
  };
}

function successes(method: Route['method']): JsonObject {
  const json = { content: { 'application/json': { schema: {} } } };
  switch (method) {
    case 'GET':
      return { '200': { description: 'As asked', ...json } };
    case 'PUT':
      return { '201': { description: 'Made' }, '204': { description: 'Was there, and is as given now' } };
    case 'POST':
      return { '200': { description: 'The outcome', ...json }, '201': { description: 'Made' }, '204': { description: 'Done' } };
    case 'DELETE':
      return { '204': { description: 'Gone' } };
  }
}

function error(description: string): JsonObject {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

function describeBody({ required, properties }: BodyDescription): JsonObject {
  const schema = { type: 'object', ...(required === undefined ? {} : { required }), properties };
  return { content: { 'application/json': { schema } } };
}

function operationId(method: string, path: string): string {
  const words = path
    .split('/')
    .slice(2)
    .map(segment => segment.replace(/^:/, 'by-'));
  return [method.toLowerCase(), ...words].join('-');
}
