import type { GlobalParameterDefinition, ParameterDefinition } from '../definitions/definitions.ts';

/** Changes of runtime parameters as they stand in the metadata journal. */
export type ParameterChange =
  | { readonly kind: 'parameter.put'; readonly parameter: ParameterDefinition }
  | { readonly kind: 'parameter.delete'; readonly vhost: string; readonly component: string; readonly name: string }
  | { readonly kind: 'vhost-parameters.delete'; readonly vhost: string }
  | { readonly kind: 'global-parameter.put'; readonly parameter: GlobalParameterDefinition }
  | { readonly kind: 'global-parameter.delete'; readonly name: string };

const kinds: Readonly<Record<ParameterChange['kind'], true>> = {
  'parameter.put': true,
  'parameter.delete': true,
  'vhost-parameters.delete': true,
  'global-parameter.put': true,
  'global-parameter.delete': true,
};

/** Whether a change read from the journal is for Parameters.apply. */
export function isParameterChange(change: { readonly kind: string }): change is ParameterChange {
  return Object.hasOwn(kinds, change.kind);
}
