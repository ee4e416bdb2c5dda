import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withShortPath } from './short-socket-path.ts';

export const controlSocketName = 'warren.sock';

/** Somebody else has the directory. */
export class InUseError extends Error {}

/** After replacing a dead broker's socket: how long another who does the same at the same time has to replace ours. */
const settleMillis = 50;
/** A dead socket is replaced at once after it was found dead, or looked at again. */
const probeMillisMax = settleMillis / 5;

/**
 * The Unix socket in a data directory: it makes the directory one broker's own, and is where local tools talk to that broker without a
 * password, because only its user can connect. The kernel knows whether somebody listens, so that what a killed broker left behind is told
 * from a running one with certainty.
 *
 * Each broker binds a name of its own first and then links it to the common name, which only one can. In place of a dead socket it renames
 * its own; when two do so at the same time, the later one has it, and the other one notices.
 */
export class ControlSocket {
  readonly path: string;
  // Both directions stay open until each side is done, as HTTP wants it.
  readonly #server = net.createServer({ allowHalfOpen: true }, socket => this.#onConnection(socket));
  readonly #sockets = new Set<net.Socket>();
  #inode: bigint | null = null;
  #accept: ((socket: net.Socket) => void) | null = null;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Takes the directory.
   * @throws InUseError if a running broker has it; the system's error if a socket cannot be made
   */
  static async open(directory: string): Promise<ControlSocket> {
    const control = new ControlSocket(join(directory, controlSocketName));
    const own = `${control.path}.${randomBytes(6).toString('hex')}`;
    await withShortPath(own, path => listen(control.#server, path));
    try {
      chmodSync(own, 0o600);
      control.#inode = inodeOf(own);
      await claim(control.path, own);
      if (inodeOf(control.path) !== control.#inode) throw new InUseError();
      removeLeftovers(directory);
      return control;
    } catch (error) {
      rmSync(own, { force: true });
      await control.close();
      throw error;
    }
  }

  /** Who gets the connections from now on; null: they are closed. */
  handConnectionsTo(accept: ((socket: net.Socket) => void) | null): void {
    this.#accept = accept;
  }

  /** Gives the directory back. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#inode !== null && inodeOf(this.path) === this.#inode) rmSync(this.path, { force: true });
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #onConnection(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // Whoever takes the connection listens for errors too; a connection that nobody takes must not end the process.
    socket.on('error', () => {});
    if (this.#accept === null) socket.destroy();
    else this.#accept(socket);
  }
}

/** Makes `common` a name of the socket `own`. @throws InUseError */
async function claim(common: string, own: string): Promise<void> {
  for (;;) {
    try {
      linkSync(own, common);
      rmSync(own);
      return;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw new InUseError();
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const began = performance.now();
    const found = await probe(common);
    if (found === 'live') throw new InUseError();
    if (found === 'dead' && performance.now() - began < probeMillisMax) {
      renameSync(own, common);
      await sleep(settleMillis);
      return;
    }
  }
}

/** Whether a running broker listens there. */
export async function isListening(path: string): Promise<boolean> {
  return (await probe(path)) === 'live';
}

/** Whether somebody listens. @throws the system's error if that cannot be known */
function probe(path: string): Promise<'live' | 'dead' | 'absent'> {
  return withShortPath(path, short => {
    const { promise, resolve, reject } = Promise.withResolvers<'live' | 'dead' | 'absent'>();
    const socket = net.connect(short);
    socket.on('connect', () => {
      socket.destroy();
      resolve('live');
    });
    socket.on('error', error => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED') resolve('dead');
      else if (code === 'ENOENT') resolve('absent');
      // Its backlog is full: a broker that is busy, or stopped by a signal.
      else if (code === 'EAGAIN') resolve('live');
      else reject(error);
    });
    return promise;
  });
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Sockets of brokers that were killed while they started. Those that start right now find the directory taken. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(`${controlSocketName}.`)) rmSync(join(directory, name), { force: true });
  }
}

function inodeOf(path: string): bigint | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
