// URIs of brokers, as the parameters of shovels and federation name them. [RabbitMQ docs: URI specification; RabbitMQ: amqp_uri]
import type { Json } from '../../base/field-table.ts';
import { erlangTerm } from '../definitions/erlang-term.ts';
import { isList } from './proplist.ts';

const integerParameters: readonly string[] = ['heartbeat', 'connection_timeout', 'channel_max', 'depth'];
const form = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/** One URI, or a list of them of which any will do: what is wrong with the first that is not in order. */
export function uriProblems(name: string, value: Json): readonly string[] {
  if (typeof value === 'string') {
    const reason = uriProblem(value);
    return reason === null ? [] : [`"${shown(value)}" not a valid URI: {${reason},${quoted(shown(value))}}`];
  }
  const problems = isList(name, value);
  if (problems.length > 0) return problems;
  for (const item of value as Json[]) {
    const found = uriProblems(name, item);
    if (found.length > 0) return found;
  }
  return [];
}

/** Why it is no URI of a broker, as the Erlang term that RabbitMQ names; null if it is one. */
function uriProblem(uri: string): string | null {
  const parts = form.exec(uri);
  if (parts === null) return /^[a-z][a-z0-9+.-]*:/i.test(uri) ? malformed(uri) : '{unable_to_parse_uri,no_scheme}';
  const [, scheme = '', authority = '', vhost = '', query = ''] = parts;
  if (!/^amqps?$/i.test(scheme)) return `{unexpected_uri_scheme,${quoted(scheme)}}`;
  const badEscape = /%(?![0-9a-f]{2}).{0,2}/i.exec(authority + vhost);
  if (badEscape !== null) return `{invalid_entitiy,${quoted(badEscape[0])}}`;
  const port = /:([^:\]]*)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1];
  if (port !== undefined && !/^\d+$/.test(port)) return malformed(uri);
  if (Number(port) > 65_535) return `{port_out_of_range,${Number(port)}}`;
  if (vhost.includes('/')) return `{invalid_vhost,${quoted(vhost)}}`;
  return queryProblem(query);
}

function queryProblem(query: string): string | null {
  const pairs = query.split('&').map(pair => pair.split(/=(.*)/s, 2));
  for (const [name = '', value = ''] of pairs) {
    if (!integerParameters.includes(name) || /^-?\d+$/.test(value)) continue;
    const all = pairs.map(([key = '', text = '']) => `{${quoted(key)},${quoted(text)}}`).join(',');
    return `{invalid_amqp_params_parameter,${name},${quoted(value)},[${all}],{not_an_integer,${quoted(value)}}}`;
  }
  return null;
}

function malformed(uri: string): string {
  return `{unable_to_parse_uri,{malformed_uri,${quoted(shown(uri))}}}`;
}

/** Without the password: what is refused is told to clients and written to the log. */
function shown(uri: string): string {
  return uri.replace(/^([^/?#]*\/\/[^/?#@:]*):[^/?#]*@/, '$1:****@');
}

/** A text as Erlang prints a list of characters. */
function quoted(text: string): string {
  return text === '' ? '[]' : erlangTerm(text).replace(/^<<|(?:\/utf8)?>>$/g, '');
}
