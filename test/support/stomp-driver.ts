// A thin STOMP client for tests: it sends what it is told and keeps the frames that come, in order.
import { once } from 'node:events';
import net from 'node:net';
import { waitUntil } from './wait-until.ts';

export interface ReceivedFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const unescapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r', '\\c': ':' };

export class StompDriver {
  readonly socket: net.Socket;
  readonly frames: ReceivedFrame[] = [];
  /** Line feeds that came between frames. */
  heartBeats = 0;
  isClosed = false;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(port: number, socket: net.Socket = net.connect({ port, host: '127.0.0.1' })) {
    this.socket = socket;
    this.socket.on('data', bytes => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#cut();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => void (this.isClosed = true));
  }

  /** A connection that is logged in. */
  static async connect(port: number, headers: Record<string, string> = {}): Promise<StompDriver> {
    const client = new StompDriver(port);
    client.send('CONNECT', { 'accept-version': '1.2', host: '/', login: 'guest', passcode: 'guest', ...headers });
    await client.expect('CONNECTED');
    return client;
  }

  /** A frame with these headers, which are not escaped. */
  send(command: string, headers: Record<string, string> = {}, body: string | Buffer = ''): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    this.raw(Buffer.concat([Buffer.from(`${command}\n${lines.join('')}\n`), Buffer.from(body), Buffer.of(0)]));
  }

  raw(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next frame; `wanted` is told when none comes. */
  async next(wanted = 'a frame'): Promise<ReceivedFrame> {
    await waitUntil(() => this.frames.length > 0, { message: () => `${wanted}${this.isClosed ? ', but the connection is closed' : ''}` });
    return this.frames.shift() as ReceivedFrame;
  }

  /** The next frame, which must be of this command. */
  async expect(command: string): Promise<ReceivedFrame> {
    const frame = await this.next(command);
    if (frame.command !== command) throw new Error(`expected ${command}, got ${JSON.stringify(frame)}`);
    return frame;
  }

  /** The next frame is ERROR with this message; its body. */
  async expectError(message: string): Promise<string> {
    const frame = await this.expect('ERROR');
    if (frame.headers.message !== message) throw new Error(`expected the error ${message}, got ${JSON.stringify(frame)}`);
    return frame.body;
  }

  /** Sends a frame with a receipt and waits for that. */
  async request(command: string, headers: Record<string, string> = {}, body: string | Buffer = ''): Promise<void> {
    const id = `r${this.#lastReceipt++}`;
    this.send(command, { ...headers, receipt: id }, body);
    await this.receipt(id);
  }

  /** The receipt comes; other frames that came before it stay. */
  async receipt(id: string): Promise<void> {
    const index = await waitUntil(
      () => {
        const error = this.frames.find(({ command }) => command === 'ERROR');
        if (error !== undefined) return -1;
        return this.frames.findIndex(({ command, headers }) => command === 'RECEIPT' && headers['receipt-id'] === id) + 1;
      },
      { message: () => `receipt ${id}; there came ${JSON.stringify(this.frames)}` },
    );
    if (index < 0) throw new Error(`expected receipt ${id}, got ${JSON.stringify(this.frames)}`);
    this.frames.splice(index - 1, 1);
  }
  #lastReceipt = 1;

  async closed(): Promise<void> {
    if (!this.isClosed) await once(this.socket, 'close');
  }

  destroy(): void {
    this.socket.destroy();
  }

  #cut(): void {
    for (;;) {
      let start = 0;
      while (this.#bytes[start] === 10) start++;
      const headEnd = this.#bytes.indexOf('\n\n', start);
      const isWhole = headEnd >= 0;
      if (!isWhole) {
        this.heartBeats += start;
        this.#bytes = this.#bytes.subarray(start);
        return;
      }
      const [command = '', ...lines] = this.#bytes.toString('utf8', start, headEnd).split('\n');
      const headers: Record<string, string> = Object.create(null) as Record<string, string>;
      for (const line of lines) {
        const [name = '', ...rest] = line.split(':').map(text => text.replace(/\\./g, escape => unescapes[escape] ?? escape));
        headers[name] ??= rest.join(':');
      }
      const bodyStart = headEnd + 2;
      const announced = headers['content-length'];
      const bodyEnd = announced === undefined ? this.#bytes.indexOf(0, bodyStart) : bodyStart + Number(announced);
      if (bodyEnd < 0 || this.#bytes.length <= bodyEnd) return;
      this.heartBeats += start - (this.frames.length > 0 || this.#hasSeenFrame ? 1 : 0);
      this.#hasSeenFrame = true;
      this.frames.push({ command, headers, body: this.#bytes.toString('utf8', bodyStart, bodyEnd) });
      this.#bytes = this.#bytes.subarray(bodyEnd + 1);
    }
  }
  #hasSeenFrame = false;
}
