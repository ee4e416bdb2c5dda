// hot path: see docs/STYLE.md

/** Kinds of operations, in the low byte of their first word. Stored: never renumber. */
export const opEnqueue = 1;
export const opSettle = 2;
export const opMetadata = 3;
/** Flags of an entry, redelivered and delivery count: when it came back to a queue that counts that for good, and at a clean stop. */
export const opFlags = 4;
/** Everything before was written by a clean stop. */
export const opClean = 5;
/** The broker has started: what follows is of another run. */
export const opBegin = 6;
/** Says nothing: there is something to commit, so that the frame's header gets written. */
export const opNothing = 7;
/** When an entry is due again, and how often it was tried: see core/retries. Since format 2. */
export const opWait = 8;
/** A queue has taken a dead letter that is kept until all its targets have: see core/dead-letters.ts. Since format 3. */
export const opTaken = 9;
/** A message is at another place of its queue: enqueue, flags and settle in one, so that no crash comes between. Since format 3. */
export const opMove = 10;
const expiresFlag = 1 << 16;

/** Who acts on operations that are read back. */
export interface OpVisitor {
  onEnqueue(
    queueId: number,
    priority: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
  ): void;
  onSettle(queueId: number, priority: number, sequence: number, count: number): void;
  onMetadata(json: string): void;
  onFlags(queueId: number, priority: number, sequence: number, meta: number): void;
  onWait(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void;
  onTaken(queueId: number, priority: number, sequence: number, targetId: number): void;
  onMove(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void;
  onClean(): void;
  onBegin(): void;
}

/**
 * Operations gathered for the next commit, as words:
 *
 *     enqueue    kind u8, priority u8, flags u16 | queue | sequence low, high | log slab | unit | body bytes | [expiry low, high]
 *     settle     kind u8, priority u8            | queue | sequence low, high | count
 *     metadata   kind u8                         | bytes | JSON, padded with spaces
 *     flags      kind u8, priority u8            | queue | sequence low, high | meta
 *     clean      kind u8
 *     begin      kind u8
 *     nothing    kind u8
 *     wait       kind u8, priority u8            | queue | sequence low, high | retries | due low, high (0: it does not wait any more)
 *     taken      kind u8, priority u8            | queue | sequence low, high | number of the queue that has it
 *     move       as enqueue, with the expiry (0: never), then | sequence it had low, high | meta
 */
export class Ops {
  words = new Uint32Array(16 * 1024);
  length = 0;
  /** Where the last settle is, when it is the last operation: settles in order become one range. */
  #lastSettle = -1;

  enqueue(
    queueId: number,
    priority: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
  ): void {
    const at = this.#claim(expiryMillis === 0 ? 7 : 9);
    const { words } = this;
    words[at] = opEnqueue | (priority << 8) | (expiryMillis === 0 ? 0 : expiresFlag);
    words[at + 1] = queueId;
    words[at + 2] = sequence >>> 0;
    words[at + 3] = sequence > 0xffff_ffff ? Math.floor(sequence / 0x1_0000_0000) : 0;
    words[at + 4] = logSequence;
    words[at + 5] = unit;
    words[at + 6] = bodyBytes;
    if (expiryMillis !== 0) {
      const whole = Math.ceil(expiryMillis);
      words[at + 7] = whole >>> 0;
      words[at + 8] = Math.floor(whole / 0x1_0000_0000);
    }
    this.#lastSettle = -1;
  }

  settle(queueId: number, priority: number, sequence: number): void {
    const last = this.#lastSettle;
    const { words } = this;
    if (
      last >= 0 &&
      words[last + 1] === queueId &&
      (words[last] as number) >>> 8 === priority &&
      sequence === (words[last + 3] as number) * 0x1_0000_0000 + (words[last + 2] as number) + (words[last + 4] as number)
    ) {
      words[last + 4] = (words[last + 4] as number) + 1;
      return;
    }
    const at = this.#claim(5);
    this.words[at] = opSettle | (priority << 8);
    this.words[at + 1] = queueId;
    this.words[at + 2] = sequence >>> 0;
    this.words[at + 3] = sequence > 0xffff_ffff ? Math.floor(sequence / 0x1_0000_0000) : 0;
    this.words[at + 4] = 1;
    this.#lastSettle = at;
  }

  /** As many settlements as `count`, of sequence numbers that follow each other. */
  settleRun(queueId: number, priority: number, first: number, count: number): void {
    this.settle(queueId, priority, first);
    this.words[this.#lastSettle + 4] = (this.words[this.#lastSettle + 4] as number) + count - 1;
  }

  metadata(json: string): void {
    const bytes = Buffer.byteLength(json);
    const at = this.#claim(2 + ((bytes + 3) >> 2));
    this.words[at] = opMetadata;
    this.words[at + 1] = bytes;
    Buffer.from(this.words.buffer, (at + 2) * 4, ((bytes + 3) >> 2) * 4)
      .fill(0x20)
      .write(json);
    this.#lastSettle = -1;
  }

  flags(queueId: number, priority: number, sequence: number, meta: number): void {
    const at = this.#claim(5);
    this.words[at] = opFlags | (priority << 8);
    this.words[at + 1] = queueId;
    this.words[at + 2] = sequence >>> 0;
    this.words[at + 3] = Math.floor(sequence / 0x1_0000_0000);
    this.words[at + 4] = meta;
    this.#lastSettle = -1;
  }

  wait(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    const at = this.#claim(7);
    const due = Math.ceil(dueMillis);
    this.words[at] = opWait | (priority << 8);
    this.words[at + 1] = queueId;
    this.words[at + 2] = sequence >>> 0;
    this.words[at + 3] = Math.floor(sequence / 0x1_0000_0000);
    this.words[at + 4] = retryCount;
    this.words[at + 5] = due >>> 0;
    this.words[at + 6] = Math.floor(due / 0x1_0000_0000);
    this.#lastSettle = -1;
  }

  taken(queueId: number, priority: number, sequence: number, targetId: number): void {
    const at = this.#claim(5);
    this.words[at] = opTaken | (priority << 8);
    this.words[at + 1] = queueId;
    this.words[at + 2] = sequence >>> 0;
    this.words[at + 3] = Math.floor(sequence / 0x1_0000_0000);
    this.words[at + 4] = targetId;
    this.#lastSettle = -1;
  }

  move(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void {
    const at = this.#claim(12);
    const { words } = this;
    const expiry = Math.ceil(expiryMillis);
    words[at] = opMove | (priority << 8);
    words[at + 1] = queueId;
    words[at + 2] = sequence >>> 0;
    words[at + 3] = Math.floor(sequence / 0x1_0000_0000);
    words[at + 4] = logSequence;
    words[at + 5] = unit;
    words[at + 6] = bodyBytes;
    words[at + 7] = expiry >>> 0;
    words[at + 8] = Math.floor(expiry / 0x1_0000_0000);
    words[at + 9] = from >>> 0;
    words[at + 10] = Math.floor(from / 0x1_0000_0000);
    words[at + 11] = meta;
    this.#lastSettle = -1;
  }

  clean(): void {
    this.#bare(opClean);
  }

  begin(): void {
    this.#bare(opBegin);
  }

  nothing(): void {
    this.#bare(opNothing);
  }

  clear(): void {
    this.length = 0;
    this.#lastSettle = -1;
    if (this.words.length > 1024 * 1024) this.words = new Uint32Array(16 * 1024);
  }

  #bare(kind: number): void {
    this.words[this.#claim(1)] = kind;
    this.#lastSettle = -1;
  }

  #claim(count: number): number {
    const at = this.length;
    if (at + count > this.words.length) {
      const grown = new Uint32Array(Math.max(this.words.length * 2, at + count));
      grown.set(this.words);
      this.words = grown;
    }
    this.length = at + count;
    return at;
  }
}

/** Words of the operation at `at`; 0 for none that is known. */
export function opWords(words: Uint32Array, at: number): number {
  const first = words[at] as number;
  switch (first & 0xff) {
    case opEnqueue:
      return (first & expiresFlag) === 0 ? 7 : 9;
    case opSettle:
    case opFlags:
    case opTaken:
      return 5;
    case opWait:
      return 7;
    case opMove:
      return 12;
    case opMetadata:
      return 2 + (((words[at + 1] as number) + 3) >> 2);
    case opClean:
    case opBegin:
    case opNothing:
      return 1;
    default:
      return 0;
  }
}

/** Calls the visitor for every operation in [from, to). Returns false, and calls nothing, when one is not understood. */
export function readOps(words: Uint32Array, from: number, to: number, visitor: OpVisitor): boolean {
  for (let at = from; at < to; ) {
    const count = opWords(words, at);
    if (count === 0 || at + count > to) return false;
    at += count;
  }
  for (let at = from; at < to; ) {
    const count = opWords(words, at);
    const first = words[at] as number;
    const priority = (first >>> 8) & 0xff;
    const sequence = count < 4 ? 0 : (words[at + 3] as number) * 0x1_0000_0000 + (words[at + 2] as number);
    switch (first & 0xff) {
      case opEnqueue: {
        const expiryMillis = (first & expiresFlag) === 0 ? 0 : (words[at + 8] as number) * 0x1_0000_0000 + (words[at + 7] as number);
        visitor.onEnqueue(
          words[at + 1] as number,
          priority,
          sequence,
          words[at + 4] as number,
          words[at + 5] as number,
          words[at + 6] as number,
          expiryMillis,
        );
        break;
      }
      case opSettle:
        visitor.onSettle(words[at + 1] as number, priority, sequence, words[at + 4] as number);
        break;
      case opMetadata:
        visitor.onMetadata(Buffer.from(words.buffer, words.byteOffset + (at + 2) * 4, words[at + 1] as number).toString('utf8'));
        break;
      case opFlags:
        visitor.onFlags(words[at + 1] as number, priority, sequence, words[at + 4] as number);
        break;
      case opWait: {
        const dueMillis = (words[at + 6] as number) * 0x1_0000_0000 + (words[at + 5] as number);
        visitor.onWait(words[at + 1] as number, priority, sequence, dueMillis, words[at + 4] as number);
        break;
      }
      case opTaken:
        visitor.onTaken(words[at + 1] as number, priority, sequence, words[at + 4] as number);
        break;
      case opMove:
        visitor.onMove(
          words[at + 1] as number,
          priority,
          (words[at + 10] as number) * 0x1_0000_0000 + (words[at + 9] as number),
          sequence,
          words[at + 4] as number,
          words[at + 5] as number,
          words[at + 6] as number,
          (words[at + 8] as number) * 0x1_0000_0000 + (words[at + 7] as number),
          words[at + 11] as number,
        );
        break;
      case opClean:
        visitor.onClean();
        break;
      case opBegin:
        visitor.onBegin();
        break;
    }
    at += count;
  }
  return true;
}
