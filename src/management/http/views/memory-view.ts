import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';

/** Kinds of Erlang processes that have no memory of their own here. */
const ofOtherProcesses = {
  queue_slave_procs: 0,
  quorum_queue_procs: 0,
  quorum_queue_dlx_procs: 0,
  stream_queue_procs: 0,
  stream_queue_replica_reader_procs: 0,
  stream_queue_coordinator_procs: 0,
  plugins: 0,
} as const;

/** Where the memory is, in the parts RabbitMQ has, as far as they mean something here. */
export function memoryView(services: Services): JsonObject {
  const { core, node } = services;
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = node.memory;
  const messages = core.store.heldBytes;
  let outboxes = 0;
  for (const connection of core.connections) outboxes += connection.describe().pendingBytes;
  const binary = Math.max(0, arrayBuffers - messages - outboxes);
  const known = messages + outboxes + binary + heapUsed;
  return {
    connection_readers: 0,
    connection_writers: outboxes,
    connection_channels: 0,
    connection_other: 0,
    queue_procs: messages,
    ...ofOtherProcesses,
    other_proc: heapUsed,
    metrics: 0,
    mgmt_db: 0,
    mnesia: 0,
    quorum_ets: 0,
    other_ets: 0,
    binary,
    msg_index: 0,
    code: 0,
    atom: 0,
    other_system: Math.max(0, rss - heapTotal - external),
    allocated_unused: Math.max(0, heapTotal - heapUsed),
    reserved_unallocated: Math.max(0, rss - known),
    strategy: 'rss',
    total: { erlang: heapUsed + external, rss, allocated: heapTotal + external },
  };
}

/** Binaries by owner, for `binary=true`. */
export function binaryView(services: Services): JsonObject {
  const { core, node } = services;
  const messages = core.store.heldBytes;
  return {
    connection_readers: 0,
    connection_writers: 0,
    connection_channels: 0,
    connection_other: 0,
    queue_procs: messages,
    ...ofOtherProcesses,
    mgmt_db: 0,
    msg_index: 0,
    other: Math.max(0, node.memory.arrayBuffers - messages),
  };
}
