import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf as of, load, problemsOf } from '../../../../test/support/config-texts.ts';

test('limits have RabbitMQ’s defaults, and every one can be changed', () => {
  const { limits } = of(`heartbeat = 10
frame_max = 64KB
initial_frame_max = 4096
channel_max = 5
channel_max_per_node = 6
connection_max = infinity
warren.connections_per_ip_max = 7
warren.preauth_connections_max = 8
consumer_max_per_channel = 9
warren.unacked_per_channel_max = 10
warren.outbox_bytes_max = 128KiB
warren.queue_index_bytes_max = 1MiB
max_message_size = 536870912
cluster_queue_limit = 11
cluster_exchange_limit = 12
warren.binding_max = 13
vhost_max = 14
warren.table_depth_max = 15
warren.table_entries_max = 16
handshake_timeout = 17s
ssl_handshake_timeout = infinity
consumer_timeout = infinity`);
  assert.deepEqual(limits, {
    heartbeatSeconds: 10,
    frameBytesMax: 65_536,
    initialFrameBytesMax: 4096,
    channelMax: 5,
    channelsPerNodeMax: 6,
    connectionMax: Number.POSITIVE_INFINITY,
    connectionsPerAddressMax: 7,
    preauthConnectionsMax: 8,
    consumersPerChannelMax: 9,
    unackedPerChannelMax: 10,
    outboxBytesMax: 131_072,
    queueIndexBytesMax: 1_048_576,
    messageBytesMax: 536_870_912,
    queueMax: 11,
    exchangeMax: 12,
    bindingMax: 13,
    vhostMax: 14,
    tableDepthMax: 15,
    tableEntriesMax: 16,
    handshakeMillis: 17_000,
    tlsHandshakeMillis: Number.POSITIVE_INFINITY,
    consumerTimeoutMillis: Number.POSITIVE_INFINITY,
    loginFailuresPerMinuteMax: 10,
  });
  const defaults = of('').limits;
  assert.deepEqual(
    [defaults.heartbeatSeconds, defaults.frameBytesMax, defaults.initialFrameBytesMax, defaults.channelMax, defaults.messageBytesMax],
    [60, 131_072, 8192, 2047, 16_777_216],
  );
  assert.deepEqual([defaults.handshakeMillis, defaults.tlsHandshakeMillis, defaults.consumerTimeoutMillis], [10_000, 5000, 1_800_000]);
});

test('0 is no limit for frame_max and channel_max, and a frame is never smaller than 4096', () => {
  assert.equal(of('frame_max = 0').limits.frameBytesMax, 2_147_483_647);
  assert.equal(of('channel_max = 0').limits.channelMax, 65_535);
  assert.deepEqual(problemsOf('frame_max = 4095'), ['1: frame_max = 4095: at least 4096, or 0 for no limit']);
});

test('connections are limited by open files unless they are configured', () => {
  const max = (conf: string, openFilesMax: number) =>
    load({ conf, platform: { totalMemoryBytes: 1, hostname: 'h', openFilesMax } }).config.limits.connectionMax;
  assert.equal(max('', 1024), 819);
  assert.equal(max('', 1_000_000), 10_000);
  assert.equal(max('connection_max = 5000', 1024), 5000);
});

test('the memory watermark is a part of what there is, or absolute', () => {
  const platform = { totalMemoryBytes: 1000, hostname: 'h' };
  const memory = (conf: string) => load({ conf, platform }).config.memory;
  assert.deepEqual(memory(''), {
    watermark: { relative: 0.6 },
    totalMemoryOverrideBytes: null,
    totalMemoryBytes: 1000,
    watermarkBytes: 600,
    checkIntervalMillis: 1000,
  });
  assert.equal(memory('vm_memory_high_watermark.relative = 0.4').watermarkBytes, 400);
  assert.equal(memory('total_memory_available_override_value = 2kB').watermarkBytes, 1200);
  assert.deepEqual(memory('vm_memory_high_watermark.absolute = 1GiB').watermark, { absoluteBytes: 1_073_741_824 });
  const both = load({ conf: 'vm_memory_high_watermark.absolute = 1kB\nvm_memory_high_watermark.relative = 0.4', platform });
  assert.equal(both.config.memory.watermarkBytes, 1000);
  assert.equal(both.warnings.length, 1);
});

test('the free disk limit is absolute, or relative to memory', () => {
  const platform = { totalMemoryBytes: 1000, hostname: 'h' };
  const disk = (conf: string) => load({ conf, platform }).config.disk;
  assert.deepEqual(disk(''), { freeLimit: { absoluteBytes: 50_000_000 }, freeLimitBytes: 50_000_000 });
  assert.deepEqual(disk('disk_free_limit.relative = 1.5'), { freeLimit: { relativeToMemory: 1.5 }, freeLimitBytes: 1500 });
  assert.equal(disk('disk_free_limit.absolute = 2GB\ndisk_free_limit.relative = 1.0').freeLimitBytes, 2_000_000_000);
});

test('a time limit beyond what a timer can wait is that long, and a year for consumers is a year', () => {
  const { limits } = of('handshake_timeout = 31622400000\nssl_handshake_timeout = 366d\nconsumer_timeout = 31622400000');
  assert.deepEqual(
    [limits.handshakeMillis, limits.tlsHandshakeMillis, limits.consumerTimeoutMillis],
    [2_147_483_647, 2_147_483_647, 31_622_400_000],
  );
});
