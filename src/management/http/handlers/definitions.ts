import { setImmediate as nextTurn } from 'node:timers/promises';
import { hashPassword } from '../../../auth/password.ts';
import { applyDefinitions } from '../../definitions/apply-definitions.ts';
import { definitionsOf, existingObjects } from '../../definitions/definitions-source.ts';
import { exportDefinitions, exportVhostDefinitions } from '../../../core/definitions/export-definitions.ts';
import { parseDefinitions } from '../../../core/definitions/parse-definitions.ts';
import { DefinitionsError } from '../../../core/definitions/problems.ts';
import { resolveReferences } from '../../../core/definitions/references.ts';
import type { ApiCall } from '../api-call.ts';
import { formFile } from '../form-data.ts';
import { selectColumns } from '../select-columns.ts';
import { badRequest, type JsonObject, noContent, type Reply } from '../reply.ts';

/** Definitions applied before others get their turn. */
const sliceMillis = 5;

export function getDefinitions(call: ApiCall): Reply {
  return download(call, exportDefinitions(definitionsOf(call.core)));
}

export function getVhostDefinitions(call: ApiCall): Reply {
  return download(call, exportVhostDefinitions(definitionsOf(call.core), call.vhost().name));
}

function download(call: ApiCall, definitions: JsonObject): Reply {
  const file = call.query.get('download');
  const headers: Record<string, string> =
    file === null ? {} : { 'content-disposition': `attachment; filename="${file.replace(/[^\w.-]/g, '_')}"` };
  return { status: 200, json: selectColumns(call.query.get('columns'))(definitions), headers };
}

export function postDefinitions(call: ApiCall): Promise<Reply> {
  return importDefinitions(call, null);
}

export function postVhostDefinitions(call: ApiCall): Promise<Reply> {
  return importDefinitions(call, call.vhost().name);
}

async function importDefinitions(call: ApiCall, vhost: string | null): Promise<Reply> {
  const { core } = call;
  const file = formFile(call.header('content-type'), call.bytes);
  const text = (file ?? call.bytes).toString('utf8');
  try {
    const parsed = parseDefinitions(text, { hash: hashPassword, ...(vhost === null ? {} : { vhost }) });
    const definitions = resolveReferences(parsed, existingObjects(core));
    for (const warning of definitions.warnings) call.services.logger.warning('default', `definitions: ${warning}`);
    const problems: string[] = [];
    let sliceStart = performance.now();
    for (const problem of applyDefinitions(core, definitions)) {
      if (problem !== null) problems.push(problem);
      if (performance.now() - sliceStart < sliceMillis) continue;
      await nextTurn();
      sliceStart = performance.now();
    }
    if (problems.length > 0) throw badRequest(problems.slice(0, 20).join('\n'));
  } catch (error) {
    if (error instanceof DefinitionsError) throw badRequest(error.problems.join('\n'));
    throw error;
  }
  return noContent;
}
