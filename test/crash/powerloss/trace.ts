import type { FileHandle, Files } from '../../../src/core/ports/files.ts';
import { Ledger } from '../campaign/ledger.ts';
import type { MetadataState } from '../campaign/memory.ts';
import type { Route } from '../campaign/topology.ts';

/** Names of the files of streams begin with this. */
export const streamFolder = 'streams/';

/** What clients know at some moment of a trace. */
export interface Knowledge {
  readonly ledger: Ledger;
  readonly metadata: Map<string, MetadataState>;
  /** What readers saw in the stream: copies, by offset. */
  readonly seen: Map<number, number>;
}

/** Something that happened to the files, or that a client was told or was about to send. Files and operations have numbers. */
export type TraceEvent =
  | { readonly kind: 'make'; readonly name: string; readonly file: number }
  | { readonly kind: 'size'; readonly file: number; readonly bytes: number }
  | { readonly kind: 'write'; readonly file: number; readonly operation: number; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'written'; readonly file: number; readonly operation: number }
  | { readonly kind: 'sync'; readonly file: number; readonly operation: number }
  | { readonly kind: 'synced'; readonly file: number; readonly operation: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'syncDirectory'; readonly operation: number }
  | { readonly kind: 'syncedDirectory'; readonly operation: number; readonly folder: string }
  | { readonly kind: 'learn'; readonly apply: (knowledge: Knowledge) => void };

/** What happened to the files of a broker, and what its clients knew when, in one order. */
export class Trace {
  readonly events: TraceEvent[] = [];
  readonly #files = new Map<string, number>();
  #lastFile = 0;
  #lastOperation = 0;

  /** Records what is done to files, in the order in which it is begun and done. */
  readonly wrap = (files: Files): Files => this.#wrapped(files, '');
  readonly wrapStreams = (files: Files): Files => this.#wrapped(files, streamFolder);

  #wrapped(files: Files, folder: string): Files {
    const remove = (file: string): void => {
      const name = folder + file;
      files.remove(file);
      if (this.#files.delete(name)) this.events.push({ kind: 'remove', name });
    };
    return {
      list: () => files.list(),
      sizeOf: name => files.sizeOf(name),
      readWhole: name => files.readWhole(name),
      open: (file, bytes) => {
        const name = folder + file;
        const isNew = !files.list().includes(file);
        const handle = files.open(file, bytes);
        if (isNew) {
          this.#files.set(name, ++this.#lastFile);
          this.events.push({ kind: 'make', name, file: this.#lastFile });
        }
        this.events.push({ kind: 'size', file: this.#fileOf(name), bytes });
        return this.#handle(handle, this.#fileOf(name));
      },
      openExisting: name => this.#handle(files.openExisting(name), this.#fileOf(folder + name)),
      rename: (oldName, newName) => {
        const [from, to] = [folder + oldName, folder + newName];
        const file = this.#fileOf(from);
        files.rename(oldName, newName);
        this.#files.delete(from);
        this.#files.set(to, file);
        this.events.push({ kind: 'rename', from, to });
      },
      remove,
      removeLater: remove,
      whenRemoved: done => files.whenRemoved(done),
      copy: () => {
        throw new Error('a copy of a damaged segment, where nothing is damaged');
      },
      syncDirectory: done => {
        const operation = ++this.#lastOperation;
        this.events.push({ kind: 'syncDirectory', operation });
        files.syncDirectory(error => {
          if (error === null) this.events.push({ kind: 'syncedDirectory', operation, folder });
          done(error);
        });
      },
    };
  }

  learn(apply: (knowledge: Knowledge) => void): void {
    this.events.push({ kind: 'learn', apply });
  }

  #fileOf(name: string): number {
    return this.#files.get(name) as number;
  }

  #handle(handle: FileHandle, file: number): FileHandle {
    return {
      write: (bytes, position, done) => {
        const operation = ++this.#lastOperation;
        this.events.push({ kind: 'write', file, operation, position, bytes: Buffer.from(bytes) });
        handle.write(bytes, position, error => {
          if (error === null) this.events.push({ kind: 'written', file, operation });
          done(error);
        });
      },
      sync: done => {
        const operation = ++this.#lastOperation;
        this.events.push({ kind: 'sync', file, operation });
        handle.sync(error => {
          if (error === null) this.events.push({ kind: 'synced', file, operation });
          done(error);
        });
      },
      read: (into, position, done) => handle.read(into, position, done),
      writeSync: (bytes, position) => handle.writeSync(bytes, position),
      readSync: (into, position) => handle.readSync(into, position),
      close: () => handle.close(),
    };
  }
}

/** Puts everything that it is told into the trace. */
export class TracedLedger extends Ledger {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    super();
    this.#trace = trace;
  }

  override published(route: Route, publisher: number): number {
    this.#trace.learn(({ ledger }) => ledger.published(route, publisher));
    return super.published(route, publisher);
  }

  override confirmed(route: Route, first: number): void {
    this.#trace.learn(({ ledger }) => ledger.confirmed(route, first));
    super.confirmed(route, first);
  }

  override refused(route: Route, first: number): void {
    this.#trace.learn(({ ledger }) => ledger.refused(route, first));
    super.refused(route, first);
  }

  override acknowledging(copy: number): void {
    this.#trace.learn(({ ledger }) => ledger.acknowledging(copy));
    super.acknowledging(copy);
  }

  override acknowledged(copy: number): void {
    this.#trace.learn(({ ledger }) => ledger.acknowledged(copy));
    super.acknowledged(copy);
  }

  override emptying(queue: number, from: number): number[] {
    this.#trace.learn(({ ledger }) => ledger.emptying(queue, from));
    return super.emptying(queue, from);
  }
}

/** The same for names that come and go. */
export class TracedMetadata extends Map<string, MetadataState> {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    super();
    this.#trace = trace;
  }

  override set(name: string, state: MetadataState): this {
    this.#trace.learn(({ metadata }) => metadata.set(name, state));
    return super.set(name, state);
  }
}
