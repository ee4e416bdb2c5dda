// hot path: see docs/STYLE.md
import type { Clock } from '../core/ports/clock.ts';
import type { Backlog } from '../core/ports/commit-log.ts';
import type { Link } from './link.ts';

/** Answers that a client may still have when its outbox is full already, before it is not read any more. */
export const answersBytesMax = 64 * 1024;

const alarm = 1;
const login = 2;
const answers = 4;
const work = 8;
const settling = 16;

/** What a client may have done for it before the others have their turn: 256 declarations, or as much. */
export const workMax = 256;

/** A read of so many bytes may have left some: the next one of the same socket follows it at once, up to 32 of them. [libuv: uv__read] */
export const fullReadBytes = 16 * 1024;

/** Whoever knows when every socket was looked at. */
export interface PollWatch {
  /** Whether it is time for that. */
  readonly isPollLong: boolean;
  afterPoll(act: () => void): void;
}

/**
 * What a connection takes in: when something came last, and whatever keeps it from being read.
 *
 * Queues and the log hold it: the socket is not read, but what was read is acted on. An alarm, a login, unread answers and too much work
 * at a time stop it: what was read and not acted on waits, too. It is read again when nothing holds or stops it any more.
 */
export class Intake {
  readonly #link: Link;
  readonly #clock: Clock;
  /** What stops it, a bit each. */
  #stops = 0;
  #holdCount = 0;
  #isHeldForDisk = false;
  #isHeldForOthers = false;
  /** Answers written since the outbox is full. */
  #answersBytes = 0;
  #workCount = 0;
  #isPublisher = false;
  #isBlocked = false;
  /** When the last bytes came, or reading began again. */
  lastReceivedMillis: number;

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.lastReceivedMillis = clock.nowMillis;
  }

  /** Whether what was read and not acted on has to wait. */
  get isStopped(): boolean {
    return this.#stops !== 0;
  }

  /** Whether the client has published: only then do alarms concern it. */
  get isPublisher(): boolean {
    return this.#isPublisher;
  }

  /** Whether it is a publisher in an alarm. What it does beside publishing goes on until it publishes. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether nothing came for so long although it is read: while it is not, silence proves nothing. */
  isSilent(nowMillis: number, timeoutMillis: number): boolean {
    return !this.#link.isPaused && nowMillis - this.lastReceivedMillis > timeoutMillis;
  }

  /** Bytes came. */
  received(): void {
    this.lastReceivedMillis = this.#clock.nowMillis;
  }

  /** Gives back what could not be acted on: it comes first when reading goes on. */
  giveBack(buffer: Buffer, start: number, end: number): void {
    if (start < end && this.#stops !== 0) this.#link.pauseBefore(buffer.subarray(start, end));
  }

  /** Notes a publish. One in an alarm stops what comes until `unblock`, and itself. [RabbitMQ: rabbit_reader, publish_received] */
  publishes(isAlarm: boolean): void {
    this.#isPublisher = true;
    if (isAlarm) this.#stop(alarm);
  }

  /** Says that there is an alarm, until `unblock`. Returns whether that is new to a publisher. */
  block(): boolean {
    if (!this.#isPublisher || this.#isBlocked) return false;
    this.#isBlocked = true;
    return true;
  }

  unblock(): void {
    this.#isBlocked = false;
    this.#unstop(alarm);
  }

  /** Stops until `releaseAfterLogin`: somebody else is asked who the client is. */
  holdForLogin(): void {
    this.#stop(login);
  }

  releaseAfterLogin(): void {
    this.#unstop(login);
  }

  /** Stops until `releaseAfterSettling`: what it has settled is not all settled yet. */
  holdForSettling(): void {
    this.#stop(settling);
  }

  releaseAfterSettling(): void {
    this.#unstop(settling);
  }

  /**
   * Says that about so many bytes of answers are going to be written to the outbox. Deliveries stop at a full outbox by themselves. Answers
   * (basic.get above all) do not: a client that asks and asks and reads none of them is not read any more either, until `drained`.
   */
  answering(bytes: number): void {
    if (!this.#link.outbox.isCongested) return;
    this.#answersBytes += bytes;
    if (this.#answersBytes > answersBytesMax) this.#stop(answers);
  }

  /** The outbox has room again. */
  drained(): void {
    this.#answersBytes = 0;
    this.#unstop(answers);
  }

  /**
   * Counts what costs more than a message: a method that changes queues, exchanges or bindings is 1. However much of it a client sends
   * without waiting for answers, the others are read in between.
   */
  worked(count: number, watch: PollWatch): void {
    this.#workCount += count;
    if (this.#workCount < workMax || (this.#stops & work) !== 0) return;
    this.#stop(work);
    watch.afterPoll(() => {
      this.#workCount = 0;
      this.#unstop(work);
    });
  }

  /**
   * Says that a read of so many bytes was acted on. Of what waits for a socket 8 MiB may be read in one go, and a thousand publishers may have
   * something waiting: whoever sends much lets the others be read in between.
   */
  hasRead(bytes: number, watch: PollWatch): void {
    if (bytes < fullReadBytes || !watch.isPollLong || this.#isHeldForOthers) return;
    this.#isHeldForOthers = true;
    this.hold();
    watch.afterPoll(() => {
      this.#isHeldForOthers = false;
      this.release();
    });
  }

  /** Reads nothing more until `release`, as often as it was called. */
  hold(): void {
    this.#holdCount++;
    this.#link.pause();
  }

  release(): void {
    this.#holdCount--;
    this.#resume();
  }

  /** Reads nothing more until the disk has caught up with what was published. */
  holdForDisk(disk: Backlog): void {
    if (this.#isHeldForDisk) return;
    this.#isHeldForDisk = true;
    this.hold();
    disk.onCaughtUp(() => {
      this.#isHeldForDisk = false;
      this.release();
    });
  }

  #stop(why: number): void {
    this.#stops |= why;
    this.#link.pause();
  }

  #unstop(why: number): void {
    if ((this.#stops & why) === 0) return;
    this.#stops &= ~why;
    this.#resume();
  }

  #resume(): void {
    if (this.#holdCount > 0 || this.#stops !== 0) return;
    this.received();
    this.#link.resume();
  }
}
