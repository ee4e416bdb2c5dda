import { MessageSizes } from './statistics/message-sizes.ts';
import { ProtocolCounters } from './statistics/protocol-counters.ts';

/** What happened on this node since it started. */
export class BrokerCounters {
  connectionsOpened = 0;
  connectionsClosed = 0;
  channelsOpened = 0;
  channelsClosed = 0;
  queuesDeclared = 0;
  queuesCreated = 0;
  queuesDeleted = 0;
  authenticationsFailed = 0;
  authenticationsSucceeded = 0;
  /** Messages that were read back from disk and were not what was stored. */
  damagedMessages = 0;
  /** Damaged places of the journal found at recovery. */
  damagedRecords = 0;
  /** Errors that are ours: each closed one connection and is in the log with its stack. */
  internalErrors = 0;
  /** Of what clients of AMQP 0-9-1 published; others' are with `protocols`. */
  readonly messageSizes = new MessageSizes();
  /** Of protocols beside AMQP 0-9-1, which did the rest; by the names of RabbitMQ's metrics: mqtt311. */
  readonly protocols = new Map<string, ProtocolCounters>();

  protocol(name: string): ProtocolCounters {
    let counters = this.protocols.get(name);
    if (counters === undefined) this.protocols.set(name, (counters = new ProtocolCounters()));
    return counters;
  }
}
