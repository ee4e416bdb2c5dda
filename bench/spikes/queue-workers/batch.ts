// What the two sides say to each other: records in a buffer that is handed over whole.

/** Main to worker: a message for a queue. Worker to main: a message for its queue's consumer. */
export const recordMessage = 1;
/** Main to worker: the queue's consumer may get so many more messages. */
export const recordCredit = 2;
/** Main to worker: so many of the queue's oldest deliveries are done with. */
export const recordSettled = 3;
/** Main to worker: make durable what came before, and say so. Worker to main: done. */
export const recordCommit = 4;

/** Kind, queue and a number: credit, settlements or commit; of a message the bytes that follow, and how they are cut. */
export const recordBytes = 9;
/** Envelope, properties, body. */
export const messageHeadBytes = recordBytes + 8;

const batchBytes = 64 * 1024;

/** Gathers records; `take` gives away what is there. */
export class BatchWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(batchBytes);
  position = 0;

  /** Makes room for so many bytes at `position`. */
  reserve(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.position + bytes));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  record(kind: number, queue: number, number: number): void {
    this.reserve(recordBytes);
    const { buffer, position } = this;
    buffer[position] = kind;
    writeUint32(buffer, position + 1, queue);
    writeUint32(buffer, position + 5, number);
    this.position += recordBytes;
  }

  take(): Buffer {
    const batch = this.buffer.subarray(0, this.position);
    this.buffer = Buffer.allocUnsafeSlow(batchBytes);
    this.position = 0;
    return batch;
  }
}

export function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >> 8;
  buffer[at + 2] = value >> 16;
  buffer[at + 3] = value >> 24;
}

export function writeUint16(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >> 8;
}

export function readUint32(buffer: Buffer, at: number): number {
  return (readUint16(buffer, at) | (readUint16(buffer, at + 2) << 16)) >>> 0;
}

export function readUint16(buffer: Buffer, at: number): number {
  return (buffer[at] as number) | ((buffer[at + 1] as number) << 8);
}
