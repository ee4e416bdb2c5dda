import { hashPassword } from '../../../auth/password.ts';
import { applyDefinitions } from '../../../core/definitions/apply.ts';
import { definitionsSource } from '../../../core/definitions/core-source.ts';
import { exportDefinitions, exportVhostDefinitions } from '../../../core/definitions/export-definitions.ts';
import { parseDefinitions } from '../../../core/definitions/parse-definitions.ts';
import type { ApiCall } from '../api-call.ts';
import { formFile } from '../form-data.ts';
import { type JsonObject, noContent, type Reply } from '../reply.ts';
import { selectColumns } from '../select-columns.ts';

export function getDefinitions(call: ApiCall): Reply {
  return download(call, exportDefinitions(definitionsSource(call.core)));
}

export function getVhostDefinitions(call: ApiCall): Reply {
  return download(call, exportVhostDefinitions(definitionsSource(call.core), call.vhost().name));
}

/** `download` names the file that a browser saves it as. */
function download(call: ApiCall, definitions: JsonObject): Reply {
  const file = call.query.get('download');
  const headers: Record<string, string> =
    file === null ? {} : { 'content-disposition': `attachment; filename="${file.replace(/[^\w.-]/g, '_')}"` };
  return { status: 200, json: selectColumns(call.query.get('columns'))(definitions), headers };
}

export function postDefinitions(call: ApiCall): Reply {
  return importDefinitions(call, null);
}

export function postVhostDefinitions(call: ApiCall): Reply {
  return importDefinitions(call, call.vhost().name);
}

/** Applies all of it or nothing. The body is JSON, or a form with a file as the web UI sends it. */
function importDefinitions(call: ApiCall, vhost: string | null): Reply {
  const bytes = formFile(call.header('content-type'), call.bytes) ?? call.bytes;
  const options = { hash: (password: string) => hashPassword(password), ...(vhost === null ? {} : { vhost }) };
  const definitions = parseDefinitions(bytes.toString('utf8'), options);
  for (const warning of applyDefinitions(call.core, definitions)) call.services.logger.warning('default', `definitions: ${warning}`);
  return noContent;
}
