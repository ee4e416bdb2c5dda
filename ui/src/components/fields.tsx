// Inputs with their labels.
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Json, JsonRecord } from '../model/types.ts';
import { Icon } from './icons.tsx';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ComponentChildren;
}

/** A label, the input it is of, and below it what helps to fill it. */
function Labelled({
  id,
  label,
  hint,
  children,
}: Pick<FieldProps, 'label' | 'hint'> & { id: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      {children}
      {hint === undefined ? null : (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}

export function TextField(
  props: FieldProps & {
    readonly type?: 'text' | 'password' | 'number';
    readonly placeholder?: string;
    readonly isRequired?: boolean;
    readonly autocomplete?: string;
    readonly hasFocus?: boolean;
    readonly isMono?: boolean;
  },
): JSX.Element {
  const id = useId();
  return (
    <Labelled id={id} label={props.label} hint={props.hint}>
      <input
        id={id}
        class={props.isMono === true ? 'mono' : ''}
        // The types of inputs are kept apart by what else they may have; what is given here all of them have.
        type={(props.type ?? 'text') as 'text'}
        value={props.value}
        placeholder={props.placeholder ?? ''}
        required={props.isRequired ?? false}
        autocomplete={props.autocomplete ?? 'off'}
        spellcheck={false}
        autofocus={props.hasFocus ?? false}
        aria-describedby={props.hint === undefined ? undefined : `${id}-hint`}
        onInput={event => props.onChange(event.currentTarget.value)}
      />
    </Labelled>
  );
}

export function AreaField(props: FieldProps & { readonly rows?: number; readonly placeholder?: string }): JSX.Element {
  const id = useId();
  return (
    <Labelled id={id} label={props.label} hint={props.hint}>
      <textarea
        id={id}
        rows={props.rows ?? 6}
        value={props.value}
        placeholder={props.placeholder ?? ''}
        spellcheck={false}
        aria-describedby={props.hint === undefined ? undefined : `${id}-hint`}
        onInput={event => props.onChange(event.currentTarget.value)}
      />
    </Labelled>
  );
}

export function SelectField(props: FieldProps & { readonly options: readonly (readonly [string, string])[] }): JSX.Element {
  const id = useId();
  return (
    <Labelled id={id} label={props.label} hint={props.hint}>
      <select id={id} value={props.value} onChange={event => props.onChange(event.currentTarget.value)}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value} selected={value === props.value}>
            {text}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function CheckField(props: {
  readonly label: ComponentChildren;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={props.value} onChange={event => props.onChange(event.currentTarget.checked)} />
      <span>{props.label}</span>
    </label>
  );
}

export type ArgumentType = 'string' | 'number' | 'boolean' | 'json';

export interface ArgumentRow {
  readonly name: string;
  readonly type: ArgumentType;
  readonly text: string;
}

const typeOptions: readonly ArgumentType[] = ['string', 'number', 'boolean', 'json'];

/** Names with values of any type. `known` tells the type of names that are well known. */
export function ArgumentsField(props: {
  readonly label: string;
  readonly rows: readonly ArgumentRow[];
  readonly known?: Readonly<Record<string, ArgumentType>>;
  readonly onChange: (rows: readonly ArgumentRow[]) => void;
}): JSX.Element {
  const { rows, known = {}, onChange } = props;
  const list = useId();
  const change = (index: number, row: Partial<ArgumentRow>): void =>
    onChange(rows.map((before, at) => (at === index ? { ...before, ...row } : before)));
  return (
    <fieldset class="arguments">
      <legend>{props.label}</legend>
      <datalist id={list}>
        {Object.keys(known).map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {rows.map((row, index) => (
        <div class="argument" key={index}>
          <input
            aria-label={`${props.label}: name ${index + 1}`}
            placeholder="name"
            list={list}
            value={row.name}
            onInput={event => {
              const name = event.currentTarget.value;
              const type = Object.hasOwn(known, name) ? known[name] : undefined;
              change(index, { name, ...(type === undefined ? {} : { type }) });
            }}
          />
          <select
            aria-label={`${props.label}: type ${index + 1}`}
            value={row.type}
            onChange={event => change(index, { type: event.currentTarget.value as ArgumentType })}
          >
            {typeOptions.map(type => (
              <option key={type} value={type} selected={type === row.type}>
                {type}
              </option>
            ))}
          </select>
          <input
            aria-label={`${props.label}: value ${index + 1}`}
            placeholder="value"
            value={row.text}
            onInput={event => change(index, { text: event.currentTarget.value })}
          />
          <button
            type="button"
            class="button plain"
            aria-label={`Remove row ${index + 1} of ${props.label.toLowerCase()}`}
            onClick={() => onChange(rows.filter((_row, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      <div>
        <button type="button" class="button small" onClick={() => onChange([...rows, { name: '', type: 'string', text: '' }])}>
          <Icon name="plus" /> Add
        </button>
      </div>
    </fieldset>
  );
}

/** @throws Error that names the row whose value is not of its type */
export function argumentsOf(rows: readonly ArgumentRow[]): JsonRecord {
  const entries = rows.filter(row => row.name !== '').map(row => [row.name, valueOf(row)] as const);
  return Object.fromEntries(entries);
}

function valueOf({ name, type, text }: ArgumentRow): Json {
  switch (type) {
    case 'string':
      return text;
    case 'number':
      if (text.trim() === '' || !Number.isFinite(Number(text))) throw new Error(`${name}: '${text}' is no number`);
      return Number(text);
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw new Error(`${name}: true or false, not '${text}'`);
      return text === 'true';
    case 'json':
      try {
        return JSON.parse(text) as Json;
      } catch {
        throw new Error(`${name}: the value is no JSON`);
      }
  }
}

export function rowsOf(values: JsonRecord | undefined): ArgumentRow[] {
  return Object.entries(values ?? {}).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: 'string', text: value };
    if (typeof value === 'number') return { name, type: 'number', text: String(value) };
    if (typeof value === 'boolean') return { name, type: 'boolean', text: String(value) };
    return { name, type: 'json', text: JSON.stringify(value) };
  });
}
