import { tableToJson } from '../../../base/field-table.ts';
import type { ConnectionInfo } from '../../../core/connection-registry.ts';
import { stringArgument } from '../../../core/queues/queue-arguments.ts';
import type { OwnLogFacts, Queue } from '../../../core/queues/queue.ts';
import { queueColumns } from '../../../core/statistics/columns.ts';
import type { History } from '../../../core/statistics/history.ts';
import { headOf } from '../../messages/head.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import { noRanges, type SampleRanges } from '../sample-ranges.ts';
import { consumerView } from './consumer-view.ts';
import { garbageCollection, noReductions } from './erlang-facts.ts';
import { queueStats } from './message-stats.ts';
import { RateWriter } from './rates.ts';

const readyColumn = queueColumns.index('messages_ready');
const unackedColumn = queueColumns.index('messages_unacknowledged');
const utilisationColumn = queueColumns.index('consumer_utilisation');
/** Over how many samples the use of consumers is averaged. */
const utilisationSamples = 12;

/** What a queue in memory takes besides its messages, and each message besides its bytes; estimates. */
const queueBytes = 1500;
const entryBytes = 20;

/** How much of a queue is shown. */
export type QueueDetail =
  /** As declared: for disable_stats. */
  | 'plain'
  /** And how many messages: for disable_stats with enable_queue_totals. */
  | 'totals'
  /** Everything that lists show. */
  | 'full';

/** Queues in lists. */
export class QueueViews {
  readonly #services: Services;
  readonly #rates: RateWriter;
  readonly #ranges: SampleRanges;

  constructor(services: Services, ranges: SampleRanges = noRanges) {
    this.#services = services;
    this.#rates = new RateWriter(services.statistics);
    this.#ranges = ranges;
  }

  view(queue: Queue, detail: QueueDetail): JsonObject {
    const view = this.#declared(queue);
    if (detail === 'totals') {
      view['messages'] = queue.messageCount;
      view['messages_ready'] = queue.readyCount;
      view['messages_unacknowledged'] = queue.unackedCount;
    }
    if (detail !== 'plain' && (queue.retries !== null || queue.settings.retryDelays !== null))
      view['messages_delayed'] = queue.retries?.heldCount ?? 0;
    if (detail === 'full') this.#addStatistics(queue, view);
    return view;
  }

