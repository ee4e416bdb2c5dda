import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf, refusal } from '../../../test/support/config-texts.ts';

test('$(NAME) stands for an environment variable, in a whole value or a part of one', () => {
  const { config } = load({
    conf: 'default_user = $(SEED_USER)\ndefault_pass = $(SEED_PASS)\ncluster_name = deployment-$(ID)-$( ID )\nheartbeat = $(HB)',
    env: { SEED_USER: 'app', SEED_PASS: "x#y'z", ID: '7', HB: '30' },
  });
  assert.equal(config.defaults.user, 'app');
  assert.equal(config.defaults.password.reveal(), "x#y'z");
  assert.equal(config.clusterName, 'deployment-7-7');
  assert.equal(config.limits.heartbeatSeconds, 30);
});

test('a quoted value is interpolated, too, and what a variable holds is not', () => {
  const { config } = load({ conf: "cluster_name = '$(A) #'", env: { A: '$(B)', B: 'no' } });
  assert.equal(config.clusterName, '$(B) #');
});

test('an empty variable is an empty value', () => {
  assert.deepEqual(refusal({ conf: 'default_user = $(EMPTY)', env: { EMPTY: '' } }).problems, [
    'rabbitmq.conf:1: default_user = $(EMPTY): expected text (not empty)',
  ]);
});

test('a variable that is not set is refused with file, line and key', () => {
  assert.deepEqual(problemsOf('\ndefault_user = $(SEED_USER)'), ['2: default_user: the environment variable SEED_USER is not set']);
});

test('$(key) stands for another key, unless a variable has the name', () => {
  const conf =
    'cluster_name = $(default_vhost)-$(listeners.tcp.a)\ndefault_vhost = $(default_user)\ndefault_user = u\nlisteners.tcp.a = 5672';
  assert.equal(load({ conf }).config.clusterName, 'u-5672');
  assert.equal(load({ conf, env: { default_vhost: 'env' } }).config.clusterName, 'env-5672');
});

test('keys that stand for each other are refused', () => {
  const [problem = ''] = problemsOf('cluster_name = $(default_vhost)\ndefault_vhost = $(cluster_name)');
  assert.match(problem, /^1: cluster_name: \$\(\w+\) goes in a circle, or is nested more than 8 deep$/);
});

test('values that grow into each other are cut off', () => {
  const conf = [
    'cluster_name = $(product.name)',
    ...Array.from({ length: 7 }, (_, n) => `cluster_tags.t${n} = ${`$(cluster_tags.t${n + 1})`.repeat(100)}`),
  ];
  conf.push(`cluster_tags.t7 = ${'x'.repeat(60_000)}`, `product.name = ${'$(cluster_tags.t0)'.repeat(100)}`);
  // Written out it were 10^20 characters: that this ends is the proof.
  const found = problemsOf(conf.join('\n'));
  assert.ok(
    found.some(problem => problem.includes('the value is longer than 1048576 characters')),
    found.join('\n'),
  );
});

test('an open $( is refused', () => {
  assert.deepEqual(problemsOf('cluster_name = x$(Y'), [
    '1: cluster_name: "$(Y" is not closed; $(NAME) stands for the environment variable NAME',
  ]);
});

test('a message shows the name of a variable and never what it holds', () => {
  const error = refusal({ conf: 'heartbeat = $(SECRET)\nlisteners.tcp.a = x$(SECRET)', env: { SECRET: 'C4NARY' } });
  assert.doesNotMatch(error.message, /C4NARY/);
  assert.deepEqual(error.problems[0], 'rabbitmq.conf:1: heartbeat = $(SECRET): expected an integer from 0 to 65535');
});
