// Small parts that every page uses.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../model/api.ts';
import type { JsonRecord } from '../model/types.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'info';

export function Badge({
  tone,
  title,
  children,
}: {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`badge ${tone ?? ''}`} title={title}>
      {children}
    </span>
  );
}

export function Dot({ tone }: { readonly tone?: Tone }): JSX.Element {
  return <span class={`dot ${tone ?? ''}`} aria-hidden="true" />;
}

export function Card(props: {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly isBare?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="card" aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.actions === undefined ? null : <div class="row">{props.actions}</div>}
      </header>
      {props.isBare === true ? props.children : <div class="body">{props.children}</div>}
    </section>
  );
}

export function PageHead(props: {
  readonly title: string;
  readonly above?: ComponentChildren;
  readonly badges?: ComponentChildren;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="page-head">
      <div class="crumbs">
        {props.above === undefined ? null : <div class="small muted">{props.above}</div>}
        <div class="row">
          <h1 class="name">{props.title}</h1>
          {props.badges}
        </div>
      </div>
      <div class="actions">{props.children}</div>
    </div>
  );
}

export interface StatProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly link?: string;
}

export function Stats({ items }: { readonly items: readonly StatProps[] }): JSX.Element {
  return (
    <div class="stats">
      {items.map(({ label, value, hint, link }) => {
        const inside = (
          <>
            <div class="label">{label}</div>
            <div class="value">{value}</div>
            {hint === undefined ? null : <div class="hint">{hint}</div>}
          </>
        );
        return link === undefined ? (
          <div class="stat" key={label}>
            {inside}
          </div>
        ) : (
          <a class="stat" href={link} key={label}>
            {inside}
          </a>
        );
      })}
    </div>
  );
}

export function Facts({ items }: { readonly items: readonly (readonly [string, ComponentChildren] | null)[] }): JSX.Element {
  return (
    <dl class="facts">
      {items.map(item =>
        item === null ? null : (
          <>
            <dt>{item[0]}</dt>
            <dd>{item[1]}</dd>
          </>
        ),
      )}
    </dl>
  );
}

/** Arguments, headers, definitions: names and values as they are. */
export function Values({ values, empty = 'none' }: { readonly values: JsonRecord | undefined; readonly empty?: string }): JSX.Element {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return <span class="muted">{empty}</span>;
  return (
    <Facts
      items={entries.map(
        ([name, value]) => [name, <code class="name">{typeof value === 'string' ? value : JSON.stringify(value)}</code>] as const,
      )}
    />
  );
}

export function Problem({ error }: { readonly error: ApiError | string | null }): JSX.Element | null {
  if (error === null || error === '') return null;
  return (
    <p class="problem" role="alert">
      {typeof error === 'string' ? error : error.message}
    </p>
  );
}

/** While something is fetched, or when it could not be. */
export function Waiting({ error }: { readonly error: ApiError | null }): JSX.Element {
  if (error === null) return <p class="empty">Loading …</p>;
  if (error.status === 404) return <p class="empty">There is no such object, or no longer.</p>;
  return <Problem error={error} />;
}

export function Meter({ share, label }: { readonly share: number; readonly label: string }): JSX.Element {
  const tone = share > 0.9 ? 'bad' : share > 0.75 ? 'warn' : '';
  return (
    <div class={`bar ${tone}`} role="img" aria-label={label}>
      <span style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
    </div>
  );
}

export function Segments<T extends string>(props: {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}): JSX.Element {
  return (
    <div class="segments" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

export function Tabs({
  label,
  items,
}: {
  readonly label: string;
  readonly items: readonly { readonly name: string; readonly link: string; readonly isCurrent: boolean }[];
}): JSX.Element {
  const row = useRef<HTMLElement>(null);
  const current = items.find(({ isCurrent }) => isCurrent)?.name;
  // On a narrow screen the tabs scroll: the one that is open is to be seen.
  useEffect(() => {
    const [nav, tab] = [row.current, row.current?.querySelector<HTMLElement>('[aria-current]')];
    if (nav && tab) nav.scrollLeft = tab.offsetLeft - nav.offsetLeft - (nav.clientWidth - tab.clientWidth) / 2;
  }, [current]);
  return (
    <nav class="tabs" aria-label={label} ref={row}>
      {items.map(({ name, link, isCurrent }) => (
        <a key={name} href={link} aria-current={isCurrent ? 'page' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}
