import { statfs } from 'node:fs/promises';
import type { BrokerCore } from '../core/broker.ts';
import { reserveBytes } from '../store/journal/full-disk.ts';
import { ResourceAlarm } from './resource-alarm.ts';

export interface DiskLimit {
  /** Publishers are blocked when less is free. [rabbitmq.conf: disk_free_limit] */
  readonly freeBytesMin: number;
  readonly checkIntervalMillis: number;
}

/** Free bytes, for users without privileges, on the disk that a directory is on. */
export async function freeDiskBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Without a limit publishers are held only while there is no room at all. */
export const fullDiskLimit: DiskLimit = { freeBytesMin: 0, checkIntervalMillis: 1000 };
/** What must be free after a write found no room before publishers go on: the reserve is put aside again, and something is left. */
const roomBytes = 2 * reserveBytes;

/** The alarm ends when this much of the limit is free: it must not come and go with every message. */
const clearedPart = 1.02;

/** Watches the free space of the data directory's disk. */
export class DiskMonitor {
  readonly #core: BrokerCore;
  readonly #readFreeBytes: () => Promise<number>;
  readonly #alarm: ResourceAlarm;
  #limit: DiskLimit;
  #interval: NodeJS.Timeout | null = null;
  /** The look under way. */
  #look: Promise<void> | null = null;
  #hasFailed = false;
  /** A write found no room. */
  #isFull = false;
  readonly #onRoom: () => void;
  /** At the last look; null before the first. */
  freeBytes: number | null = null;

  /** `onRoom` is called when there is room for the reserve: at the start, and when an alarm ends. */
  constructor(core: BrokerCore, limit: DiskLimit, readFreeBytes: () => Promise<number>, onRoom: () => void = () => {}) {
    this.#onRoom = onRoom;
    this.#core = core;
    this.#limit = limit;
    this.#readFreeBytes = readFreeBytes;
    this.#alarm = new ResourceAlarm(core, 'disk');
  }

  get limit(): DiskLimit {
    return this.#limit;
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    this.#logLimit();
    this.#interval = setInterval(() => void this.check(), this.#limit.checkIntervalMillis).unref();
    await this.check();
    if (!this.#alarm.isSet) this.#onRoom();
  }

  /** A write found no room: publishers wait, whatever was free at the last look. */
  full(error: Error): void {
    this.#core.logger.error(
      'store',
      `the disk is full (${error.message}): nothing more is confirmed until there is room; consumers, acknowledgements, purges and deletes go on`,
    );
    this.#isFull = true;
    this.#alarm.set();
    this.#interval ??= setInterval(() => void this.check(), this.#limit.checkIntervalMillis).unref();
  }

  /** Resolves when the last look is over. */
  async stop(): Promise<void> {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
    await this.#look;
  }

  /** Moves the limit of a running broker. */
  async setLimit(freeBytesMin: number): Promise<void> {
    this.#limit = { ...this.#limit, freeBytesMin };
    this.#logLimit();
    await this.check();
  }

  /** Looks once, unless a look is under way: a file system that does not answer must not gather questions. */
  async check(): Promise<void> {
    if (this.#look !== null) return;
    this.#look = this.#lookOnce();
    await this.#look;
  }

  async #lookOnce(): Promise<void> {
    try {
      this.#judge(await this.#readFreeBytes());
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#core.logger.error('default', 'Free disk space monitor encountered an error', error);
      this.#hasFailed = true;
    } finally {
      this.#look = null;
    }
  }

  #judge(freeBytes: number): void {
    this.freeBytes = freeBytes;
    const { freeBytesMin } = this.#limit;
    if (!this.#alarm.isSet && freeBytes < freeBytesMin) {
      this.#log('insufficient');
      this.#alarm.set();
    } else if (this.#alarm.isSet && freeBytes >= Math.max(freeBytesMin * clearedPart, this.#isFull ? roomBytes : 0)) {
      this.#isFull = false;
      this.#log('sufficient');
      this.#alarm.clear();
      this.#onRoom();
    }
  }

  #log(state: string): void {
    this.#core.logger.info('default', `Free disk space is ${state}. Free bytes: ${this.freeBytes}. Limit: ${this.#limit.freeBytesMin}`);
  }

  #logLimit(): void {
    this.#core.logger.info('default', `Disk free limit set to ${Math.floor(this.#limit.freeBytesMin / 1_000_000)}MB`);
  }
}
