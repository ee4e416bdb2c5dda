import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/** What waits for a reader before its writer has to wait. */
const waitingBytesMax = 64 * 1024;

/**
 * One end of a connection inside the process. It behaves as a net.Socket to those who hold it: what is written is copied, as the kernel does,
 * and arrives in another round of the event loop; a slow reader holds the writer up; when one end is destroyed the other one ends.
 */
export class InProcessSocket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly localAddress = '127.0.0.1';
  readonly localPort: number;
  readonly remotePort: number;
  bytesRead = 0;
  bytesWritten = 0;
  timeout = 0;
  #peer: InProcessSocket | null = null;
  /** Of the peer's write that this end has not made room for yet. */
  #peerDone: Done | null = null;
  /** What is on its way to this end; null is the peer's end of it. */
  #arriving: (Buffer | null)[] = [];
  #arrivingBytes = 0;
  #arrival: NodeJS.Immediate | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(localPort: number, remotePort: number) {
    super({ allowHalfOpen: false });
    this.localPort = localPort;
    this.remotePort = remotePort;
  }

  /** Two ends that are connected; the first one is the client's. */
  static pair(clientPort: number): [client: InProcessSocket, server: InProcessSocket] {
    const client = new InProcessSocket(clientPort, 0);
    const server = new InProcessSocket(0, clientPort);
    client.#peer = server;
    server.#peer = client;
    return [client, server];
  }

  /** There is nothing to delay. */
  setNoDelay(): this {
    return this;
  }

  /** Nobody is between the ends who could go away unnoticed. */
  setKeepAlive(): this {
    return this;
  }

  /** Emits 'timeout' when for so many milliseconds nothing was sent or received; 0 ends that. */
  setTimeout(millis: number, onTimeout?: () => void): this {
    this.timeout = millis;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = millis > 0 && !this.destroyed ? setTimeout(() => this.emit('timeout'), millis).unref() : null;
    if (onTimeout !== undefined) {
      if (millis > 0) this.once('timeout', onTimeout);
      else this.removeListener('timeout', onTimeout);
    }
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // Called before what is read is taken: the length says nothing here.
    if (this.#arrivingBytes < waitingBytesMax) this.#goOn();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    const peer = this.#peer;
    if (peer === null) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
      return;
    }
    this.bytesWritten += chunk.length;
    this.#idleTimer?.refresh();
    // Those who write use their memory again, those who read keep pieces of what they got.
    peer.#send(Buffer.from(chunk));
    if (peer.#arrivingBytes + peer.readableLength < waitingBytesMax) done();
    else peer.#peerDone = done;
  }

  override _final(done: Done): void {
    if (this.#peer !== null) this.#peer.#send(null);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    if (this.#arrival !== null) clearImmediate(this.#arrival);
    this.#idleTimer = null;
    this.#arrival = null;
    const peer = this.#peer;
    this.#peer = null;
    if (peer !== null) {
      peer.#peer = null;
      peer.#send(null);
    }
    this.#goOn();
    done(error);
  }

  #send(chunk: Buffer | null): void {
    this.#arriving.push(chunk);
    this.#arrivingBytes += chunk?.length ?? 0;
    this.#arrival ??= setImmediate(() => this.#arrive());
  }

  #arrive(): void {
    this.#arrival = null;
    const chunks = this.#arriving;
    this.#arriving = [];
    this.bytesRead += this.#arrivingBytes;
    this.#arrivingBytes = 0;
    this.#idleTimer?.refresh();
    for (const chunk of chunks) {
      this.push(chunk);
      if (chunk === null || this.destroyed) return;
    }
    if (this.readableLength < waitingBytesMax) this.#goOn();
  }

  /** Lets the peer write on. */
  #goOn(): void {
    const done = this.#peerDone;
    this.#peerDone = null;
    done?.();
  }
}
