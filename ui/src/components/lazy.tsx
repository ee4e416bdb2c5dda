import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../model/api.ts';
import { Problem } from './basics.tsx';

/** A page whose code is fetched when it is first shown. */
export function lazyPage<Props extends object>(load: () => Promise<ComponentType<Props>>): (props: Props) => JSX.Element {
  let loaded: ComponentType<Props> | null = null;
  return function LazyPage(props: Props): JSX.Element {
    const [, setRound] = useState(0);
    const [problem, setProblem] = useState('');
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        page => {
          loaded = page;
          setRound(1);
        },
        (error: unknown) => setProblem(`The page could not be loaded: ${messageOf(error)}`),
      );
    }, []);
    if (problem !== '') return <Problem error={problem} />;
    if (loaded === null) return <p class="empty">Loading …</p>;
    const Page = loaded;
    return <Page {...props} />;
  };
}
