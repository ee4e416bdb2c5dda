// How a route is written in one line of a table.
import * as bodies from '../bodies.ts';
import type { BodyDescription, Method, Route, Tag, VhostRule } from '../route.ts';

type Handler = Route['handle'];

/** `needs` is the tag, and behind a space what the user must be to the virtual host of the path. */
export type Needs = Tag | `${Tag} ${Exclude<VhostRule, 'none'>}`;

export function route(
  method: Method,
  path: string,
  needs: Needs,
  permission: string,
  summary: string,
  handle: Handler,
  body: BodyDescription | null = null,
): Route {
  const [tag, vhost = 'none'] = needs.split(' ') as [Tag, VhostRule?];
  return { method, path, tag, vhost, permission, summary, body, takesLargeBody: body === bodies.definitionsBody, handle };
}

export const get = (path: string, needs: Needs, summary: string, handle: Handler): Route =>
  route('GET', path, needs, 'none', summary, handle);
