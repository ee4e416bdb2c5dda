import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultQueueSettings, keptSettings } from './queue-settings.ts';

test('queues that are alike have their settings in common', () => {
  assert.equal(keptSettings({ ...defaultQueueSettings }), defaultQueueSettings);
  const limited = { ...defaultQueueSettings, lengthMax: 10 };
  assert.equal(keptSettings(limited), limited);
  assert.equal(keptSettings({ ...limited }), limited);
  assert.equal(keptSettings({ ...defaultQueueSettings }), defaultQueueSettings);
});

test('settings that differ in anything stay apart', () => {
  for (const key of Object.keys(defaultQueueSettings)) {
    const changed = { ...defaultQueueSettings, [key]: 'other' };
    assert.equal(keptSettings(changed), changed, key);
  }
});
