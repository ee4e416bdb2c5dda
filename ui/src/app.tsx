// The frame around every page: who is logged in, where one can go, what is shown.
import type { ComponentChildren, JSX } from 'preact';
import { lazyPage } from './components/lazy.tsx';
import { useEffect, useState } from 'preact/hooks';
import { Badge, Dot, PageHead } from './components/basics.tsx';
import { Icon, type IconName, Logo } from './components/icons.tsx';
import { api } from './model/api.ts';
import { useLive } from './model/live.ts';
import { href, place } from './model/router.ts';
import { chooseTheme, chooseVhost, chosenVhost, isAdministrator, isMonitor, me, type Me, theme, vhostNames } from './model/session.ts';
import { dismiss, toasts } from './model/toasts.ts';
import type { Finding, Vhost } from './model/types.ts';
import { ChannelPage, ChannelsPage } from './pages/channels.tsx';
import { ConnectionPage, ConnectionsPage } from './pages/connections.tsx';
import { ExchangePage } from './pages/exchange.tsx';
import { ExchangesPage } from './pages/exchanges.tsx';
import { LoginPage } from './pages/login.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { QueuePage } from './pages/queue.tsx';
import { QueuesPage, StreamsPage } from './pages/queues.tsx';

const TopologyPage = lazyPage(() => import('./pages/topology.tsx').then(({ TopologyPage: page }) => page));
const DeadLettersPage = lazyPage(() => import('./pages/dead-letters.tsx').then(({ DeadLettersPage: page }) => page));
const ExplainPage = lazyPage(() => import('./pages/explain.tsx').then(({ ExplainPage: page }) => page));
const FindingsPage = lazyPage(() => import('./pages/findings.tsx').then(({ FindingsPage: page }) => page));
const NodesPage = lazyPage(() => import('./pages/nodes.tsx').then(({ NodesPage: page }) => page));
const UsersPage = lazyPage(() => import('./pages/users.tsx').then(({ UsersPage: page }) => page));
const UserPage = lazyPage(() => import('./pages/users.tsx').then(({ UserPage: page }) => page));
const VhostsPage = lazyPage(() => import('./pages/vhosts.tsx').then(({ VhostsPage: page }) => page));
const VhostPage = lazyPage(() => import('./pages/vhosts.tsx').then(({ VhostPage: page }) => page));
const PoliciesPage = lazyPage(() => import('./pages/policies.tsx').then(({ PoliciesPage: page }) => page));
const LimitsPage = lazyPage(() => import('./pages/limits.tsx').then(({ LimitsPage: page }) => page));
const ScheduledPage = lazyPage(() => import('./pages/scheduled.tsx').then(({ ScheduledPage: page }) => page));
const UnroutablePage = lazyPage(() => import('./pages/unroutable.tsx').then(({ UnroutablePage: page }) => page));
const DefinitionsPage = lazyPage(() => import('./pages/definitions.tsx').then(({ DefinitionsPage: page }) => page));

type PageOf = (names: readonly string[]) => JSX.Element;

interface Entry {
  readonly name: string;
  readonly icon: IconName;
  readonly title: string;
  readonly isShown?: () => boolean;
  readonly page: PageOf;
  /** Of one object; its names are in the path. */
  readonly detail?: PageOf;
}

const groups: readonly { readonly title: string; readonly entries: readonly Entry[] }[] = [
  {
    title: 'Watch',
    entries: [
      { name: '', icon: 'overview', title: 'Overview', page: () => <OverviewPage /> },
      { name: 'findings', icon: 'findings', title: 'Findings', page: () => <FindingsPage /> },
      { name: 'topology', icon: 'topology', title: 'Topology', page: () => <TopologyPage /> },
      { name: 'nodes', icon: 'nodes', title: 'Nodes', isShown: isMonitor, page: () => <NodesPage />, detail: () => <NodesPage /> },
    ],
  },
  {
    title: 'Traffic',
    entries: [
      {
        name: 'connections',
        icon: 'connections',
        title: 'Connections',
        page: () => <ConnectionsPage />,
        detail: ([name = '']) => <ConnectionPage name={name} />,
      },
      {
        name: 'channels',
        icon: 'channels',
        title: 'Channels',
        page: () => <ChannelsPage />,
        detail: ([name = '']) => <ChannelPage name={name} />,
      },
      {
        name: 'exchanges',
        icon: 'exchanges',
        title: 'Exchanges',
        page: () => <ExchangesPage />,
        detail: ([vhost = '', name = '']) => <ExchangePage vhost={vhost} name={name} />,
      },
      {
        name: 'queues',
        icon: 'queues',
        title: 'Queues',
        page: () => <QueuesPage />,
        detail: ([vhost = '', name = '']) => <QueuePage vhost={vhost} name={name} />,
      },
      { name: 'streams', icon: 'streams', title: 'Streams', page: () => <StreamsPage /> },
    ],
  },
  {
    title: 'Messages',
    entries: [
      { name: 'dead-letters', icon: 'dead', title: 'Dead letters', page: () => <DeadLettersPage /> },
      { name: 'scheduled', icon: 'clock', title: 'Scheduled', page: () => <ScheduledPage /> },
      { name: 'unroutable', icon: 'inbox', title: 'Unroutable', page: () => <UnroutablePage /> },
      { name: 'explain', icon: 'explain', title: 'Explain routing', page: () => <ExplainPage /> },
    ],
  },
  {
    title: 'Admin',
    entries: [
      {
        name: 'users',
        icon: 'users',
        title: 'Users',
        isShown: isAdministrator,
        page: () => <UsersPage />,
        detail: ([name = '']) => <UserPage name={name} />,
      },
      {
        name: 'vhosts',
        icon: 'vhosts',
        title: 'Virtual hosts',
        isShown: isAdministrator,
        page: () => <VhostsPage />,
        detail: ([name = '']) => <VhostPage name={name} />,
      },
      { name: 'policies', icon: 'policies', title: 'Policies', page: () => <PoliciesPage />, detail: () => <PoliciesPage /> },
      { name: 'limits', icon: 'limits', title: 'Limits', page: () => <LimitsPage /> },
      { name: 'definitions', icon: 'definitions', title: 'Definitions', isShown: isAdministrator, page: () => <DefinitionsPage /> },
    ],
  },
];

