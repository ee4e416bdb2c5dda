import type { BrokerCore } from '../../core/broker.ts';
import { type Finding, plural } from './finding.ts';

/** Components of parameters that are kept, for definitions and tools that have them, and that nothing acts on. */
const idle: readonly { readonly component: string; readonly noun: string }[] = [
  { component: 'shovel', noun: 'shovel' },
  { component: 'federation-upstream', noun: 'federation upstream' },
];

/** Of shovels and upstreams that somebody may take for running. */
export function* parameterFindings(core: BrokerCore): Generator<Finding, void, undefined> {
  for (const { component, noun } of idle) {
    const counts = new Map<string, number>();
    for (const { vhost } of core.parameters.list({ component })) counts.set(vhost, (counts.get(vhost) ?? 0) + 1);
    for (const [vhost, count] of counts) {
      yield {
        kind: 'vhost',
        vhost,
        name: vhost,
        severity: 'warn',
        weight: count,
        text: `${plural(count, noun)} of virtual host ${vhost} ${count === 1 ? 'is kept and moves' : 'are kept and move'} nothing: there are no shovels and no federation here`,
        advice:
          'Let a RabbitMQ at the other end do it: its shovels and upstreams reach this broker by AMQP 0-9-1. Delete the parameter otherwise.',
      };
    }
  }
}
