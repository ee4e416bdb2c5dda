/**
 * One change of the broker's durable metadata (users, permissions, vhosts, exchanges, queues, bindings, policies ...). Each area of the
 * core defines its own changes as a discriminated union on `kind` ('user.put', 'queue.delete'); a change is plain data that survives
 * JSON, says everything needed to apply it again, and applying it twice gives the same state. [architecture: everything durable is a log]
 */
export interface MetadataChange {
  readonly kind: string;
}

/** The log that metadata changes go to. The area records a change first and then applies it; a restart applies the recorded ones again. */
export interface MetadataJournal {
  /** Appends the change. Synchronous: it is durable only after the journal's next commit. */
  record(change: MetadataChange): void;
}

/** Keeps nothing: for a broker that lives in memory only. */
export const nullJournal: MetadataJournal = { record() {} };
