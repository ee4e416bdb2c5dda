import type { JSX } from 'preact';
import { Card, PageHead, Waiting } from '../components/basics.tsx';
import { FindingsList } from '../components/findings.tsx';
import { useLive } from '../model/live.ts';
import type { Finding } from '../model/types.ts';

export function FindingsPage(): JSX.Element {
  const { data, error } = useLive<readonly Finding[]>('findings?limit=100');
  if (data === undefined) return <Waiting error={error} />;
  return (
    <>
      <PageHead title="Findings" above="What the numbers mean, in words" />
      <Card title={data.length === 1 ? '1 finding' : `${data.length} findings`} isBare>
        {data.length === 0 ? <p class="empty">Nothing to worry about.</p> : <FindingsList findings={data} />}
      </Card>
    </>
  );
}
