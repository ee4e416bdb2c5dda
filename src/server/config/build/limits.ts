import type { DiskConfig, LimitsConfig, MemoryConfig } from '../config.ts';
import { LIMITS } from '../schema/limits.ts';
import { LISTENERS } from '../schema/listeners.ts';
import { DISK, MEMORY } from '../schema/memory.ts';
import { CREDENTIALS } from '../schema/users.ts';
import { TIMER_MILLIS_MAX } from '../value-units.ts';
import { type BuildContext, problem, warn } from './context.ts';

/** The smallest frame every peer must take. [AMQP 0-9-1 frame-min-size] */
const FRAME_BYTES_MIN = 4096;
const FRAME_BYTES_UNLIMITED = 2_147_483_647;
const CHANNELS_UNLIMITED = 65_535;

/** Sockets are files: some must be left for the journal, logs and the rest. */
const SOCKETS_PER_OPEN_FILE = 0.8;

export function buildLimits(context: BuildContext): LimitsConfig {
  const { settings } = context;
  const frameMax = settings.value(LIMITS.frameMax);
  if (frameMax !== 0 && frameMax < FRAME_BYTES_MIN)
    problem(context, settings.where(LIMITS.frameMax), `frame_max = ${frameMax}: at least ${FRAME_BYTES_MIN}, or 0 for no limit`);
  return {
    heartbeatSeconds: settings.value(LIMITS.heartbeat),
    frameBytesMax: frameMax === 0 ? FRAME_BYTES_UNLIMITED : frameMax,
    initialFrameBytesMax: settings.value(LIMITS.initialFrameMax),
    channelMax: settings.value(LIMITS.channelMax) || CHANNELS_UNLIMITED,
    channelsPerNodeMax: settings.value(LIMITS.channelsPerNode),
    connectionMax: buildConnectionMax(context),
    connectionsPerAddressMax: settings.value(LIMITS.connectionsPerAddress),
    preauthConnectionsMax: settings.value(LIMITS.preauthConnections),
    consumersPerChannelMax: settings.value(LIMITS.consumersPerChannel),
    unackedPerChannelMax: settings.value(LIMITS.unackedPerChannel),
    outboxBytesMax: settings.value(LIMITS.outboxBytes),
    queueIndexBytesMax: settings.value(LIMITS.queueIndexBytes),
    messageBytesMax: settings.value(LIMITS.messageBytes),
    queueMax: settings.value(LIMITS.queues),
    exchangeMax: settings.value(LIMITS.exchanges),
    bindingMax: settings.value(LIMITS.bindings),
    vhostMax: settings.value(LIMITS.vhosts),
    tableDepthMax: settings.value(LIMITS.tableDepth),
    tableEntriesMax: settings.value(LIMITS.tableEntries),
    handshakeMillis: timerMillis(settings.value(LISTENERS.handshake)),
    tlsHandshakeMillis: timerMillis(settings.value(LISTENERS.tlsHandshake)),
    consumerTimeoutMillis: settings.value(LIMITS.consumerTimeout),
    loginFailuresPerMinuteMax: settings.value(CREDENTIALS.failuresPerMinute),
  };
}

/** A time that a timer will be set to: what is longer than a timer can wait would otherwise be over at once. */
function timerMillis(millis: number): number {
  return millis === Number.POSITIVE_INFINITY ? millis : Math.min(millis, TIMER_MILLIS_MAX);
}

function buildConnectionMax(context: BuildContext): number {
  const { settings, platform } = context;
  const configured = settings.value(LIMITS.connections);
  if (settings.isSet(LIMITS.connections) || platform.openFilesMax === undefined) return configured;
  return Math.min(configured, Math.floor(platform.openFilesMax * SOCKETS_PER_OPEN_FILE));
}

export function buildMemory(context: BuildContext): MemoryConfig {
  const { settings } = context;
  const absolute = settings.optional(MEMORY.absolute);
  const relative = settings.value(MEMORY.relative);
  if (absolute !== null && settings.isSet(MEMORY.relative)) {
    warn(
      context,
      settings.where(MEMORY.relative),
      'vm_memory_high_watermark.relative has no effect, because vm_memory_high_watermark.absolute is set as well',
    );
  }
  const override = settings.optional(MEMORY.totalOverride);
  const total = override ?? context.platform.totalMemoryBytes;
  return {
    watermark: absolute === null ? { relative } : { absoluteBytes: absolute },
    totalMemoryOverrideBytes: override,
    totalMemoryBytes: total,
    watermarkBytes: absolute ?? Math.floor(relative * total),
    checkIntervalMillis: settings.value(MEMORY.interval),
  };
}

export function buildDisk(context: BuildContext, memory: MemoryConfig): DiskConfig {
  const { settings } = context;
  const relative = settings.optional(DISK.relative);
  const absolute = settings.value(DISK.absolute);
  const isRelative = relative !== null && !settings.isSet(DISK.absolute);
  if (relative !== null && !isRelative) {
    warn(context, settings.where(DISK.relative), 'disk_free_limit.relative has no effect, because disk_free_limit.absolute is set as well');
  }
  return {
    freeLimit: isRelative ? { relativeToMemory: relative } : { absoluteBytes: absolute },
    freeLimitBytes: isRelative ? Math.floor(relative * memory.totalMemoryBytes) : absolute,
  };
}
