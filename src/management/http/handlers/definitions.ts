import { hashPassword } from '../../../auth/password.ts';
import { applyInSteps } from '../../../core/definitions/apply.ts';
import { definitionsSource } from '../../../core/definitions/core-source.ts';
import { type DefinitionParts, definitionParts, ExportList, vhostDefinitionParts } from '../../../core/definitions/export-definitions.ts';
import { readDefinitions } from '../../../core/definitions/parse-definitions.ts';
import type { Steps } from '../../../core/stepped-work.ts';
import type { ApiCall } from '../api-call.ts';
import { formFile } from '../form-data.ts';
import { type JsonObject, noContent, type Reply } from '../reply.ts';
import { selectColumns } from '../select-columns.ts';
import { Slice } from '../slice.ts';

const chunkChars = 32 * 1024;

export function getDefinitions(call: ApiCall): Reply {
  return download(call, definitionParts(definitionsSource(call.core)));
}

export function getVhostDefinitions(call: ApiCall): Reply {
  return download(call, vhostDefinitionParts(definitionsSource(call.core), call.vhost().name));
}

/** `download` names the file that a browser saves it as. */
function download(call: ApiCall, parts: DefinitionParts): Reply {
  const file = call.query.get('download');
  const headers: Record<string, string> =
    file === null ? {} : { 'content-disposition': `attachment; filename="${file.replace(/[^\w.-]/g, '_')}"` };
  return { status: 200, chunks: jsonOf(parts, selectColumns(call.query.get('columns'))), headers };
}

/** Lists of tens of thousands hold up nobody: their items are written in slices. */
async function* jsonOf(parts: DefinitionParts, select: (object: JsonObject) => JsonObject): AsyncGenerator<string, void, undefined> {
  const slice = new Slice();
  let text = '{';
  let separator = '';
  for (const [name, part] of Object.entries(parts)) {
    const isList = part instanceof ExportList;
    const selected = select({ [name]: isList ? [] : part });
    if (!Object.hasOwn(selected, name)) continue;
    text += `${separator}${JSON.stringify(name)}:`;
    separator = ',';
    if (!isList) {
      text += JSON.stringify(selected[name]);
      continue;
    }
    text += '[';
    let comma = '';
    for (const item of part) {
      const [shown] = select({ [name]: [item] })[name] as [unknown];
      text += comma + JSON.stringify(shown);
      comma = ',';
      if (text.length >= chunkChars) {
        yield text;
        text = '';
      }
      if (slice.isOver) await slice.next();
    }
    text += ']';
  }
  yield `${text}}`;
}

export function postDefinitions(call: ApiCall): Promise<Reply> {
  return importDefinitions(call, null);
}

export function postVhostDefinitions(call: ApiCall): Promise<Reply> {
  return importDefinitions(call, call.vhost().name);
}

/** Applies all of it or nothing, in steps. The body is JSON, or a form with a file as the web UI sends it. */
async function importDefinitions(call: ApiCall, vhost: string | null): Promise<Reply> {
  const bytes = formFile(call.header('content-type'), call.bytes) ?? call.bytes;
  const options = { hash: (password: string) => hashPassword(password), ...(vhost === null ? {} : { vhost }) };
  const { core } = call;
  function* steps(): Steps<readonly string[]> {
    return yield* applyInSteps(core, yield* readDefinitions(bytes.toString('utf8'), options));
  }
  const warnings = await core.works.run(core.events.stepsOfActor(steps()));
  await core.policiesApplied();
  for (const warning of warnings) call.services.logger.warning('default', `definitions: ${warning}`);
  return noContent;
}
