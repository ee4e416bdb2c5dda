import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlSocket, controlSocketName, InUseError, isListening } from './control-socket.ts';
import { DataDirError } from './data-dir-error.ts';
import { makeDirectory } from './make-directory.ts';

const pidFileName = 'warren.pid';
/** Names the directory of the control socket, where the data directory's file system has no sockets. */
const controlPathName = 'warren.control';

/** The directory that a broker keeps everything durable in, while it is this broker's alone. */
export class DataDir {
  readonly path: string;
  /** Where local tools talk to the broker. */
  readonly control: ControlSocket;

  private constructor(path: string, control: ControlSocket) {
    this.path = path;
    this.control = control;
  }

  /**
   * Takes the directory, makes it if it is absent, and writes the process id to `warren.pid` in it.
   * @throws DataDirError if another broker has it, or it cannot be used
   */
  static async open(path: string): Promise<DataDir> {
    try {
      makeDirectory(path);
      const dataDir = new DataDir(path, await openControl(path));
      try {
        writePid(join(path, pidFileName));
      } catch (error) {
        await dataDir.control.close();
        throw error;
      }
      return dataDir;
    } catch (error) {
      if (error instanceof InUseError) throw new DataDirError(`the data directory ${path} is in use by another broker${ownerOf(path)}`);
      if (isSystemError(error)) throw new DataDirError(`the data directory ${path} cannot be used: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** Gives the directory back and removes what says that it is in use. */
  async close(): Promise<void> {
    for (const name of [pidFileName, controlPathName]) rmSync(join(this.path, name), { force: true });
    await this.control.close();
  }
}

/** Written at once or not at all: whoever reads it finds a process id. */
export function writePid(file: string): void {
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${process.pid}\n`);
  renameSync(partial, file);
}

/** What a file system answers that cannot hold sockets, or no two names of one: FAT, some network file systems, shared folders of virtual machines. */
const withoutSockets: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

async function openControl(path: string): Promise<ControlSocket> {
  try {
    return await ControlSocket.open(path);
  } catch (error) {
    if (!isSystemError(error) || !withoutSockets.has(error.code)) throw error;
  }
  const directory = controlDirectory(path);
  const control = await ControlSocket.open(directory);
  writeFileSync(join(path, controlPathName), `${control.path}\n`);
  return control;
}

/** Whether a broker has the directory now. Changes nothing in it. */
export async function isInUse(path: string): Promise<boolean> {
  if (await isListening(join(path, controlSocketName))) return true;
  try {
    return await isListening(readFileSync(join(path, controlPathName), 'utf8').trim());
  } catch {
    return false;
  }
}

/** A directory of this user's in the system's temporary directory, the same for every broker on the same data. */
export function controlDirectory(dataDir: string): string {
  const name = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 16);
  const uid = process.getuid?.() ?? 0;
  const directory = join(tmpdir(), `warren-${uid}-${name}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const status = lstatSync(directory);
  // Anybody can make names there.
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) {
    throw new DataDirError(`the control socket's directory ${directory} belongs to somebody else`);
  }
  return directory;
}

function ownerOf(path: string): string {
  try {
    const pid = readFileSync(join(path, pidFileName), 'utf8').trim();
    return /^\d{1,10}$/.test(pid) ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
