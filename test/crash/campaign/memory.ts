import { DeliveryCounts } from './delivery-counts.ts';
import type { Ledger } from './ledger.ts';
import { MqttState } from './mqtt-state.ts';
import { Offsets } from './offsets.ts';

/** What clients know of names that come and go. */
export type MetadataState = 'there' | 'gone' | 'unknown';

/** What clients keep beside the ledger while their broker is killed and started again. */
export class Memory {
  /** Queues that come and go: name -> what is known. */
  readonly metadata: Map<string, MetadataState>;
  readonly offsets: Offsets;
  readonly counts: DeliveryCounts;
  readonly mqtt: Readonly<Record<1 | 2, MqttState>> = { 1: new MqttState(1), 2: new MqttState(2) };
  /** When messages that were to be held are due, by copy. */
  readonly due = new Map<number, number>();

  constructor(ledger: Ledger, metadata = new Map<string, MetadataState>()) {
    this.metadata = metadata;
    this.offsets = new Offsets(ledger);
    this.counts = new DeliveryCounts(ledger);
  }
}
