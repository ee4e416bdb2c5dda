/** The part of a net.Socket that is watched. */
export interface WatchedSocket {
  readonly bytesRead: number;
}

export interface StageLimits {
  /** How long the stage may take; Infinity for no limit. */
  readonly timeoutMillis: number;
  /** How many bytes may be read in it. */
  readonly bytesMax: number;
}

const intervalMillis = 250;

class Stage {
  readonly dueMillis: number;
  readonly bytesEnd: number;
  readonly onExceeded: (why: string) => void;

  constructor(dueMillis: number, bytesEnd: number, onExceeded: (why: string) => void) {
    this.dueMillis = dueMillis;
    this.bytesEnd = bytesEnd;
    this.onExceeded = onExceeded;
  }
}

/**
 * Watches sockets that are not with their protocol yet: a PROXY header or a TLS handshake has to come whole in time and within bounds,
 * however it trickles in. One timer for all of them, which runs only while there are any.
 */
export class StageWatch {
  readonly #limits: StageLimits;
  readonly #stages = new Map<WatchedSocket, Stage>();
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: StageLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#stages.size;
  }

  /** `onExceeded` is called when the socket exceeded a limit; it is not watched any more then. */
  begin(socket: WatchedSocket, onExceeded: (why: string) => void): void {
    const { timeoutMillis, bytesMax } = this.#limits;
    this.#stages.set(socket, new Stage(performance.now() + timeoutMillis, socket.bytesRead + bytesMax, onExceeded));
    this.#timer ??= setInterval(() => this.#check(), intervalMillis);
  }

  /** The socket is through, or gone. */
  end(socket: WatchedSocket): void {
    if (!this.#stages.delete(socket) || this.#stages.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    const now = performance.now();
    for (const [socket, stage] of this.#stages) {
      const why = now >= stage.dueMillis ? 'timeout' : socket.bytesRead > stage.bytesEnd ? 'too many bytes' : null;
      if (why === null) continue;
      this.end(socket);
      stage.onExceeded(why);
    }
  }
}