  /** The queue by itself, with its consumers. */
  detailed(queue: Queue, detail: QueueDetail): JsonObject {
    const view = this.view(queue, detail);
    view['consumer_details'] = Array.from(queue.consumers(), consumer => consumerView(consumer, this.#nodeName));
    view['deliveries'] = [];
    view['incoming'] = [];
    return view;
  }

  get #nodeName(): string {
    return this.#services.core.settings.nodeName;
  }

  #declared(queue: Queue): JsonObject {
    const view: JsonObject = {
      arguments: tableToJson(queue.arguments),
      auto_delete: queue.isAutoDelete,
      durable: queue.isDurable,
      exclusive: queue.isExclusive,
      name: queue.name,
      node: this.#nodeName,
      state: queue.paused === null ? 'running' : 'paused',
      type: queue.type.name,
      vhost: queue.vhostName,
    };
    if (queue.type.capabilities.hasMembers)
      Object.assign(view, { leader: this.#nodeName, members: [this.#nodeName], online: [this.#nodeName] });
    if (queue.paused !== null) {
      view['paused_since'] = new Date(queue.paused.sinceMillis).toISOString();
      view['paused_by'] = queue.paused.by;
    }
    const owner = ownerOf(queue);
    if (owner !== null) view['owner_pid_details'] = owner;
    return view;
  }

  #addStatistics(queue: Queue, view: JsonObject): void {
    const { statistics } = this.#services;
    const history = statistics.of(queue);
    const rates = this.#rates;
    const { lengths } = this.#ranges;
    rates.write(view, 'messages', queue.messageCount, history, [readyColumn, unackedColumn], lengths);
    rates.write(view, 'messages_ready', queue.readyCount, history, [readyColumn], lengths);
    rates.write(view, 'messages_unacknowledged', queue.unackedCount, history, [unackedColumn], lengths);
    const stats = queueStats(rates, queue.counters, history, this.#ranges.messageRates);
    if (stats !== null) view['message_stats'] = stats;
    if (queue.ownLog === null) this.#addQueueFacts(queue, view, history);
    else this.#addLogFacts(queue, view, queue.ownLog);
    const idleTicks = history === undefined ? 0 : statistics.tick - history.lastChangeTick;
    if (idleTicks > 0) view['idle_since'] = new Date(statistics.tickWallMillis - idleTicks * statistics.sampleMillis).toISOString();
  }

  /** What RabbitMQ tells of streams, and what else there is to know. */
  #addLogFacts(queue: Queue, view: JsonObject, log: OwnLogFacts): void {
    Object.assign(view, {
      committed_offset: log.endOffset - 1,
      consumers: queue.consumerCount,
      effective_policy_definition: queue.policy.definition,
      first_offset: log.firstOffset,
      garbage_collection: garbageCollection,
      memory: queueBytes,
      message_bytes: queue.readyBytes,
      operator_policy: queue.policy.operatorPolicy,
      policy: queue.policy.policy,
      readers: { [this.#nodeName]: queue.consumerCount },
      ...noReductions,
      segments: log.segmentCount,
    });
  }

  #addQueueFacts(queue: Queue, view: JsonObject, history: History | undefined): void {
    const use = consumerUse(queue, history);
    const bytes = queue.readyBytes + queue.unackedBytes;
    Object.assign(view, {
      consumer_capacity: use,
      consumer_utilisation: use,
      consumers: queue.consumerCount,
      delivery_limit: queue.settings.deliveryLimit < 0 ? 'unlimited' : queue.settings.deliveryLimit,
      effective_policy_definition: queue.policy.definition,
      garbage_collection: garbageCollection,
      memory: queueBytes + queue.messageCount * entryBytes + bytes,
      message_bytes: bytes,
      message_bytes_persistent: queue.isLogging ? bytes : 0,
      message_bytes_ram: bytes,
      message_bytes_ready: queue.readyBytes,
      message_bytes_unacknowledged: queue.unackedBytes,
      messages_persistent: queue.isLogging ? queue.messageCount : 0,
      messages_ram: queue.messageCount,
      operator_policy: queue.policy.operatorPolicy,
      policy: queue.policy.policy,
      ...noReductions,
    });
    if (queue.type.capabilities.hasMembers) this.#addMembers(queue, view);
    else this.#addBacking(queue, view);
  }

  /** What only queues without members show. */
  #addBacking(queue: Queue, view: JsonObject): void {
    Object.assign(view, {
      backing_queue_status: backingQueueStatus(queue),
      exclusive_consumer_tag: queue.exclusiveConsumer?.tag ?? null,
      head_message_timestamp: headOf(this.#services.core, queue)?.timestampSeconds ?? null,
      message_bytes_paged_out: 0,
      messages_paged_out: 0,
      messages_ready_ram: queue.readyCount,
      messages_unacknowledged_ram: queue.unackedCount,
      recoverable_slaves: null,
      single_active_consumer_tag: singleActiveConsumer(queue),
      storage_version: 2,
    });
  }

  /** What only queues with members show. */
  #addMembers(queue: Queue, view: JsonObject): void {
    Object.assign(view, {
      messages_dlx: queue.dyingCount,
      message_bytes_dlx: queue.dyingBytes,
      open_files: { [this.#nodeName]: 0 },
      single_active_consumer_ctag: singleActiveConsumer(queue),
    });
  }
}

/** The share of the last minute in which a consumer could have been given a message at once. */
function consumerUse(queue: Queue, history: History | undefined): number {
  if (queue.consumerCount === 0 || history === undefined) return 0;
  let sum = 0;
  for (let ago = 0; ago < utilisationSamples; ago++) sum += history.valueAgo(utilisationColumn, ago);
  return sum / utilisationSamples;
}

function singleActiveConsumer(queue: Queue): string | null {
  if (queue.arguments.get('x-single-active-consumer')?.value !== true) return null;
  for (const consumer of queue.consumers()) if (consumer.isActive) return consumer.tag;
  return null;
}

function ownerOf(queue: Queue): JsonObject | null {
  const owner = queue.owner as Partial<ConnectionInfo> | null;
  if (owner === null || typeof owner.describe !== 'function') return null;
  const { name, peerHost, peerPort } = owner.describe();
  return { name, peer_host: peerHost, peer_port: peerPort };
}

/** The inside of RabbitMQ's classic queues, which some tools show. */
function backingQueueStatus(queue: Queue): JsonObject {
  return {
    avg_ack_egress_rate: 0,
    avg_ack_ingress_rate: 0,
    avg_egress_rate: 0,
    avg_ingress_rate: 0,
    delta: ['delta', 'undefined', 0, 0, 'undefined'],
    len: queue.readyCount,
    mode: stringArgument(queue.arguments, 'x-queue-mode') ?? 'default',
    next_deliver_seq_id: queue.counters.published,
    next_seq_id: queue.counters.published,
    q1: 0,
    q2: 0,
    q3: 0,
    q4: queue.readyCount,
    target_ram_count: 'infinity',
    version: 2,
  };
}
