import net from 'node:net';
import { longstr, method, shortstr, u16, u32, u8 } from './frames.ts';

/** Who takes what a connection receives; `payload` lies in the read buffer. */
export interface FrameSink {
  onMethod(classId: number, methodId: number, buffer: Buffer, at: number, end: number): void;
  /** A body frame, or a piece of one. */
  onBody(buffer: Buffer, at: number, end: number): void;
}

/** A raw AMQP connection with one channel, as fast as JavaScript gets: frames are looked at where they lie. */
export class BenchClient {
  readonly socket: net.Socket;
  frameBytesMax = 131_072;
  /** The broker closed the connection or its channel. */
  onClosedByBroker = (why: string): void => {
    console.error(`closed by the broker: ${why}`);
    process.exit(2);
  };
  #carry: Buffer | null = null;
  #sink: FrameSink | null = null;
  #expected: { classId: number; methodId: number; done: (args: Buffer) => void } | null = null;
  /** Octets of a body frame still to come, and its end octet. */
  #bodyLeft = 0;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', chunk => this.#data(chunk));
    socket.on('error', error => {
      console.error(`connection failed: ${error.message}`);
      process.exit(2);
    });
  }

  static async open(port: number, host = '127.0.0.1', vhost = '/'): Promise<BenchClient> {
    const socket = net.connect({ port, host, noDelay: true });
    const client = new BenchClient(socket);
    await new Promise<void>(resolve => socket.once('connect', resolve));
    const started = client.expect(10, 10);
    socket.write('AMQP\0\0\x09\x01', 'latin1');
    await started;
    const tuned = client.expect(10, 30);
    socket.write(method(0, 10, 11, u32(0), shortstr('PLAIN'), longstr(Buffer.from('\0guest\0guest')), shortstr('en_US')));
    const tune = await tuned;
    client.frameBytesMax = tune.readUInt32BE(2);
    const opened = client.expect(10, 41);
    socket.write(
      Buffer.concat([
        method(0, 10, 31, u16(tune.readUInt16BE(0)), u32(client.frameBytesMax), u16(0)),
        method(0, 10, 40, shortstr(vhost), shortstr(''), u8(0)),
      ]),
    );
    await opened;
    await client.call(method(1, 20, 10, shortstr('')), 20, 11);
    return client;
  }

  /** From now on everything goes to the sink. */
  start(sink: FrameSink): void {
    this.#sink = sink;
  }

  /** Sends a method and waits for the reply. */
  call(bytes: Buffer, classId: number, methodId: number): Promise<Buffer> {
    const reply = this.expect(classId, methodId);
    this.socket.write(bytes);
    return reply;
  }

  expect(classId: number, methodId: number): Promise<Buffer> {
    return new Promise(done => {
      this.#expected = { classId, methodId, done };
    });
  }

  declareQueue(queue: string, isDurable: boolean): Promise<Buffer> {
    return this.call(method(1, 50, 10, u16(0), shortstr(queue), u8(isDurable ? 2 : 0), u32(0)), 50, 11);
  }

  deleteQueue(queue: string): Promise<Buffer> {
    return this.call(method(1, 50, 40, u16(0), shortstr(queue), u8(0)), 50, 41);
  }

  /** Deletes queues without waiting for each. Nothing else may be asked meanwhile. */
  async deleteQueues(queues: readonly string[]): Promise<void> {
    let left = queues.length;
    await new Promise<void>(done => {
      this.start({
        onMethod: () => {
          if (--left === 0) done();
        },
        onBody: () => {},
      });
      this.socket.write(Buffer.concat(queues.map(queue => method(1, 50, 40, u16(0), shortstr(queue), u8(0)))));
    });
  }

  #data(chunk: Buffer): void {
    let buffer = chunk;
    let at = 0;
    if (this.#bodyLeft > 0) {
      const count = Math.min(this.#bodyLeft, buffer.length);
      this.#bodyLeft -= count;
      const bodyEnd = this.#bodyLeft === 0 ? count - 1 : count;
      if (bodyEnd > 0) this.#sink?.onBody(buffer, 0, bodyEnd);
      at = count;
    }
    if (this.#carry !== null) {
      buffer = Buffer.concat([this.#carry, buffer.subarray(at)]);
      at = 0;
      this.#carry = null;
    }
    const length = buffer.length;
    while (at + 8 <= length) {
      const size =
        ((buffer[at + 3] as number) << 24) |
        ((buffer[at + 4] as number) << 16) |
        ((buffer[at + 5] as number) << 8) |
        (buffer[at + 6] as number);
      const next = at + 8 + size;
      const type = buffer[at];
      if (next > length) {
        if (type !== 3 || size < 4096) break;
        this.#bodyLeft = next - length;
        if (length > at + 7) this.#sink?.onBody(buffer, at + 7, Math.min(length, next - 1));
        at = length;
        break;
      }
      if (type === 1) {
        const classId = ((buffer[at + 7] as number) << 8) | (buffer[at + 8] as number);
        const methodId = ((buffer[at + 9] as number) << 8) | (buffer[at + 10] as number);
        const expected = this.#expected;
        if (expected !== null && expected.classId === classId && expected.methodId === methodId) {
          this.#expected = null;
          expected.done(Buffer.from(buffer.subarray(at + 11, next - 1)));
        } else if ((methodId === 50 && classId === 10) || (methodId === 40 && classId === 20)) {
          this.onClosedByBroker(buffer.toString('latin1', at + 14, next - 5));
        } else {
          this.#sink?.onMethod(classId, methodId, buffer, at + 11, next - 1);
        }
      } else if (type === 3) {
        this.#sink?.onBody(buffer, at + 7, next - 1);
      }
      at = next;
    }
    if (at < length) this.#carry = Buffer.from(buffer.subarray(at));
  }
}
