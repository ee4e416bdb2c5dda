// What pages show comes by one stream of events. A component says what it needs of the API; all that is needed at a time goes into one
// request, made anew when the page changes. While the page is out of sight there is no stream.
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError } from './api.ts';
import { isLoggedOut } from './session.ts';

export interface Live<T> {
  /** The last answer; undefined before there is one. */
  readonly data: T | undefined;
  readonly error: ApiError | null;
}

interface Watch {
  readonly path: string;
  answer: Live<unknown>;
  readonly listeners: Set<(answer: Live<unknown>) => void>;
}

const watches = new Map<string, Watch>();
const watchesMax = 12;
const intervalSeconds = 2;
let source: EventSource | null = null;
let watched = '';
let isScheduled = false;
let isStale = false;

/** Follows a GET of the API; null follows nothing. */
export function useLive<T>(path: string | null): Live<T> {
  const [answer, setAnswer] = useState<{ readonly path: string | null; readonly live: Live<unknown> }>({ path: null, live: nothing });
  useEffect(() => {
    if (path === null) return;
    const listener = (live: Live<unknown>): void => setAnswer({ path, live });
    let watch = watches.get(path);
    if (watch === undefined) {
      watch = { path, answer: nothing, listeners: new Set() };
      watches.set(path, watch);
    } else if (watch.answer !== nothing) listener(watch.answer);
    watch.listeners.add(listener);
    schedule();
    const ours = watch;
    return () => {
      ours.listeners.delete(listener);
      if (ours.listeners.size === 0) watches.delete(path);
      schedule();
    };
  }, [path]);
  return (answer.path === path ? answer.live : nothing) as Live<T>;
}

const nothing: Live<unknown> = { data: undefined, error: null };

/** Asks for everything at once: something was changed. A new stream tells it all, also that something is no longer there. */
export function refresh(): void {
  isStale = true;
  schedule();
}

function tell(watch: Watch, answer: Live<unknown>): void {
  watch.answer = answer;
  for (const listener of watch.listeners) listener(answer);
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  // Components of a page come one after the other.
  setTimeout(() => {
    isScheduled = false;
    connect();
  }, 15);
}

function connect(): void {
  const list = document.hidden ? [] : [...watches.values()].slice(0, watchesMax);
  const search = new URLSearchParams(list.map(watch => ['watch', `/api/${watch.path}`]));
  if (search.toString() === watched && !isStale && (source !== null || list.length === 0)) return;
  isStale = false;
  watched = search.toString();
  source?.close();
  source = null;
  if (list.length === 0) return;
  search.set('interval', String(intervalSeconds));
  const stream = new EventSource(`api/events?${search.toString()}`);
  source = stream;
  stream.onmessage = ({ data }: MessageEvent<string>) => {
    const event = JSON.parse(data) as { readonly watch: number; readonly status: number; readonly body: unknown };
    const watch = list[event.watch];
    if (watch === undefined) return;
    if (event.status === 200) tell(watch, { data: event.body, error: null });
    else tell(watch, { data: undefined, error: new ApiError(event.status, reasonOf(event.body)) });
  };
  stream.addEventListener('end', () => {
    stream.close();
    isLoggedOut();
  });
  stream.onerror = () => {
    if (stream.readyState !== EventSource.CLOSED || source !== stream) return;
    // The stream was refused, not lost: when that is for the login, a request tells.
    source = null;
    const again = (): void => void setTimeout(schedule, 3000);
    api.get('whoami').then(again, again);
  };
}

function reasonOf(body: unknown): string {
  const reason = (body as { readonly reason?: unknown } | null)?.reason;
  return typeof reason === 'string' ? reason : JSON.stringify(reason ?? 'The broker refused.');
}

document.addEventListener('visibilitychange', schedule);

/** Fetches once, and again when the path changes. */
export function useOnce<T>(path: string | null): Live<T> & { readonly reload: () => void } {
  const [answer, setAnswer] = useState<{ readonly path: string | null; readonly live: Live<T> }>({ path: null, live: nothing as Live<T> });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    api.get<T>(path, abort.signal).then(
      data => setAnswer({ path, live: { data, error: null } }),
      (error: unknown) => {
        if (error instanceof ApiError) setAnswer({ path, live: { data: undefined, error } });
      },
    );
    return () => abort.abort();
  }, [path, round]);
  const live = answer.path === path ? answer.live : (nothing as Live<T>);
  return { ...live, reload: () => setRound(current => current + 1) };
}
