import type { Method, Route } from './route.ts';

class Node {
  readonly literals = new Map<string, Node>();
  parameter: Node | null = null;
  readonly routes = new Map<Method, Route>();
}

/** Where a path leads. */
export interface Match {
  readonly routes: ReadonlyMap<Method, Route>;
  /** Values of the path's parameters, decoded, in order. */
  readonly values: readonly string[];
}

/** Finds routes by path. Literal segments go before parameters: /api/users/without-permissions is no user of that name. */
export class Router {
  readonly #root = new Node();

  constructor(routes: Iterable<Route>) {
    for (const route of routes) this.#add(route);
  }

  /**
   * The routes of a path as it came on the wire, or null. A slash at the end makes no difference.
   * @throws URIError when a segment is not percent-encoded UTF-8
   */
  match(path: string): Match | null {
    const segments = path.split('/').slice(1);
    if (segments.length > 1 && segments.at(-1) === '') segments.pop();
    const raw: string[] = [];
    const node = find(this.#root, segments, 0, raw);
    return node === null ? null : { routes: node.routes, values: raw.map(decodeURIComponent) };
  }

  #add(route: Route): void {
    let node = this.#root;
    for (const segment of route.path.split('/').slice(1)) {
      if (segment.startsWith(':')) {
        node = node.parameter ??= new Node();
      } else {
        let next = node.literals.get(segment);
        if (next === undefined) {
          next = new Node();
          node.literals.set(segment, next);
        }
        node = next;
      }
    }
    if (node.routes.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
    node.routes.set(route.method, route);
  }
}

function find(node: Node, segments: readonly string[], at: number, values: string[]): Node | null {
  const segment = segments[at];
  if (segment === undefined) return node.routes.size > 0 ? node : null;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = find(literal, segments, at + 1, values);
    if (found !== null) return found;
  }
  if (node.parameter === null || segment === '') return null;
  values.push(segment);
  const found = find(node.parameter, segments, at + 1, values);
  if (found === null) values.pop();
  return found;
}

/** Names of a path's parameters, in order. */
export function parameterNames(path: string): string[] {
  return path
    .split('/')
    .filter(segment => segment.startsWith(':'))
    .map(segment => segment.slice(1));
}
