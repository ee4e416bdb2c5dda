import type { IncomingMessage } from 'node:http';
import { HttpError } from './reply.ts';

/** How long a client may take to send a body. */
const bodyMillisMax = 30_000;

/**
 * Reads a request's body, whose size is what was received and not what a header says.
 * @throws HttpError 413 for more than `bytesMax`, 415 for one with a content encoding, 400 when it is cut short, 408 when it takes too long
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(415, 'unsupported_media_type', 'content encodings are not supported');
  }
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => request.destroy(new HttpError(408, 'request_timeout', 'the body did not come in time')), bodyMillisMax);
  timer.unref();
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, 'bad_request', 'the body was cut short');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): HttpError {
  // What is still coming is not read: the connection ends with the answer.
  return new HttpError(413, 'content_too_large', `the body is larger than ${bytesMax} bytes`, { connection: 'close' });
}
