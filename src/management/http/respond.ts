import { once } from 'node:events';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { Reply } from './reply.ts';

/** Shorter bodies are not compressed. */
const compressedBytesMin = 1400;
/** How long a client may take nothing of an answer in pieces. */
const stallMillisMax = 60_000;
const compress = promisify(gzip);

/** Whether the client takes gzip. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  return typeof acceptEncoding === 'string' && /(^|[\s,])gzip\s*(;\s*q=(1|0\.\d*[1-9]))?\s*(,|$)/i.test(acceptEncoding);
}

/** Writes a reply. For HEAD the body is left out. Resolves when everything was handed to the socket; a client that went away is no error. */
export async function respond(
  response: ServerResponse,
  reply: Reply,
  headers: OutgoingHttpHeaders,
  isHead: boolean,
  isGzip: boolean,
): Promise<void> {
  const all: OutgoingHttpHeaders = { ...headers, ...reply.headers };
  if (reply.chunks !== undefined) {
    all['content-type'] ??= 'application/json';
    if (isGzip) all['content-encoding'] = 'gzip';
    response.writeHead(reply.status, all);
    if (isHead) response.end();
    else await writeChunks(response, reply.chunks, isGzip);
    return;
  }
  if (reply.events !== undefined) {
    response.writeHead(reply.status, all);
    if (isHead) response.end();
    else await writeChunks(response, reply.events, false);
    return;
  }
  if (reply.bytes !== undefined) {
    response.writeHead(reply.status, { ...all, 'content-length': reply.bytes.length });
    response.end(isHead ? undefined : reply.bytes);
    return;
  }
  const text = reply.text ?? (reply.json === undefined ? null : JSON.stringify(reply.json));
  if (text === null) {
    if (reply.status !== 204 && reply.status !== 304) all['content-length'] = 0;
    response.writeHead(reply.status, all).end();
    return;
  }
  all['content-type'] ??= 'application/json';
  let bytes: Buffer = Buffer.from(text);
  if (isGzip && bytes.length >= compressedBytesMin) {
    bytes = await compress(bytes);
    all['content-encoding'] = 'gzip';
  }
  all['content-length'] = bytes.length;
  response.writeHead(reply.status, all);
  if (isHead) response.end();
  else response.end(bytes);
}

async function writeChunks(response: ServerResponse, chunks: AsyncIterable<string>, isGzip: boolean): Promise<void> {
  const target = isGzip ? createGzip({ level: 1 }) : response;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (target !== response) target.pipe(response);
  try {
    for await (const chunk of chunks) {
      if (gone.signal.aborted) break;
      if (!target.write(chunk))
        await once(target, 'drain', { signal: AbortSignal.any([gone.signal, AbortSignal.timeout(stallMillisMax)]) });
    }
  } catch (error) {
    // A list that breaks off in the middle must not look complete.
    if (!gone.signal.aborted) {
      response.destroy();
      throw error;
    }
  }
  target.end();
}
