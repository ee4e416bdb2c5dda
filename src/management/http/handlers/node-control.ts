import { ListenError } from '../../../net/listen-error.ts';
import type { LogLevelName, NodeControl } from '../../node-control.ts';
import { logLevels } from '../../node-control.ts';
import type { ApiCall } from '../api-call.ts';
import { requireKeys, textOf } from '../json-body.ts';
import { badRequest, HttpError, noContent, notFound, ok, type Reply } from '../reply.ts';

/** @throws HttpError 404 for another node, 501 where the node cannot be controlled (a broker inside another program) */
function controlOf(call: ApiCall): NodeControl {
  if (call.parameter('node') !== call.nodeName) throw notFound();
  const { control } = call.services;
  if (control === null) throw new HttpError(501, 'not_implemented', 'this broker runs inside another program, which controls it');
  return control;
}

export function getEnvironment(call: ApiCall): Reply {
  return ok(controlOf(call).environment());
}

export function getLogLevels(call: ApiCall): Reply {
  return ok(controlOf(call).logLevels());
}

export function putLogLevel(call: ApiCall): Reply {
  const control = controlOf(call);
  requireKeys(call.body, ['level']);
  const level = textOf(call.body, 'level') as LogLevelName;
  if (!logLevels.includes(level))
    throw badRequest(`level ${level.slice(0, 50)} is not supported. Try one of debug, info, warning, error, critical, none`);
  const category = call.body['category'] === undefined ? null : textOf(call.body, 'category');
  if (!control.setLogLevel(level, category)) {
    throw badRequest(
      `category ${String(category).slice(0, 50)} is not supported. Try one of connection, channel, queue, default, upgrade, store`,
    );
  }
  return noContent;
}

export function putMemoryWatermark(call: ApiCall): Reply {
  const control = controlOf(call);
  const { relative, absolute } = call.body;
  if (isFraction(relative) && absolute === undefined) control.setMemoryWatermark({ relative });
  else if (isBytes(absolute) && relative === undefined) control.setMemoryWatermark({ absoluteBytes: absolute });
  else throw badRequest('one of relative (0.0 to 1.0) and absolute (bytes) has to be given');
  return noContent;
}

export async function putDiskFreeLimit(call: ApiCall): Promise<Reply> {
  const control = controlOf(call);
  const { absolute, mem_relative: relative } = call.body;
  if (isBytes(absolute) && relative === undefined) await control.setDiskFreeLimit({ absoluteBytes: absolute });
  else if (typeof relative === 'number' && relative >= 0 && relative <= 100 && absolute === undefined)
    await control.setDiskFreeLimit({ relativeToMemory: relative });
  else throw badRequest('one of absolute (bytes) and mem_relative (times the memory) has to be given');
  return noContent;
}

const actions: Readonly<Record<string, (control: NodeControl) => void | Promise<void>>> = {
  stop_app: control => control.stopApp(),
  start_app: control => control.startApp(),
  reset: control => {
    if (control.isAppRunning) throw badRequest('this needs the broker to be stopped with stop_app first');
    return control.reset();
  },
  suspend_listeners: control => control.suspendListeners(),
  resume_listeners: async control => {
    if (!control.isAppRunning) throw badRequest('the broker is stopped; start_app lets clients in again');
    await control.resumeListeners();
  },
  collect_garbage: control => control.collectGarbage(),
  reopen_logs: control => control.reopenLogs(),
};

export async function actOnNode(call: ApiCall): Promise<Reply> {
  const control = controlOf(call);
  requireKeys(call.body, ['action']);
  const name = textOf(call.body, 'action');
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) throw badRequest(`there is no action '${name.slice(0, 50)}'; there are ${Object.keys(actions).join(', ')}`);
  try {
    await action(control);
  } catch (error) {
    if (error instanceof ListenError) throw new HttpError(409, 'conflict', error.message);
    throw error;
  }
  return noContent;
}

function isFraction(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isBytes(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
