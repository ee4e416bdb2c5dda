// Pages are named behind the #, as in RabbitMQ's UI: bookmarks and links from dashboards hold, a path prefix needs no care, and a queue
// may be called `..`, which a browser would take out of a path.
import { signal } from '@preact/signals';

export interface Place {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

export const place = signal<Place>(placeOf(location.hash));

function placeOf(hash: string): Place {
  const text = hash.replace(/^#\/?/, '');
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return {
    segments: path === '' ? [] : path.split('/').map(decode),
    query: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

addEventListener('hashchange', () => {
  const before = place.value.segments.join('\0');
  place.value = placeOf(location.hash);
  if (place.value.segments.join('\0') === before) return;
  scrollTo(0, 0);
  // The new page's heading is where a screen reader goes on.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true }));
});

/** A link to a page: its names, and what it is to show. */
export function href(segments: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${segments.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

export function go(segments: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = href(segments, query);
}

export const queueHref = (vhost: string, name: string, query?: Readonly<Record<string, string>>): string =>
  href(['queues', vhost, name], query);
export const exchangeHref = (vhost: string, name: string): string => href(['exchanges', vhost, name === '' ? 'amq.default' : name]);
export const connectionHref = (name: string): string => href(['connections', name]);
export const channelHref = (name: string): string => href(['channels', name]);