export function App(): JSX.Element {
  useEffect(() => {
    void api.get<{ name: string; tags: readonly string[] | string }>('whoami').then(
      ({ name, tags }) => {
        me.value = { name, tags: typeof tags === 'string' ? tags.split(',') : tags };
      },
      () => {
        me.value = null;
      },
    );
  }, []);
  if (me.value === undefined) return <p class="empty">Loading …</p>;
  return (
    <>
      {me.value === null ? <LoginPage /> : <Shell who={me.value} />}
      <Toasts />
    </>
  );
}

function Shell({ who }: { readonly who: Me }): JSX.Element {
  const [isOpen, setIsOpen] = useState(false);
  const { segments } = place.value;
  const [first = '', ...names] = segments;
  const entry = groups.flatMap(({ entries }) => entries).find(({ name }) => name === first);
  const findings = useLive<readonly Finding[]>('findings?limit=100').data ?? [];
  const pressing = findings.filter(({ severity }) => severity !== 'info').length;
  useEffect(() => {
    setIsOpen(false);
    document.title = `${[entry?.title ?? 'Nothing here', ...names.slice(-1)].join(' · ')} · WarrenMQ`;
  }, [segments.join('/')]);
  return (
    <div class="shell">
      <header class={`side ${isOpen ? 'open' : ''}`}>
        <a class="brand" href={href([])}>
          <Logo /> WarrenMQ
        </a>
        <button type="button" class="button plain menu-button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          <Icon name="menu" /> Menu
        </button>
        <nav class="nav" aria-label="Main">
          {groups.map(({ title, entries }) => (
            <div key={title}>
              <h2>{title}</h2>
              {entries
                .filter(({ isShown }) => isShown === undefined || isShown())
                .map(({ name, icon, title: text }) => (
                  <a key={name} href={href(name === '' ? [] : [name])} aria-current={first === name ? 'page' : undefined}>
                    <Icon name={icon} />
                    {text}
                    {name === 'findings' && pressing > 0 ? (
                      <span class="count">
                        <Badge tone="warn">{pressing}</Badge>
                      </span>
                    ) : null}
                  </a>
                ))}
            </div>
          ))}
        </nav>
        <Foot who={who} />
      </header>
      <main class="content" tabIndex={-1}>
        {entry === undefined ? (
          <PageHead title="There is no such page" />
        ) : (
          <Guarded key={segments.join('\0')}>
            {names.length > 0 && entry.detail !== undefined ? entry.detail(names) : entry.page(names)}
          </Guarded>
        )}
      </main>
    </div>
  );
}

function Guarded({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <>{children}</>;
}

function Foot({ who }: { readonly who: Me }): JSX.Element {
  const vhosts = useLive<readonly Vhost[]>('vhosts?columns=name').data;
  useEffect(() => {
    if (vhosts === undefined) return;
    vhostNames.value = vhosts.map(({ name }) => name);
    if (chosenVhost.value !== '' && !vhostNames.value.includes(chosenVhost.value)) chooseVhost('');
  }, [vhosts]);
  const logOut = async (): Promise<void> => {
    await api.delete('login').catch(() => null);
    me.value = null;
  };
  return (
    <div class="side-foot">
      <label class="field">
        <span class="hidden-visually">Virtual host</span>
        <select value={chosenVhost.value} onChange={event => chooseVhost(event.currentTarget.value)}>
          <option value="" selected={chosenVhost.value === ''}>
            All virtual hosts
          </option>
          {vhostNames.value.map(name => (
            <option key={name} value={name} selected={name === chosenVhost.value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="hidden-visually">Theme</span>
        <select value={theme.value} onChange={event => chooseTheme(event.currentTarget.value as 'system' | 'light' | 'dark')}>
          {(['system', 'light', 'dark'] as const).map(name => (
            <option key={name} value={name} selected={name === theme.value}>
              {name === 'system' ? 'System theme' : name === 'light' ? 'Light theme' : 'Dark theme'}
            </option>
          ))}
        </select>
      </label>
      <div class="who">
        <Dot tone="good" />
        <span class="name">{who.name}</span>
        <button type="button" class="button plain small" onClick={() => void logOut()}>
          Log out
        </button>
      </div>
    </div>
  );
}

function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, kind, text }) => (
        <div class="toast" key={id}>
          <Dot tone={kind} />
          <p>{text}</p>
          <button type="button" class="button plain small" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
