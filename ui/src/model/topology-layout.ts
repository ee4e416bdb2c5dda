// Where things are in the picture. Layers from left to right by dagre; what hangs alone on one node, or on none, is put into blocks of rows
// and columns, which stay readable where a column of two hundred would not.
import { graphlib, layout } from '@dagrejs/dagre';
import type { Topology, TopologyEdge } from './topology.ts';

export const nodeWidth = 190;
export const nodeHeight = 44;
const gap = 12;
const blockPadding = 12;
/** More alike nodes than that make a block. */
const looseMax = 8;
/** Width of a block by its height. */
const blockAspect = 1.5;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Block extends Point {
  readonly id: string;
  /** The node that all in the block hang on; null for nodes that hang on none. */
  readonly parent: string | null;
  readonly width: number;
  readonly height: number;
  readonly members: readonly string[];
}

export interface Placed {
  /** Centres of nodes. */
  readonly nodes: ReadonlyMap<string, Point>;
  /** Points of edges that are drawn, by `edgeKey`. */
  readonly edges: ReadonlyMap<string, readonly Point[]>;
  readonly blocks: readonly Block[];
  readonly width: number;
  readonly height: number;
}

export function edgeKey({ from, to }: TopologyEdge): string {
  return `${from}\0${to}`;
}

export function placeTopology(topology: Topology): Placed {
  const groups = blocksOf(topology);
  const blockOf = new Map(groups.flatMap(group => group.members.map(member => [member, group] as const)));
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 120, edgesep: 8, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of topology.nodes) if (!blockOf.has(id)) graph.setNode(id, { width: nodeWidth, height: nodeHeight });
  for (const { id, members, parent } of groups) {
    const { columns, rows } = shapeOf(members.length);
    graph.setNode(id, {
      width: columns * (nodeWidth + gap) - gap + 2 * blockPadding,
      height: rows * (nodeHeight + gap) - gap + 2 * blockPadding,
    });
    if (parent !== null) graph.setEdge(parent, id);
  }
  const drawn = topology.edges.filter(({ from, to }) => !blockOf.has(from) && !blockOf.has(to));
  for (const { from, to } of drawn) graph.setEdge(from, to);
  layout(graph);
  const nodes = new Map<string, Point>();
  for (const { id } of topology.nodes) if (!blockOf.has(id)) nodes.set(id, graph.node(id) as Point);
  const blocks = groups.map((group): Block => {
    const { x, y, width, height } = graph.node(group.id) as { x: number; y: number; width: number; height: number };
    const { columns } = shapeOf(group.members.length);
    group.members.forEach((member, index) => {
      nodes.set(member, {
        x: x - width / 2 + blockPadding + (index % columns) * (nodeWidth + gap) + nodeWidth / 2,
        y: y - height / 2 + blockPadding + Math.floor(index / columns) * (nodeHeight + gap) + nodeHeight / 2,
      });
    });
    return { ...group, x, y, width, height };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    nodes,
    edges: new Map(drawn.map(edge => [edgeKey(edge), (graph.edge(edge.from, edge.to) as { points?: Point[] } | undefined)?.points ?? []])),
    blocks,
    width: Number.isFinite(width) ? Math.max(width, 1) : 1,
    height: Number.isFinite(height) ? Math.max(height, 1) : 1,
  };
}

type Group = Pick<Block, 'id' | 'parent' | 'members'>;

/** Leaves with the same only parent, and nodes without any edge, where there are many of them. */
function blocksOf({ nodes, edges }: Topology): Group[] {
  const parents = new Map<string, string[]>();
  const hasChildren = new Set<string>();
  for (const { from, to } of edges) {
    parents.set(to, [...(parents.get(to) ?? []), from]);
    hasChildren.add(from);
  }
  const members = new Map<string | null, string[]>();
  for (const { id } of nodes) {
    const above = parents.get(id) ?? [];
    if (hasChildren.has(id) || above.length > 1) continue;
    const parent = above[0] ?? null;
    members.set(parent, [...(members.get(parent) ?? []), id]);
  }
  return [...members]
    .filter(([, list]) => list.length > looseMax)
    .map(([parent, list]) => ({ id: `block ${parent ?? ''}`, parent, members: list }));
}

function shapeOf(count: number): { columns: number; rows: number } {
  const columns = Math.max(2, Math.round(Math.sqrt((blockAspect * count * (nodeHeight + gap)) / (nodeWidth + gap))));
  return { columns, rows: Math.ceil(count / columns) };
}
