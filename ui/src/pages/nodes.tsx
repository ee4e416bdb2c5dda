import type { JSX } from 'preact';
import { Badge, Card, Facts, Meter, PageHead, Stats, Waiting } from '../components/basics.tsx';
import { ChartCard, RangeChoice, useRange } from '../components/chart.tsx';
import { path } from '../model/api.ts';
import { bytes, count, duration, limitText } from '../model/format.ts';
import { useLive } from '../model/live.ts';
import type { Node } from '../model/types.ts';

export function NodesPage(): JSX.Element {
  const { data, error } = useLive<readonly Node[]>('nodes');
  const [range, setRange] = useRange();
  if (data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title={data.length === 1 ? (data[0]?.name ?? 'Node') : 'Nodes'}>
        <RangeChoice value={range} onChange={setRange} />
      </PageHead>
      <div class="stack">
        {data.map(node => (
          <NodeCards key={node.name} node={node} range={range} />
        ))}
      </div>
    </>
  );
}

/** What takes the memory, in bytes by part. */
interface Memory {
  readonly memory?: Record<string, unknown>;
}

function NodeCards({ node, range }: { readonly node: Node; readonly range: ReturnType<typeof useRange>[0] }): JSX.Element {
  const own = path`nodes/${node.name}`;
  const memory = useLive<Memory>(`${own}/memory`).data?.memory ?? {};
  const parts = Object.entries(memory)
    .filter((part): part is [string, number] => typeof part[1] === 'number' && part[1] > 0)
    .sort(([, a], [, b]) => b - a);
  const largest = parts[0]?.[1] ?? 1;
  return (
    <>
      <Stats
        items={[
          { label: 'Up for', value: duration(node.uptime ?? 0) },
          {
            label: 'Memory',
            value: bytes(node.mem_used),
            hint: limitText(node.mem_limit) === 'no limit' ? 'no limit' : `limit: ${limitText(node.mem_limit)}`,
          },
          { label: 'Disk free', value: bytes(node.disk_free), hint: `alarm below ${bytes(node.disk_free_limit)}` },
          { label: 'Files', value: count(node.fd_used), hint: `of ${count(node.fd_total)}` },
          { label: 'Sockets', value: count(node.sockets_used), hint: `of ${count(node.sockets_total)}` },
        ]}
      />
      <div class="grid-2">
        <ChartCard
          title="Memory"
          path={own}
          range={range}
          kind="length"
          format={bytes}
          series={[{ label: 'Used', now: node.mem_used, from: 'mem_used_details' }]}
        />
        <ChartCard
          title="Disk free"
          path={own}
          range={range}
          kind="length"
          format={bytes}
          series={[{ label: 'Free', now: node.disk_free, from: 'disk_free_details' }]}
        />
        <Card title="Where the memory is">
          <div class="stack">
            {parts.map(([name, value]) => (
              <div key={name}>
                <div class="row spread small">
                  <span>{name.replaceAll('_', ' ')}</span>
                  <span class="muted">{bytes(value)}</span>
                </div>
                <Meter share={(value / largest) * 0.74} label={`${name}: ${bytes(value)}`} />
              </div>
            ))}
          </div>
        </Card>
        <Card title="Facts">
          <Facts
            items={[
              [
                'State',
                <span class="badges">
                  <Badge tone={node.running ? 'good' : 'bad'}>{node.running ? 'running' : 'down'}</Badge>
                  {node.mem_alarm === true ? <Badge tone="bad">memory alarm</Badge> : null}
                  {node.disk_free_alarm === true ? <Badge tone="bad">disk alarm</Badge> : null}
                </span>,
              ],
              ['Process', node.os_pid ?? ''],
              ['Processors', count(node.processors)],
              ['Rates', node.rates_mode ?? ''],
              ['Data in', <span class="mono name">{node.db_dir || 'memory only'}</span>],
              ['Configuration', <span class="mono name">{(node.config_files ?? []).join('\n') || 'none'}</span>],
              ['Logs to', <span class="mono name">{(node.log_files ?? []).join('\n')}</span>],
              ['WarrenMQ', node.warrenmq_version ?? ''],
            ]}
          />
        </Card>
      </div>
    </>
  );
}
