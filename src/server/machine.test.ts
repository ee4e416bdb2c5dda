import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupMemoryBytes, readPlatform } from './machine.ts';

function limitOf(groups: string, files: Readonly<Record<string, string>>): number {
  return cgroupMemoryBytes(groups, path => files[path] ?? null);
}

test('the limit of a unified cgroup is the smallest on the way to the root', () => {
  assert.equal(
    limitOf('0::/system.slice/warren.service\n', {
      '/sys/fs/cgroup/system.slice/warren.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/warren.service/memory.high': '900000000\n',
      '/sys/fs/cgroup/system.slice/memory.max': '500000000\n',
    }),
    500_000_000,
  );
});

test('in a container with a cgroup namespace the limit is at the root', () => {
  assert.equal(limitOf('0::/\n', { '/sys/fs/cgroup/memory.max': '268435456\n' }), 268_435_456);
});

test('in a container of version 1 the path is that of the host, and the limit at the root', () => {
  const groups = '12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n';
  assert.equal(limitOf(groups, { '/sys/fs/cgroup/memory/memory.limit_in_bytes': '134217728\n' }), 134_217_728);
});

test('no limit, no cgroups and nonsense are no limit', () => {
  assert.equal(limitOf('4:memory:/\n', { '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' }), Infinity);
  assert.equal(limitOf('0::/\n', { '/sys/fs/cgroup/memory.max': 'max\n', '/sys/fs/cgroup/memory.high': '-1' }), Infinity);
  assert.equal(limitOf('nonsense', {}), Infinity);
  assert.equal(
    cgroupMemoryBytes(null, () => '1'),
    Infinity,
  );
});

test('this machine has memory and a name', () => {
  const platform = readPlatform();
  assert.ok(platform.totalMemoryBytes > 1_000_000 && Number.isFinite(platform.totalMemoryBytes));
  assert.ok(platform.hostname.length > 0);
});
