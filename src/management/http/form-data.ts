const boundaryPattern = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/**
 * The content of the part called `file` of a form, or of its first part; null when the request is no form. [RFC 7578]
 */
export function formFile(contentType: string | null, body: Buffer): Buffer | null {
  const match = boundaryPattern.exec(contentType ?? '');
  if (match === null) return null;
  const boundary = Buffer.from(`\r\n--${match[1] ?? match[2] ?? ''}`);
  // The first boundary has no line break before it.
  const bytes = Buffer.concat([Buffer.from('\r\n'), body]);
  let first: Buffer | null = null;
  for (let at = bytes.indexOf(boundary); at >= 0; ) {
    const next = bytes.indexOf(boundary, at + boundary.length);
    if (next < 0) break;
    const part = bytes.subarray(at + boundary.length, next);
    const headEnd = part.indexOf('\r\n\r\n');
    if (headEnd >= 0) {
      const head = part.toString('latin1', 0, headEnd);
      const content = part.subarray(headEnd + 4);
      first ??= content;
      if (/content-disposition:[^\r\n]*;\s*name="?file"?(?:[;\s]|$)/i.test(head)) return content;
    }
    at = next;
  }
  return first;
}
