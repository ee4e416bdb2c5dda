import type { Reply } from './reply.ts';
import type { Route } from './route.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => entities[character] ?? character);
}

/** The API as a page for people, made of the table of routes. [RabbitMQ: /api/index.html] */
export function describeApiPage(routes: readonly Route[]): Reply {
  const rows = [...routes]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(({ method, path, tag, summary }) => {
      const shown = escaped(path.replace(/:([a-z]+)/g, '{$1}'));
      return `<tr><td>${method}</td><td><code>${shown}</code></td><td>${tag}</td><td>${escaped(summary)}</td></tr>`;
    });
  const text =
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>WarrenMQ HTTP API</title></head><body>\n' +
    '<h1>WarrenMQ HTTP API</h1>\n' +
    "<p>RabbitMQ's management HTTP API: basic authentication, JSON both ways, names in paths percent-encoded (the virtual host / is <code>%2F</code>). " +
    'The same as an <a href="openapi.json">OpenAPI description</a>.</p>\n' +
    '<p>Lists take <code>columns</code>, <code>sort</code>, <code>sort_reverse</code>; long ones <code>page</code>, <code>page_size</code>, <code>name</code>, ' +
    '<code>use_regex</code> too.</p>\n' +
    `<table><thead><tr><th>Method</th><th>Path</th><th>Tag</th><th>What</th></tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>\n</body></html>\n`;
  return { status: 200, text, headers: { 'content-type': 'text/html; charset=utf-8' } };
}
