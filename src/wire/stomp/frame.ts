// STOMP frames: a command, header lines, an empty line, a body, a NUL. [STOMP 1.2, 1.1, 1.0]
import { textBytes, writeText } from '../../base/text.ts';

export type Header = readonly [name: string, value: string];

/** One frame as it came. The body is a view: whoever keeps it copies it. */
export interface Frame {
  readonly command: string;
  /** The first of equal names counts. [STOMP 1.2 repeated header entries] */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export const supportedVersions: readonly string[] = ['1.0', '1.1', '1.2'];

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', ':': '\\c', '\0': '' };
// oxlint-disable-next-line no-control-regex
const escaped = /[\\\n\r:\0]/g;

/** The text as it may stand in a header line. What would end the frame, a NUL, has no escape and is left out. */
function escapeHeader(text: string): string {
  return text.replace(escaped, character => escapes[character] as string);
}

/** Command and header lines up to the body, as text. A content-length is there when there is a body, and no other. */
export function frameHead(command: string, headers: Iterable<Header>, bodyBytes: number): string {
  let head = `${command}\n`;
  for (const [name, value] of headers) if (name !== 'content-length') head += `${escapeHeader(name)}:${escapeHeader(value)}\n`;
  return bodyBytes > 0 ? `${head}content-length:${bodyBytes}\n\n` : `${head}\n`;
}

/** What stands behind the body: the NUL, and a line feed for the eyes of people. [RabbitMQ: trailing_lf] */
export const frameTail = Buffer.from('\0\n');

/** A whole frame. */
export function encodeFrame(command: string, headers: Iterable<Header>, body = ''): Buffer {
  const bodyBytes = textBytes(body);
  const head = frameHead(command, headers, bodyBytes);
  const frame = Buffer.allocUnsafe(textBytes(head) + bodyBytes + frameTail.length);
  frameTail.copy(frame, writeText(body, frame, writeText(head, frame, 0)));
  return frame;
}
