import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../test/support/random.ts';
import { allAtOnce } from '../stepped-work.ts';
import { readJsonText } from './json-pieces.ts';
import { parseJsonText } from './json-text.ts';

const long = 'x'.repeat(70_000);

function parsed(text: string): unknown {
  return allAtOnce(readJsonText(text));
}

/** What comes of a text, or how it is refused. */
function outcome(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    return (error as Error).message;
  }
}

describe('JSON in pieces', () => {
  test('is what JSON.parse makes of it, whatever the text', () => {
    const texts = [
      `{"a":[1,"]",{"b":[]},"\\"],",null,-1.5e3],"c":"${long}"}`,
      `\uFEFF { "a" : [ ] , "b" : [ 1 , 2 ] , "c" : { "d" : [ 3 ] } , "e" : "${long}" } \n`,
      `{"a":[1],"a":[2],"e":"${long}"}`,
      `{"__proto__":[{"x":1}],"constructor":[1],"e":"${long}"}`,
      `{"\\u0061\\n":["\\u005d"],"e":"${long}"}`,
      `[{"a":1},"${long}"]`,
      `"${long}"`,
      `{}${' '.repeat(70_000)}`,
    ];
    for (const text of texts) {
      const expected = JSON.parse(text.replace('\uFEFF', '')) as unknown;
      assert.deepEqual(parsed(text), expected);
      assert.deepEqual(Object.keys(parsed(text) as object), Object.keys(expected as object));
    }
  });

  test('is refused where JSON is, with the same place', () => {
    const head = `{"e":"${long}",\n"a":`;
    const tails = [
      '[1,]}',
      '[1 2]}',
      '[1,2',
      '[1,2]',
      '[1}}',
      '{"b":1]}',
      '["\\x"]}',
      '[,1]}',
      '[1]},',
      '[1]}}',
      '["a]}',
      '[01]}',
      '[1],}',
      '[1] "b":2}',
    ];
    for (const tail of [...tails, '', '[nul]}', '["\n"]}', '[1];}', '[1]}x', "['a']}"]) {
      const text = head + tail;
      assert.throws(() => parsed(text), { message: outcome(parseJsonText, text) as string }, tail);
    }
  });

  test('of damaged texts is what JSON.parse makes of them', () => {
    const random = new Random(7);
    const whole = JSON.stringify({
      users: Array.from({ length: 20 }, (_, i) => ({ name: `u"${i}\\`, tags: [`[${i}`], limits: {} })),
      queues: Array.from({ length: 20 }, (_, i) => ({ name: `q{${i}`, arguments: { 'x-a': [i, { b: '}' }] } })),
    });
    const text = `${whole.slice(0, -1)},"padding":"${long}"}`;
    for (let round = 0; round < 500; round++) {
      const at = random.below(whole.length);
      const damaged =
        text.slice(0, at) + random.pick(['', '"', '{', ']', ',', '\\', ' ', 'x', ':', '}']) + text.slice(at + random.below(2));
      assert.deepEqual(outcome(parsed, damaged), outcome(parseJsonText, damaged), damaged.slice(Math.max(0, at - 20), at + 20));
    }
  });

  test('takes steps in proportion to the text', () => {
    let [cost, most] = [0, 0];
    const text = JSON.stringify({ queues: Array.from({ length: 10_000 }, (_, i) => ({ name: `queue-${i}`, vhost: '/', durable: true })) });
    const steps = readJsonText(text);
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      cost += step.value;
      most = Math.max(most, step.value);
    }
    assert.ok(cost > text.length / 64 && most < 10, `${cost}, at most ${most}`);
  });
});
