import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Card, PageHead, Waiting } from '../components/basics.tsx';
import { Icon } from '../components/icons.tsx';
import { count, perSecond, shownName } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import { exchangeHref, queueHref } from '../model/router.ts';
import { chooseVhost, shownVhost, vhostNames } from '../model/session.ts';
import { edgeKey, nodeHeight, nodeWidth, type Placed, placeTopology, type Point } from '../model/topology-layout.ts';
import { shownMax, type Topology, type TopologyEdge, type TopologyNode, topologyOf } from '../model/topology.ts';
import type { Binding, Consumer, Exchange, Page, Queue } from '../model/types.ts';

const listMax = 500;
/** Below it names are too small to read. */
const readableScale = 0.72;

export function TopologyPage(): JSX.Element {
  const vhost = shownVhost();
  const [filter, setFilter] = useState('');
  const name = encodeURIComponent(vhost);
  const search = filter === '' ? '' : `&name=${encodeURIComponent(filter)}`;
  // Longer lists are narrowed by the broker: with a filter to what fits, without one to what is busiest.
  const sizes = useLive<Page<Queue>>(`queues/${name}?columns=name&page=1&page_size=1`).data?.total_count ?? 0;
  const isLarge = sizes > listMax;
  const queues = useLive<Page<Queue>>(
    `queues/${name}?page=1&page_size=${listMax}&sort=${isLarge ? 'message_stats.publish' : 'name'}&sort_reverse=${String(isLarge)}${isLarge ? search : ''}&columns=name,vhost,type,messages,arguments,effective_policy_definition,message_stats.publish_details.rate,message_stats.deliver_get_details.rate`,
  );
  const exchanges = useLive<Page<Exchange>>(
    `exchanges/${name}?page=1&page_size=${listMax}&columns=name,vhost,type,message_stats.publish_in_details.rate`,
  );
  const bindings = useLive<readonly Binding[]>(`bindings/${name}?columns=source,destination,destination_type,routing_key`);
  const consumers = useLive<readonly Consumer[]>(`consumers/${name}?columns=queue`);
  const error = queues.error ?? exchanges.error;
  const topology = useMemo(
    () => topologyOf(exchanges.data?.items ?? [], queues.data?.items ?? [], bindings.data ?? [], consumers.data ?? [], filter),
    [exchanges.data, queues.data, bindings.data, consumers.data, filter],
  );
  // Numbers change every few seconds, places only with what there is.
  const shape = `${topology.nodes.map(({ id }) => id).join('\0')}\u0001${topology.edges.map(edgeKey).join('\u0001')}`;
  const placed = useMemo(() => placeTopology(topology), [shape]);
  if (queues.data === undefined || exchanges.data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title="Topology" above={<span class="name">Virtual host {vhost}</span>}>
        <label class="row">
          <span class="hidden-visually">Virtual host</span>
          <select value={vhost} onChange={event => chooseVhost(event.currentTarget.value)}>
            {vhostNames.value.map(item => (
              <option key={item} value={item} selected={item === vhost}>
                {item}
              </option>
            ))}
          </select>
        </label>
        <input
          class="inline"
          type="search"
          aria-label="Filter by name"
          placeholder="Filter by name"
          value={filter}
          onInput={event => setFilter(event.currentTarget.value)}
        />
      </PageHead>
      <Card
        title={`${count(topology.nodes.length)}${topology.nodes.length < topology.total || isLarge ? ` of ${count(Math.max(topology.total, sizes))}` : ''} shown`}
        isBare
        actions={<span class="small muted">Exchanges, queues and consumers from left to right; numbers are messages per second</span>}
      >
        {bindings.error === null ? null : <p class="note">There are more bindings than can be drawn.</p>}
        {topology.nodes.length === 0 ? (
          <p class="empty">{filter === '' ? 'There is nothing yet but the predeclared exchanges.' : 'Nothing has such a name.'}</p>
        ) : (
          <Picture topology={topology} placed={placed} vhost={vhost} />
        )}
        {topology.nodes.length >= shownMax ? <p class="note">The busiest {shownMax} are shown; filter by name to see others.</p> : null}
      </Card>
    </>
  );
}

interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

