const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export type PayloadEncoding = 'string' | 'base64';

/** A body for JSON: as text when `encoding` allows it and the bytes are UTF-8, else in base64. */
export function payloadToJson(
  body: Uint8Array,
  encoding: 'auto' | 'base64',
): { readonly payload: string; readonly encoding: PayloadEncoding } {
  if (encoding === 'auto') {
    try {
      return { payload: strictUtf8.decode(body), encoding: 'string' };
    } catch {
      // No text.
    }
  }
  return { payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'), encoding: 'base64' };
}

/** Bytes from strict base64; null when it is none. */
export function fromBase64(text: string): Buffer | null {
  const compact = text.replace(/[\r\n\t ]/g, '');
  return /^[A-Za-z0-9+/]*={0,2}$/.test(compact) && compact.length % 4 === 0 ? Buffer.from(compact, 'base64') : null;
}
