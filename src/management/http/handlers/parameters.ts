import type { Json } from '../../../base/field-table.ts';
import type { ParameterDefinition } from '../../../core/definitions/definitions.ts';
import type { ApiCall } from '../api-call.ts';
import { isMember } from '../authorize.ts';
import { requireKeys } from '../json-body.ts';
import { list, single } from '../listing.ts';
import { createdOrThere, type JsonObject, noContent, notFound, type Reply } from '../reply.ts';

export function listParameters(call: ApiCall): Promise<Reply> {
  return listOf(call, call.core.parameters.list());
}

export function listParametersOfComponent(call: ApiCall): Promise<Reply> {
  return listOf(call, call.core.parameters.list({ component: call.parameter('component') }));
}

export function listParametersOfVhost(call: ApiCall): Promise<Reply> {
  return listOf(call, call.core.parameters.list({ component: call.parameter('component'), vhost: call.vhost().name }));
}

function listOf(call: ApiCall, parameters: readonly ParameterDefinition[]): Promise<Reply> {
  const visible = parameters.filter(({ vhost }) => isMember(call.user, call.core.access, vhost));
  return list(call, visible, {
    keys: { component: each => each.component, vhost: each => each.vhost, name: each => each.name },
    view: parameterView,
  });
}

export function getParameter(call: ApiCall): Reply {
  return single(call, parameterView(parameterOf(call)));
}

export function putParameter(call: ApiCall): Reply {
  const vhost = call.vhost();
  requireKeys(call.body, ['value']);
  const value = call.body['value'] as Json;
  return createdOrThere(call.core.parameters.put(vhost.name, call.parameter('component'), call.parameter('name'), value));
}

export function deleteParameter(call: ApiCall): Reply {
  const { vhost, component, name } = parameterOf(call);
  call.core.parameters.delete(vhost, component, name);
  return noContent;
}

function parameterOf(call: ApiCall): ParameterDefinition {
  const parameter = call.core.parameters.get(call.vhost().name, call.parameter('component'), call.parameter('name'));
  if (parameter === undefined) throw notFound();
  return parameter;
}

function parameterView({ value, vhost, component, name }: ParameterDefinition): JsonObject {
  return { value, vhost, component, name };
}

export function listGlobalParameters(call: ApiCall): Promise<Reply> {
  return list(call, call.core.parameters.globals(), {
    keys: { name: each => each.name },
    view: ({ name, value }) => ({ name, value }),
  });
}

export function getGlobalParameter(call: ApiCall): Reply {
  const name = call.parameter('name');
  return single(call, { value: globalOf(call), name });
}

export function putGlobalParameter(call: ApiCall): Reply {
  requireKeys(call.body, ['value']);
  return createdOrThere(call.core.parameters.putGlobal(call.parameter('name'), call.body['value'] as Json));
}

export function deleteGlobalParameter(call: ApiCall): Reply {
  globalOf(call);
  call.core.parameters.deleteGlobal(call.parameter('name'));
  return noContent;
}

function globalOf(call: ApiCall): Json {
  const value = call.core.parameters.global(call.parameter('name'));
  if (value === undefined) throw notFound();
  return value;
}
