import type { JSX } from 'preact';
import { vhostNames } from '../model/session.ts';
import { SelectField } from './fields.tsx';

export function VhostField({ value, onChange }: { readonly value: string; readonly onChange: (vhost: string) => void }): JSX.Element {
  const names = vhostNames.value.includes(value) ? vhostNames.value : [value, ...vhostNames.value];
  return <SelectField label="Virtual host" value={value} onChange={onChange} options={names.map(name => [name, name] as const)} />;
}
