import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { Reply } from '../http/reply.ts';
import { takesGzip } from '../http/respond.ts';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};
/** Names of assets carry a hash of what is in them: what was fetched once holds. */
const forever = 'public, max-age=31536000, immutable';
const assetName = /^\/assets\/[\w-]+(?:\.[\w-]+)*\.(js|css|svg)$/;
const pageNames: ReadonlySet<string> = new Set(['/', '/index.html']);

/**
 * The web UI's built files. Only names of a fixed form are looked for, so that no path leads out of the folder. They are open to anybody:
 * all that is worth protecting comes by the API.
 */
export class PageFolder {
  readonly #folder: () => Promise<string>;
  #found: Promise<string> | null = null;

  /** `folder` tells where the files are; asked at the first request, and again after a failure. */
  constructor(folder: () => Promise<string>) {
    this.#folder = folder;
  }

  /** The reply to a GET of a path; null when there is no such file. */
  async get(path: string, headers: IncomingHttpHeaders): Promise<Reply | null> {
    const isPage = pageNames.has(path);
    const name = isPage ? '/index.html' : path;
    const ending = isPage ? 'html' : assetName.exec(path)?.[1];
    if (ending === undefined && path !== '/favicon.ico') return null;
    let folder: string;
    try {
      folder = await (this.#found ??= this.#folder());
    } catch (error) {
      this.#found = null;
      const text = `The web UI is not there: ${error instanceof Error ? error.message : String(error)}\nThe API is, below /api/.\n`;
      return { status: 503, text, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } };
    }
    const file = ending === undefined ? join(folder, 'favicon.svg') : join(folder, name);
    const found = await readEither(file, takesGzip(headers['accept-encoding']));
    if (found === null) return null;
    return {
      status: 200,
      bytes: found.bytes,
      headers: {
        'content-type': types[ending ?? 'svg'] ?? 'application/octet-stream',
        'cache-control': isPage ? 'no-cache' : forever,
        ...(found.isGzip ? { 'content-encoding': 'gzip' } : {}),
      },
    };
  }
}

/** The compressed file where the client takes it and there is one. */
async function readEither(file: string, wantsGzip: boolean): Promise<{ readonly bytes: Buffer; readonly isGzip: boolean } | null> {
  if (wantsGzip) {
    const bytes = await read(`${file}.gz`);
    if (bytes !== null) return { bytes, isGzip: true };
  }
  const bytes = await read(file);
  return bytes === null ? null : { bytes, isGzip: false };
}

async function read(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
