import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear } from '../../../test/support/growth.ts';
import { forSeeds } from '../../../test/support/random.ts';
import type { Channel } from './channel.ts';
import { Confirms } from './confirms.ts';

interface Sent {
  readonly tag: number;
  readonly multiple: boolean;
  readonly isAck: boolean;
}

/** The part of a channel that confirms see. */
function channelOf(sent: Sent[]): { channel: Channel; close(): void; counted(): number } {
  const counters = { confirmed: 0 };
  const fake = {
    isOpen: true,
    counters,
    connection: { vhost: { counters: { confirmed: 0 } } },
    sendConfirm: (tag: number, multiple: boolean, isAck: boolean) => sent.push({ tag, multiple, isAck }),
  };
  return { channel: fake as unknown as Channel, close: () => (fake.isOpen = false), counted: () => counters.confirmed };
}

test('publishes of a batch are confirmed with one multiple ack', () => {
  const sent: Sent[] = [];
  const confirms = new Confirms(channelOf(sent).channel);
  confirms.published = 3;
  confirms.confirmed(confirms.takeMark());
  confirms.published = 4;
  confirms.confirmed(confirms.takeMark());
  confirms.confirmed(4);
  assert.deepEqual(sent, [
    { tag: 3, multiple: true, isAck: true },
    { tag: 4, multiple: false, isAck: true },
  ]);
  assert.equal(confirms.unconfirmedCount, 0);
});

test('a closed channel gets nothing', () => {
  const sent: Sent[] = [];
  const { channel, close } = channelOf(sent);
  const confirms = new Confirms(channel);
  confirms.published = 3;
  close();
  confirms.confirmed(3);
  assert.deepEqual(sent, []);
});

test('every publish is answered once and in order, refused ones with a nack, whatever commits come late', () => {
  forSeeds(200, random => {
    const sent: Sent[] = [];
    const { channel, counted } = channelOf(sent);
    const confirms = new Confirms(channel);
    const refused = new Set<number>();
    const marks: number[] = [];
    for (let step = 0; step < 100; step++) {
      const action = random.weighted({ publish: 6, gather: 2, commit: 2 });
      if (action === 'publish') {
        confirms.published++;
        if (random.chance(0.2)) {
          confirms.refuse();
          refused.add(confirms.published);
        }
      } else if (action === 'gather') {
        marks.push(confirms.takeMark());
      } else if (marks.length > 0) {
        const mark = marks.shift() as number;
        confirms.confirmed(mark);
        assert.equal(confirms.unconfirmedCount, confirms.published - mark);
      }
    }
    confirms.confirmed(confirms.takeMark());
    // As a client reads it.
    let last = 0;
    for (const { tag, multiple, isAck } of sent) {
      assert.ok(tag > last, 'confirms go back');
      assert.ok(multiple || tag === last + 1, 'a publish was passed over');
      for (let each = last + 1; each <= tag; each++) assert.equal(isAck, !refused.has(each), `publish ${each}`);
      last = tag;
    }
    assert.equal(last, confirms.published);
    assert.equal(counted(), confirms.published);
  });
});

test('a hundred thousand refusals in one batch are answered in time', () => {
  assertLinear('refusals', 100_000, size => {
    const sent: Sent[] = [];
    const confirms = new Confirms(channelOf(sent).channel);
    for (let i = 0; i < size; i++) {
      confirms.published++;
      confirms.refuse();
    }
    confirms.confirmed(size);
    assert.equal(sent.length, size);
  });
});