function Picture({
  topology,
  placed,
  vhost,
}: {
  readonly topology: Topology;
  readonly placed: Placed;
  readonly vhost: string;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 });
  const drag = useRef<{ readonly x: number; readonly y: number; readonly view: View } | null>(null);
  const show = (scaleMin: number): void => {
    const element = box.current;
    if (element === null) return;
    const { clientWidth, clientHeight } = element;
    const scale = Math.min(1.2, Math.max(scaleMin, Math.min(clientWidth / placed.width, clientHeight / placed.height)));
    setView({
      x: Math.max(0, (clientWidth - placed.width * scale) / 2),
      y: Math.max(0, (clientHeight - placed.height * scale) / 2),
      scale,
    });
  };
  const fit = (): void => show(0.1);
  // A large picture begins where it can be read; all of it is one key away.
  useEffect(() => show(readableScale), [placed]);
  const zoom = (factor: number, atX?: number, atY?: number): void => {
    const element = box.current;
    if (element === null) return;
    const x = atX ?? element.clientWidth / 2;
    const y = atY ?? element.clientHeight / 2;
    setView(before => {
      const scale = Math.min(3, Math.max(0.1, before.scale * factor));
      const ratio = scale / before.scale;
      return { scale, x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio };
    });
  };
  // In a block the binding key stands in the box: there is no edge to write it on.
  const notes = new Map(topology.edges.filter(edge => !placed.edges.has(edgeKey(edge))).map(({ to, label }) => [to, label]));
  const pan = (x: number, y: number): void => setView(before => ({ ...before, x: before.x + x, y: before.y + y }));
  return (
    <div
      class="topology"
      ref={box}
      tabIndex={0}
      role="group"
      aria-label="Picture of exchanges, queues and consumers. Arrow keys move it, plus and minus change its size."
      onKeyDown={event => {
        const moves: Record<string, () => void> = {
          ArrowLeft: () => pan(60, 0),
          ArrowRight: () => pan(-60, 0),
          ArrowUp: () => pan(0, 60),
          ArrowDown: () => pan(0, -60),
          '+': () => zoom(1.25),
          '-': () => zoom(0.8),
          '0': fit,
        };
        const move = Object.hasOwn(moves, event.key) ? moves[event.key] : undefined;
        if (move === undefined || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        move();
      }}
    >
      <svg
        onPointerDown={event => {
          if (event.target instanceof Element && event.target.closest('a') !== null) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY, view };
        }}
        onPointerMove={event => {
          const from = drag.current;
          if (from !== null) setView({ ...from.view, x: from.view.x + event.clientX - from.x, y: from.view.y + event.clientY - from.y });
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        onWheel={event => {
          event.preventDefault();
          const bounds = event.currentTarget.getBoundingClientRect();
          zoom(event.deltaY < 0 ? 1.12 : 0.89, event.clientX - bounds.left, event.clientY - bounds.top);
        }}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          {placed.blocks.map(block => {
            const parent = block.parent === null ? undefined : placed.nodes.get(block.parent);
            return (
              <g key={block.id}>
                <rect
                  class="block"
                  x={block.x - block.width / 2}
                  y={block.y - block.height / 2}
                  width={block.width}
                  height={block.height}
                  rx="12"
                />
                {parent === undefined ? null : (
                  <path
                    class="edge"
                    d={curve({ x: parent.x + nodeWidth / 2, y: parent.y }, { x: block.x - block.width / 2, y: block.y })}
                  />
                )}
              </g>
            );
          })}
          {topology.edges
            .filter(edge => placed.edges.has(edgeKey(edge)))
            .map(edge => (
              <Edge
                key={edgeKey(edge)}
                edge={edge}
                from={placed.nodes.get(edge.from)}
                to={placed.nodes.get(edge.to)}
                points={placed.edges.get(edgeKey(edge)) ?? []}
                withLabel={view.scale > 0.45}
              />
            ))}
          {topology.nodes.map(node => (
            <NodeBox key={node.id} node={node} at={placed.nodes.get(node.id)} vhost={vhost} note={notes.get(node.id) ?? ''} />
          ))}
        </g>
      </svg>
      <div class="zoom">
        <button type="button" class="button small" aria-label="Larger" onClick={() => zoom(1.25)}>
          <Icon name="plus" />
        </button>
        <button type="button" class="button small" aria-label="Smaller" onClick={() => zoom(0.8)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="button small" aria-label="Show all of it" onClick={fit}>
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

/** From the right end of one node to the left end of the other; back to an earlier column by way of the points that the layout found. */
function Edge(props: {
  readonly edge: TopologyEdge;
  readonly from: Point | undefined;
  readonly to: Point | undefined;
  readonly points: readonly Point[];
  readonly withLabel: boolean;
}): JSX.Element | null {
  const { edge, from, to, points, withLabel } = props;
  if (from === undefined || to === undefined) return null;
  const isForward = to.x > from.x;
  const first = { x: from.x + nodeWidth / 2, y: from.y };
  const last = { x: to.x - nodeWidth / 2, y: to.y };
  const bend = (first.x + last.x) / 2;
  const inner = isForward && points.length > 3 ? points.slice(1, -1) : [];
  const line = !isForward
    ? `M${points.map(({ x, y }) => `${x} ${y}`).join(' L')}`
    : inner.length === 0
      ? curve(first, last)
      : `M${first.x} ${first.y} ${through([first, ...inner, last])}`;
  const middle =
    isForward && inner.length === 0 ? { x: bend, y: (first.y + last.y) / 2 } : (points[Math.floor(points.length / 2)] ?? first);
  const isBusy = (edge.rate ?? 0) > 0;
  const width = 1.3 + Math.min(5, Math.log10(1 + (edge.rate ?? 0)));
  const label = [edge.label, isBusy ? perSecond(edge.rate ?? 0) : ''].filter(text => text !== '').join(' · ');
  return (
    <g>
      <path class={`edge ${isBusy ? 'busy' : ''}`} d={line} style={{ strokeWidth: `${width}px` }} />
      {withLabel && label !== '' ? (
        <text class={`edge-label ${isBusy ? 'busy' : ''}`} x={middle.x} y={middle.y - 4} text-anchor="middle">
          {label.length > 34 ? `${label.slice(0, 33)}…` : label}
        </text>
      ) : null}
    </g>
  );
}

function curve(from: Point, to: Point): string {
  const bend = (from.x + to.x) / 2;
  return `M${from.x} ${from.y} C${bend} ${from.y} ${bend} ${to.y} ${to.x} ${to.y}`;
}

/** A smooth line, flat at each point. */
function through(points: readonly Point[]): string {
  const parts: string[] = [];
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (a === undefined || b === undefined) continue;
    const bend = (a.x + b.x) / 2;
    parts.push(`C${bend} ${a.y} ${bend} ${b.y} ${b.x} ${b.y}`);
  }
  return parts.join(' ');
}

function NodeBox({
  node,
  at,
  vhost,
  note,
}: {
  readonly node: TopologyNode;
  readonly at: { readonly x: number; readonly y: number } | undefined;
  readonly vhost: string;
  /** Said before all else in the second line. */
  readonly note: string;
}): JSX.Element | null {
  if (at === undefined) return null;
  const name = node.kind === 'consumers' ? node.detail : shownName(node.name);
  const detail =
    node.kind === 'consumers'
      ? node.rate > 0
        ? perSecond(node.rate)
        : 'idle'
      : `${node.detail}${node.rate > 0 ? ` · ${perSecond(node.rate)}` : ''}`;
  const second = note === '' ? detail : `${note} · ${detail}`;
  const link =
    node.kind === 'exchange'
      ? exchangeHref(vhost, node.name)
      : queueHref(vhost, node.name, node.kind === 'consumers' ? { tab: 'consumers' } : {});
  return (
    <g transform={`translate(${at.x - nodeWidth / 2} ${at.y - nodeHeight / 2})`}>
      <a class={`node ${node.kind}`} href={link}>
        <title>{`${node.kind} ${shownName(node.name)}, ${detail}`}</title>
        <rect width={nodeWidth} height={nodeHeight} rx={node.kind === 'exchange' ? 22 : 7} />
        <circle class="kind" cx="17" cy={nodeHeight / 2} r="4.500" />
        <text x="30" y="19">
          {name.length > 23 ? `${name.slice(0, 22)}…` : name}
        </text>
        <text class="sub" x="30" y="34">
          {second.length > 28 ? `${second.slice(0, 27)}…` : second}
        </text>
      </a>
    </g>
  );
}
