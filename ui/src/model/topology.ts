// The picture of a virtual host: what it is made of, and which part of it is drawn.
import type { Binding, Consumer, Exchange, Queue } from './types.ts';
import { rateOf } from './format.ts';

export interface TopologyNode {
  readonly id: string;
  readonly kind: 'exchange' | 'queue' | 'consumers';
  readonly name: string;
  /** The second line. */
  readonly detail: string;
  /** Messages per second through it. */
  readonly rate: number;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** Messages per second; null where it is not known by edge. */
  readonly rate: number | null;
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  /** How many there are, drawn or not. */
  readonly total: number;
}

export const shownMax = 200;
const labelsMax = 3;
/** From so many queues on their consumers are told of in their boxes. */
const foldedMin = 40;

export function topologyOf(
  exchanges: readonly Exchange[],
  queues: readonly Queue[],
  bindings: readonly Binding[],
  consumers: readonly Consumer[],
  filter: string,
): Topology {
  const nodes = new Map<string, TopologyNode>();
  const bound = new Set<string>();
  for (const { source, destination, destination_type: kind } of bindings) {
    if (source === '') continue;
    bound.add(`exchange ${source}`);
    bound.add(`${kind} ${destination}`);
  }
  for (const exchange of exchanges) {
    const id = `exchange ${exchange.name}`;
    // The predeclared ones are shown when something hangs on them.
    if ((exchange.name === '' || exchange.name.startsWith('amq.')) && !bound.has(id)) continue;
    nodes.set(id, {
      id,
      kind: 'exchange',
      name: exchange.name,
      detail: exchange.type,
      rate: rateOf(exchange.message_stats, 'publish_in') ?? 0,
    });
  }
  const perQueue = new Map<string, number>();
  for (const { queue } of consumers) perQueue.set(queue.name, (perQueue.get(queue.name) ?? 0) + 1);
  const edges: TopologyEdge[] = [];
  const isFolded = queues.length > foldedMin;
  for (const queue of queues) {
    const id = `queue ${queue.name}`;
    const out = rateOf(queue.message_stats, 'deliver_get') ?? 0;
    nodes.set(id, {
      id,
      kind: 'queue',
      name: queue.name,
      detail: `${queue.messages ?? 0} messages`,
      rate: rateOf(queue.message_stats, 'publish') ?? 0,
    });
    const deadLetters = queue.arguments['x-dead-letter-exchange'] ?? queue.effective_policy_definition?.['dead-letter-exchange'];
    if (typeof deadLetters === 'string' && nodes.has(`exchange ${deadLetters}`))
      edges.push({ from: id, to: `exchange ${deadLetters}`, label: 'dead letters', rate: null });
    const consumerCount = perQueue.get(queue.name) ?? 0;
    if (consumerCount === 0) continue;
    if (isFolded) {
      const node = nodes.get(id);
      if (node !== undefined) nodes.set(id, { ...node, detail: `${node.detail} · ${consumersText(consumerCount)}` });
      continue;
    }
    const consumersId = `consumers ${queue.name}`;
    const detail = consumersText(consumerCount);
    nodes.set(consumersId, { id: consumersId, kind: 'consumers', name: queue.name, detail, rate: out });
    edges.push({ from: id, to: consumersId, label: '', rate: out });
  }
  const grouped = new Map<string, { from: string; to: string; keys: string[] }>();
  for (const binding of bindings) {
    const from = `exchange ${binding.source}`;
    const to = `${binding.destination_type} ${binding.destination}`;
    if (!nodes.has(from) || !nodes.has(to) || binding.source === '') continue;
    const key = `${from}\0${to}`;
    const group = grouped.get(key) ?? { from, to, keys: [] };
    grouped.set(key, group);
    group.keys.push(binding.routing_key);
  }
  const incoming = new Map<string, number>();
  for (const { to } of grouped.values()) incoming.set(to, (incoming.get(to) ?? 0) + 1);
  for (const { from, to, keys } of grouped.values()) {
    const shown = keys.slice(0, labelsMax).filter(key => key !== '');
    const label = shown.join(', ') + (keys.length > labelsMax ? ` +${keys.length - labelsMax}` : '');
    // What comes in over the only way there is is what the queue counts.
    edges.push({ from, to, label, rate: incoming.get(to) === 1 ? (nodes.get(to)?.rate ?? 0) : null });
  }
  return narrow([...nodes.values()], edges, filter);
}

function consumersText(count: number): string {
  return count === 1 ? '1 consumer' : `${count} consumers`;
}

/** The nodes that fit the filter with their neighbours; of too many those with most traffic. */
function narrow(nodes: readonly TopologyNode[], edges: readonly TopologyEdge[], filter: string): Topology {
  const wanted = filter.toLowerCase();
  const fits = (node: TopologyNode): boolean => node.name.toLowerCase().includes(wanted);
  const kept = new Set<string>();
  const ordered = [...nodes].sort((a, b) => b.rate - a.rate);
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of edges) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
    neighbours.set(to, [...(neighbours.get(to) ?? []), from]);
  }
  for (const node of ordered) {
    if (wanted !== '' && !fits(node)) continue;
    for (const id of [node.id, ...(neighbours.get(node.id) ?? [])]) if (kept.size < shownMax) kept.add(id);
  }
  return {
    nodes: nodes.filter(({ id }) => kept.has(id)),
    edges: edges.filter(({ from, to }) => kept.has(from) && kept.has(to)),
    total: nodes.length,
  };
}
