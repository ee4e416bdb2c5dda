import { compilePattern, PatternError } from '../../core/access/pattern.ts';
import type { ApiCall } from './api-call.ts';
import { badRequest, HttpError, type JsonObject, ok, type Reply } from './reply.ts';
import { selectColumns } from './select-columns.ts';
import { Slice } from './slice.ts';

const chunkChars = 32 * 1024;
const pageSizeDefault = 100;
const pageSizeMax = 500;

type SortKey = string | number;

/** How to list objects of one kind. */
export interface Listing<Item> {
  view(item: Item): JsonObject;
  /** For the filter by name; lists without one cannot be paged. */
  readonly name?: (item: Item) => string;
  /** Values to sort by that cost no view. The first keys are the order of a list that is not sorted by anything else. */
  readonly keys: Readonly<Record<string, (item: Item) => SortKey>>;
}

interface Paging {
  readonly page: number;
  readonly pageSize: number;
  readonly matches: ((name: string) => boolean) | null;
}

/**
 * Answers with a list: filtered by name, sorted, cut into pages and reduced to columns as the query says. Views are made one by one while
 * the answer is sent, so that a list of ten thousand holds up nobody. [RabbitMQ docs: HTTP API, pagination, sorting, columns]
 */
export async function list<Item>(call: ApiCall, items: Iterable<Item>, listing: Listing<Item>): Promise<Reply> {
  const paging = listing.name === undefined ? null : pagingOf(call.query);
  const all = [...items];
  const matches = paging?.matches ?? null;
  const { name } = listing;
  const found = matches === null || name === undefined ? all : all.filter(item => matches(name(item)));
  const sorted = await sort(call.query, found, listing);
  const columns = selectColumns(call.query.get('columns'));
  const view = (item: Item): JsonObject => columns(listing.view(item));
  if (paging === null) return listReply(sorted, view, '[', ']');
  const { page, pageSize } = paging;
  const pageCount = Math.ceil(sorted.length / pageSize);
  if (page > 1 && page > pageCount) {
    throw new HttpError(400, 'page_out_of_range', `Page out of range, page: ${page} page size: ${pageSize}, len: ${sorted.length}`);
  }
  const shown = sorted.slice((page - 1) * pageSize, page * pageSize);
  const head = `{"filtered_count":${found.length},"item_count":${shown.length},"items":[`;
  const tail = `],"page":${page},"page_count":${pageCount},"page_size":${pageSize},"total_count":${all.length}}`;
  return listReply(shown, view, head, tail);
}

/** One object, reduced to the columns asked for. */
export function single(call: ApiCall, view: JsonObject): Reply {
  return ok(selectColumns(call.query.get('columns'))(view));
}

function pagingOf(query: URLSearchParams): Paging | null {
  const page = query.get('page') ?? (query.get('pagination') === 'true' ? '1' : null);
  if (page === null) return null;
  const pageNumber = wholeNumber(page);
  const pageSize = query.has('page_size') ? wholeNumber(query.get('page_size') ?? '') : null;
  const shownSize = pageSize ?? pageSizeDefault;
  if (pageNumber < 1 || shownSize < 1 || shownSize > pageSizeMax) {
    throw new HttpError(
      400,
      'invalid_pagination_parameters',
      `Invalid pagination parameters: page number ${pageNumber}, page size ${pageSize ?? 'undefined'}`,
    );
  }
  return { page: pageNumber, pageSize: shownSize, matches: nameFilter(query) };
}

function wholeNumber(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest('Pagination parameters are invalid');
  return Number(text);
}

function nameFilter(query: URLSearchParams): ((name: string) => boolean) | null {
  const name = query.get('name');
  if (name === null || name === '') return null;
  if (query.get('use_regex') !== 'true') {
    const wanted = name.toLowerCase();
    return subject => subject.toLowerCase().includes(wanted);
  }
  try {
    const pattern = compilePattern(name, { isCaseless: true });
    return subject => pattern.test(subject);
  } catch (error) {
    if (error instanceof PatternError) throw badRequest('Pagination parameters are invalid');
    throw error;
  }
}

async function sort<Item>(query: URLSearchParams, items: readonly Item[], listing: Listing<Item>): Promise<readonly Item[]> {
  const usual = Object.values(listing.keys);
  const path = query.get('sort');
  const isReverse = query.get('sort_reverse') === 'true';
  if (path === null || path === '') {
    const sorted = [...items].sort((a, b) => compareBy(usual, a, b));
    return isReverse ? sorted.reverse() : sorted;
  }
  const own = Object.hasOwn(listing.keys, path) ? listing.keys[path] : undefined;
  const keys = new Map<Item, SortKey>();
  const slice = new Slice();
  for (const item of items) {
    keys.set(item, own === undefined ? valueAt(listing.view(item), path) : own(item));
    if (slice.isOver) await slice.next();
  }
  const sorted = [...items].sort((a, b) => compare(keys.get(a) ?? 0, keys.get(b) ?? 0) || compareBy(usual, a, b));
  return isReverse ? sorted.reverse() : sorted;
}

function compareBy<Item>(keys: readonly ((item: Item) => SortKey)[], a: Item, b: Item): number {
  for (const key of keys) {
    const order = compare(key(a), key(b));
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before texts; what is not there counts as 0. [Erlang's order of terms] */
function compare(a: SortKey, b: SortKey): number {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === 'number' ? -1 : 1;
}

function valueAt(view: JsonObject, path: string): SortKey {
  let value: unknown = view;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return 0;
    value = (value as JsonObject)[key];
  }
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return value === null || value === undefined ? 0 : JSON.stringify(value);
}

async function listReply<Item>(items: readonly Item[], view: (item: Item) => JsonObject, head: string, tail: string): Promise<Reply> {
  const chunks = jsonChunks(items, view, head, tail);
  const first = await chunks.next();
  const second = first.done === true ? first : await chunks.next();
  const headers = { 'content-type': 'application/json' };
  // A short list is sent with its length.
  if (second.done === true) return { status: 200, text: first.value ?? '', headers };
  return { status: 200, chunks: resumed([first.value ?? '', second.value], chunks), headers };
}

async function* jsonChunks<Item>(
  items: readonly Item[],
  view: (item: Item) => JsonObject,
  head: string,
  tail: string,
): AsyncGenerator<string, void, undefined> {
  let text = head;
  let separator = '';
  const slice = new Slice();
  for (const item of items) {
    text += separator + JSON.stringify(view(item));
    separator = ',';
    if (text.length >= chunkChars) {
      yield text;
      text = '';
    }
    if (slice.isOver) await slice.next();
  }
  yield text + tail;
}

async function* resumed(before: readonly string[], rest: AsyncGenerator<string, void, undefined>): AsyncGenerator<string, void, undefined> {
  yield* before;
  yield* rest;
}
