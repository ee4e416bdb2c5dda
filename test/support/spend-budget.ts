import assert from 'node:assert/strict';
import type { BrokerCore } from '../../src/core/broker.ts';

/** Leaves nothing of the turn's budget for steps: what is much is still under way when this turn is over. */
export function spendBudget(core: BrokerCore): void {
  core.works.start(
    (function* () {
      yield Infinity;
    })(),
    () => {},
    () => assert.fail(),
  );
}
