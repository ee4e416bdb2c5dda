import type { JSX } from 'preact';

const paths = {
  overview: 'M2 13V8m4 5V3m4 10V6m4 7V9',
  topology: 'M3.500 3.500h3v3h-3zm6 6h3v3h-3zm0-7h3v3h-3zM6.500 5h1.500a2 2 0 0 1 2 2v2.500M6.500 4h3',
  connections: 'M6 10l4-4M5 7L3.500 8.500a2.800 2.800 0 0 0 4 4L9 11M7 5l1.500-1.500a2.800 2.800 0 0 1 4 4L11 9',
  channels: 'M2 5h12M2 8h12M2 11h12',
  exchanges: 'M3 5h9m-2.500-2.500L12 5 9.500 7.500M13 11H4m2.500-2.500L4 11l2.500 2.500',
  queues: 'M2.500 3h3v10h-3zm4.500 0h3v10H7zm4.500 0h2v10h-2z',
  streams: 'M2 5c2-2 4-2 6 0s4 2 6 0M2 11c2-2 4-2 6 0s4 2 6 0',
  dead: 'M3 4h10M6 4V2.500h4V4M4.500 4l.6 9.500h5.800l.6-9.500',
  clock: 'M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zM8 5v3.200L10 10',
  inbox: 'M2.500 9l2-6h7l2 6v4h-11zM2.500 9H6l1 1.500h2L10 9h3.500',
  explain: 'M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zm3.300 7.800L14 14',
  findings: 'M8 2L1.800 13h12.400zM8 6.500v3M8 11.300v.2',
  users: 'M8 3a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM3 13.500c.5-3 2.500-4 5-4s4.500 1 5 4',
  vhosts: 'M2.500 3h11v4h-11zm0 6h11v4h-11zM5 5h.1M5 11h.1',
  policies: 'M4 2h6l2.500 2.500V14H4zM6 7h4.500M6 10h4.500',
  limits: 'M2.500 11a5.500 5.500 0 0 1 11 0M8 11l2.500-4',
  definitions: 'M8 2v7m-2.800-2.800L8 9l2.800-2.800M3 11v2.500h10V11',
  nodes: 'M8 2l5 3v6l-5 3-5-3V5zM3 5l5 3 5-3M8 8v6',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M3 6V3h3m4 0h3v3m0 4v3h-3m-4 0H3v-3',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.300"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}

export function Logo(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path
        d="M11 6c2 0 3 5 3 9h4c0-4 1-9 3-9s2.500 4 1 9.600c1.600 1.400 2.500 3.200 2.500 5.200 0 3.500-3.800 5.700-8.500 5.700s-8.500-2.200-8.500-5.700c0-2 .9-3.800 2.500-5.200C8.500 10 9 6 11 6z"
        fill="#fff"
      />
      <circle cx="13" cy="20" r="1.300" fill="#0f766e" />
      <circle cx="19" cy="20" r="1.300" fill="#0f766e" />
    </svg>
  );
}
