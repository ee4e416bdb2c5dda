// The body of a simulated message: who it is and whether it came through unchanged.
//   magic(2) id(4) length(4) filler of `length` bytes, each of them the low byte of id + place
const magic = 0x5157;
export const messageHeaderBytes = 10;

export function encodeMessage(id: number, fillerBytes: number): Buffer {
  const body = Buffer.allocUnsafe(messageHeaderBytes + fillerBytes);
  body.writeUInt16BE(magic, 0);
  body.writeUInt32BE(id, 2);
  body.writeUInt32BE(fillerBytes, 6);
  for (let i = 0; i < fillerBytes; i++) body[messageHeaderBytes + i] = id + i;
  return body;
}

/** The id in the first bytes of a body. @throws Error when it is none of ours */
export function idOf(body: Buffer, start = 0): number {
  if (body.readUInt16BE(start) !== magic) throw new Error('bytes that are no message were found in the place of one');
  return body.readUInt32BE(start + 2);
}

/** The id of a whole body. @throws Error when the body is not as it was */
export function checkMessage(body: Buffer): number {
  const id = idOf(body);
  const fillerBytes = body.readUInt32BE(6);
  if (body.length !== messageHeaderBytes + fillerBytes) throw new Error(`message ${id} has ${body.length} bytes`);
  for (let i = 0; i < fillerBytes; i++) {
    if (body[messageHeaderBytes + i] !== ((id + i) & 0xff)) throw new Error(`message ${id} has changed at byte ${messageHeaderBytes + i}`);
  }
  return id;
}
