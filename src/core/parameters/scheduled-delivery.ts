// Whether every exchange of a virtual host holds messages that say when they want to be delivered: a parameter of the virtual host, or a global
// one for all of them.
import type { Json } from '../../base/field-table.ts';
import type { Parameters } from './parameters.ts';

export const scheduledDeliveryComponent = 'scheduled-delivery';
/** The one parameter of the component. */
export const scheduledDeliveryName = 'settings';
/** The global parameter: true or false, for virtual hosts that have no parameter of their own. */
export const scheduledDeliveryGlobal = 'scheduled_delivery';

/** What is wrong with the parameter; none if it may be set. */
export function scheduledDeliveryProblems(name: string, value: Json): string[] {
  if (name !== scheduledDeliveryName) return [`${scheduledDeliveryComponent} has no parameter but ${scheduledDeliveryName}`];
  if (isObject(value) && typeof value['enabled'] === 'boolean' && Object.keys(value).length === 1) return [];
  return [`${name} should be an object with "enabled", true or false, and nothing else`];
}

export function isSchedulingOn(parameters: Parameters, vhost: string): boolean {
  const own = parameters.get(vhost, scheduledDeliveryComponent, scheduledDeliveryName)?.value;
  return own === undefined ? parameters.global(scheduledDeliveryGlobal) === true : isObject(own) && own['enabled'] === true;
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
