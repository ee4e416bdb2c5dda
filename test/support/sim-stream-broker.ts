import assert from 'node:assert/strict';
import type { BrokerCore } from '../../src/core/broker.ts';
import { StreamStore } from '../../src/store/streams/stream-store.ts';
import { SimBroker } from './sim-broker.ts';
import { SimClient } from './sim-client.ts';
import { simStore, startStore } from './sim-disk.ts';
import type { SimFiles } from './sim-files.ts';

/** A broker with queues and streams on one simulated disk, and a client of it that has channel 1 open. */
export interface SimStreamBroker {
  readonly broker: SimBroker;
  readonly files: SimFiles;
  readonly client: SimClient;
}

/** Starts it with what is on the disk, in which nothing may be damaged. */
export function startSimStreamBroker(files: SimFiles): SimStreamBroker {
  const store = simStore(files);
  const streams = new StreamStore(files);
  const begin = (core: BrokerCore): void => {
    streams.attach(core);
    store.journal.join(streams);
    startStore(store, core);
    assert.deepEqual(streams.recover(true).damaged, []);
    streams.begin(error => assert.equal(error, null));
  };
  const broker = new SimBroker({ durability: store.journal, streams, beforeStart: begin });
  finishDisk({ broker, files });
  const client = SimClient.connect(broker);
  client.openChannel(1);
  return { broker, files, client };
}

/** Lets the disk do all it has to, and the broker what follows from it. */
export function finishDisk({ broker, files }: Omit<SimStreamBroker, 'client'>): void {
  do broker.settle();
  while (files.step());
  // What nobody waits for is written a little later.
  broker.advance(20);
  while (files.step()) broker.settle();
  broker.settle();
}
