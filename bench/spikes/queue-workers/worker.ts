// Queues on a thread of their own: a ready list each, credit of one consumer each, and a file that all of them share.
import { fdatasync, openSync, write } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { copyBytes } from '../../../src/base/bytes.ts';
import {
  BatchWriter,
  messageHeadBytes,
  readUint32,
  recordBytes,
  recordCommit,
  recordCredit,
  recordMessage,
  recordSettled,
} from './batch.ts';

interface WorkerQueue {
  /** Batches and places in them of ready messages, from `first` on. */
  batches: Buffer[];
  places: number[];
  first: number;
  credit: number;
  isListed: boolean;
}

const { file } = workerData as { file: string | null };
const port = parentPort;
if (port === null) throw new Error('not a worker');
const descriptor = file === null ? -1 : openSync(file, 'w');
const queues: WorkerQueue[] = [];
const listed: number[] = [];
const output = new BatchWriter();
let written = 0;
/** What waits for the disk: one write and one sync are under way at a time, as in the journal. */
let waiting: Buffer[] = [];
let commits: number[] = [];
let isSyncing = false;

function queueAt(index: number): WorkerQueue {
  return (queues[index] ??= { batches: [], places: [], first: 0, credit: 0, isListed: false });
}

function list(index: number, queue: WorkerQueue): void {
  if (queue.isListed) return;
  queue.isListed = true;
  listed.push(index);
}

function take(batch: Buffer): void {
  let hasCommit = false;
  for (let at = 0; at < batch.length; ) {
    const kind = batch[at];
    const index = readUint32(batch, at + 1);
    const number = readUint32(batch, at + 5);
    if (kind === recordMessage) {
      const queue = queueAt(index);
      queue.batches.push(batch);
      queue.places.push(at);
      list(index, queue);
      at += messageHeadBytes + number;
      continue;
    }
    if (kind === recordCredit) {
      const queue = queueAt(index);
      queue.credit += number;
      list(index, queue);
    } else if (kind === recordCommit) {
      commits.push(number);
      hasCommit = true;
    } else if (kind !== recordSettled) {
      throw new Error(`unknown record ${kind}`);
    }
    at += recordBytes;
  }
  // Settlements are in the batch, so the file has them as well.
  if (descriptor >= 0 && (hasCommit || commits.length > 0)) waiting.push(batch);
  sync();
}

function sync(): void {
  if (isSyncing || commits.length === 0) return;
  const done = commits;
  const bytes = Buffer.concat(waiting);
  commits = [];
  waiting = [];
  isSyncing = true;
  write(descriptor, bytes, 0, bytes.length, written, writeError => {
    if (writeError !== null) throw writeError;
    written += bytes.length;
    fdatasync(descriptor, syncError => {
      if (syncError !== null) throw syncError;
      isSyncing = false;
      for (const id of done) output.record(recordCommit, 0, id);
      send();
      sync();
    });
  });
}

function pump(): void {
  for (const index of listed.splice(0)) {
    const queue = queueAt(index);
    queue.isListed = false;
    while (queue.credit > 0 && queue.first < queue.places.length) {
      const batch = queue.batches[queue.first] as Buffer;
      const place = queue.places[queue.first] as number;
      const bytes = messageHeadBytes + readUint32(batch, place + 5);
      output.reserve(bytes);
      copyBytes(batch, place, output.buffer, output.position, bytes);
      output.position += bytes;
      queue.first++;
      queue.credit--;
    }
    if (queue.first === queue.places.length) {
      queue.batches = [];
      queue.places = [];
      queue.first = 0;
    } else if (queue.first > 100_000) {
      queue.batches = queue.batches.slice(queue.first);
      queue.places = queue.places.slice(queue.first);
      queue.first = 0;
    }
  }
}

function send(): void {
  if (output.position === 0) return;
  const batch = output.take();
  port?.postMessage({ bytes: batch.length, buffer: batch.buffer }, [batch.buffer as ArrayBuffer]);
}

port.on('message', (message: { bytes: number; buffer: ArrayBuffer } | 'usage') => {
  if (message === 'usage') {
    const { user, system } = process.threadCpuUsage();
    port.postMessage({ usageMicros: user + system });
    return;
  }
  take(Buffer.from(message.buffer, 0, message.bytes));
  pump();
  send();
});
