// Tables. One that is tall draws only the rows in sight, whatever their number.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLive } from '../model/live.ts';
import type { Page } from '../model/types.ts';
import { count } from '../model/format.ts';
import { Problem } from './basics.tsx';

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => ComponentChildren;
  /** The API's field to sort by; without one the column cannot be sorted by. */
  readonly sort?: string;
  /** What rows are sorted by where all of them are here. */
  readonly key?: (item: Item) => string | number;
  readonly isNumber?: boolean;
  /** Left out on narrow screens. */
  readonly isOptional?: boolean;
  /** Share of the width. */
  readonly weight?: number;
}

interface Sorting {
  readonly by: string;
  readonly isReverse: boolean;
}

const rowPixels = 36;
const overscan = 8;

function Head<Item>(props: {
  readonly columns: readonly Column<Item>[];
  readonly sorting: Sorting;
  readonly sortKey: (column: Column<Item>) => string | undefined;
  readonly onSort: (sorting: Sorting) => void;
}): JSX.Element {
  const { columns, sorting, sortKey, onSort } = props;
  return (
    <thead>
      <tr>
        {columns.map(column => {
          const key = sortKey(column);
          const isSorted = key !== undefined && sorting.by === key;
          const order = isSorted ? (sorting.isReverse ? 'descending' : 'ascending') : undefined;
          return (
            <th key={column.title} scope="col" class={classOf(column)} aria-sort={order}>
              {key === undefined ? (
                column.title
              ) : (
                <button
                  type="button"
                  onClick={() => onSort({ by: key, isReverse: isSorted ? !sorting.isReverse : column.isNumber === true })}
                >
                  {column.title}
                  {isSorted ? (sorting.isReverse ? ' ↓' : ' ↑') : ''}
                </button>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function classOf<Item>(column: Column<Item>): string {
  return `${column.isNumber === true ? 'number' : ''} ${column.isOptional === true ? 'optional' : ''}`.trim();
}

function Cells<Item>({ columns, item }: { readonly columns: readonly Column<Item>[]; readonly item: Item }): JSX.Element {
  return (
    <>
      {columns.map(column => (
        <td key={column.title} class={classOf(column)}>
          {column.cell(item)}
        </td>
      ))}
    </>
  );
}

function Columns<Item>({ columns }: { readonly columns: readonly Column<Item>[] }): JSX.Element {
  const whole = columns.reduce((sum, column) => sum + (column.weight ?? 1), 0);
  return (
    <colgroup>
      {columns.map(column => (
        <col
          key={column.title}
          class={column.isOptional === true ? 'optional' : ''}
          style={{ width: `${((column.weight ?? 1) / whole) * 100}%` }}
        />
      ))}
    </colgroup>
  );
}

/** Which rows are in sight. */
function useWindow(rowCount: number): {
  readonly onScroll: (event: Event) => void;
  readonly measure: (element: HTMLElement | null) => void;
  readonly first: number;
  readonly last: number;
} {
  const [{ top, height }, setView] = useState({ top: 0, height: 800 });
  const element = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const box = element.current;
    if (box === null) return;
    const watcher = new ResizeObserver(() => setView({ top: box.scrollTop, height: box.clientHeight }));
    watcher.observe(box);
    return () => watcher.disconnect();
  }, []);
  const first = Math.max(0, Math.min(Math.floor(top / rowPixels) - overscan, rowCount - 1));
  const last = Math.min(rowCount, Math.ceil((top + height) / rowPixels) + overscan);
  return {
    first,
    last,
    measure: box => {
      element.current = box;
    },
    onScroll: event => {
      const box = event.currentTarget as HTMLElement;
      setView({ top: box.scrollTop, height: box.clientHeight });
    },
  };
}

function Spacer({ rows, columns }: { readonly rows: number; readonly columns: number }): JSX.Element | null {
  if (rows <= 0) return null;
  return (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${rows * rowPixels}px` }} />
    </tr>
  );
}

/** Rows that are all here: sorted here, and drawn as far as they are in sight when there are many. */
export function Table<Item>(props: {
  readonly label: string;
  readonly columns: readonly Column<Item>[];
  readonly rows: readonly Item[];
  readonly rowKey: (item: Item) => string;
  readonly empty: string;
}): JSX.Element {
  const { columns, rows, rowKey } = props;
  const [sorting, setSorting] = useState<Sorting>({ by: '', isReverse: false });
  const sorted = useMemo(() => {
    const key = columns.find(column => column.title === sorting.by)?.key;
    if (key === undefined) return rows;
    const ordered = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    return sorting.isReverse ? ordered.reverse() : ordered;
  }, [rows, sorting]);
  const isTall = sorted.length > 60;
  const view = useWindow(sorted.length);
  const [first, last] = isTall ? [view.first, view.last] : [0, sorted.length];
  if (rows.length === 0) return <p class="empty">{props.empty}</p>;
  return (
    <div
      class={`table-scroll ${isTall ? 'tall' : ''}`}
      tabIndex={0}
      role="region"
      aria-label={`${props.label}, list`}
      ref={view.measure}
      onScroll={view.onScroll}
    >
      <table class={`list ${isTall ? 'fixed' : ''}`} aria-rowcount={sorted.length + 1}>
        {isTall ? <Columns columns={columns} /> : null}
        <Head
          columns={columns}
          sorting={sorting}
          onSort={setSorting}
          sortKey={column => (column.key === undefined ? undefined : column.title)}
        />
        <tbody>
          <Spacer rows={first} columns={columns.length} />
          {sorted.slice(first, last).map((item, index) => (
            <tr key={rowKey(item)} aria-rowindex={first + index + 2}>
              <Cells columns={columns} item={item} />
            </tr>
          ))}
          <Spacer rows={sorted.length - last} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

const pageSize = 100;

/** A list of the API of any length: filtered and sorted there, and fetched by the page as it comes into sight. */
export function LiveTable<Item>(props: {
  readonly label: string;
  /** Without a query. */
  readonly path: string;
  /** The API's fields that the cells need. */
  readonly fields: string;
  readonly columns: readonly Column<Item>[];
  readonly rowKey: (item: Item) => string;
  readonly sort: string;
  readonly isReverse?: boolean;
  readonly empty: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** More of a query, as `&type=stream`. */
  readonly more?: string;
}): JSX.Element {
  const { columns, rowKey } = props;
  const [text, setText] = useState('');
  const [isPattern, setIsPattern] = useState(false);
  const name = useDelayed(text);
  const [sorting, setSorting] = useState<Sorting>({ by: props.sort, isReverse: props.isReverse ?? false });
  const query = useMemo(() => {
    const search = new URLSearchParams({ page_size: String(pageSize), columns: props.fields, sort: sorting.by });
    if (sorting.isReverse) search.set('sort_reverse', 'true');
    if (name !== '') {
      search.set('name', name);
      search.set('use_regex', String(isPattern));
    }
    return `${props.path}?${search.toString()}`;
  }, [props.path, props.fields, sorting, name, isPattern]);
  const [shape, setShape] = useState({ found: 0, total: 0 });
  const view = useWindow(shape.found);
  const firstPage = Math.floor(view.first / pageSize) + 1;
  const lastPage = Math.max(firstPage, Math.ceil(view.last / pageSize));
  const upper = useLive<Page<Item>>(`${query}&page=${firstPage}`);
  const lower = useLive<Page<Item>>(lastPage > firstPage ? `${query}&page=${lastPage}` : null);
  const { data } = upper;
  useEffect(() => {
    if (data !== undefined && (data.filtered_count !== shape.found || data.total_count !== shape.total)) {
      setShape({ found: data.filtered_count, total: data.total_count });
    }
  }, [data]);
  // The list became shorter than the page that is in sight.
  useEffect(() => {
    if (upper.error !== null && firstPage > 1) setShape({ found: 0, total: shape.total });
  }, [upper.error]);
  const found = data?.filtered_count ?? shape.found;
  const rows = [...(data?.items ?? []), ...(lower.data?.items ?? [])];
  const start = (firstPage - 1) * pageSize;
  const isUnknown = data === undefined && upper.error === null;
  return (
    <section class="card" aria-label={props.label}>
      <div class="toolbar">
        <div class="search">
          <input
            type="search"
            aria-label={`Search ${props.label.toLowerCase()} by name`}
            placeholder={isPattern ? 'Regular expression' : 'Search by name'}
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
        </div>
        <label class="check">
          <input type="checkbox" checked={isPattern} onChange={event => setIsPattern(event.currentTarget.checked)} />
          Regex
        </label>
        <span class="muted small" role="status">
          {isUnknown && shape.total === 0
            ? 'Loading …'
            : name === ''
              ? `${count(found)} in all`
              : `${count(found)} of ${count(data?.total_count ?? shape.total)}`}
        </span>
        {props.actions === undefined ? null : (
          <>
            <span class="grow" />
            {props.actions}
          </>
        )}
      </div>
      {upper.error === null ? null : <Problem error={upper.error} />}
      <div
        class="table-scroll tall"
        tabIndex={0}
        role="region"
        aria-label={`${props.label}, list`}
        ref={view.measure}
        onScroll={view.onScroll}
      >
        <table class="list fixed" aria-rowcount={found + 1}>
          <Columns columns={columns} />
          <Head columns={columns} sorting={sorting} onSort={setSorting} sortKey={column => column.sort} />
          <tbody>
            <Spacer rows={start} columns={columns.length} />
            {rows.map((item, index) => (
              <tr key={rowKey(item)} aria-rowindex={start + index + 2}>
                <Cells columns={columns} item={item} />
              </tr>
            ))}
            <Spacer rows={found - start - rows.length} columns={columns.length} />
          </tbody>
        </table>
        {found === 0 && !isUnknown && upper.error === null ? (
          <div class="empty">{name === '' ? props.empty : 'Nothing has such a name.'}</div>
        ) : null}
      </div>
    </section>
  );
}

/** A text that follows another when it rests. */
function useDelayed(text: string): string {
  const [delayed, setDelayed] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setDelayed(text), 200);
    return () => clearTimeout(timer);
  }, [text]);
  return delayed;
}
