// The screen of `warrenctl top`: what is measured, as lines of a width. Nothing here knows a terminal.
import { cell } from '../formatters/cell.ts';

type Item = Record<string, unknown>;

export type View = 'queues' | 'connections';

/** A column of a view; `key` is the name the API sorts by. */
export interface Column {
  readonly title: string;
  readonly key: string;
  /** The key that sorts by it. */
  readonly hotkey: string;
  /** 0 takes what is left. */
  readonly width: number;
  value(item: Item): string;
}

/** A value by a path of names. */
function at(item: Item, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item);
}

function number(path: string): (item: Item) => string {
  return item => count(Number(at(item, path) ?? 0));
}

function rate(path: string): (item: Item) => string {
  return item => perSecond(Number(at(item, `${path}.rate`) ?? 0));
}

function text(path: string): (item: Item) => string {
  return item => cell(at(item, path));
}

export const columns: Readonly<Record<View, readonly Column[]>> = {
  queues: [
    { title: 'QUEUE', key: 'name', hotkey: 'n', width: 0, value: text('name') },
    { title: 'VHOST', key: 'vhost', hotkey: 'v', width: 10, value: text('vhost') },
    { title: 'READY', key: 'messages_ready', hotkey: 'r', width: 9, value: number('messages_ready') },
    { title: 'UNACKED', key: 'messages_unacknowledged', hotkey: 'u', width: 9, value: number('messages_unacknowledged') },
    { title: 'TOTAL', key: 'messages', hotkey: 'm', width: 9, value: number('messages') },
    { title: 'IN/s', key: 'message_stats.publish_details.rate', hotkey: 'i', width: 9, value: rate('message_stats.publish_details') },
    {
      title: 'OUT/s',
      key: 'message_stats.deliver_get_details.rate',
      hotkey: 'o',
      width: 9,
      value: rate('message_stats.deliver_get_details'),
    },
    { title: 'ACK/s', key: 'message_stats.ack_details.rate', hotkey: 'a', width: 9, value: rate('message_stats.ack_details') },
    { title: 'CONS', key: 'consumers', hotkey: 'c', width: 6, value: number('consumers') },
    { title: 'STATE', key: 'state', hotkey: 's', width: 8, value: text('state') },
  ],
  connections: [
    { title: 'CONNECTION', key: 'name', hotkey: 'n', width: 0, value: text('name') },
    { title: 'USER', key: 'user', hotkey: 'u', width: 12, value: text('user') },
    { title: 'VHOST', key: 'vhost', hotkey: 'v', width: 10, value: text('vhost') },
    { title: 'PROTOCOL', key: 'protocol', hotkey: 'p', width: 12, value: text('protocol') },
    { title: 'CHAN', key: 'channels', hotkey: 'c', width: 6, value: number('channels') },
    { title: 'IN B/s', key: 'recv_oct_details.rate', hotkey: 'i', width: 10, value: rate('recv_oct_details') },
    { title: 'OUT B/s', key: 'send_oct_details.rate', hotkey: 'o', width: 10, value: rate('send_oct_details') },
    { title: 'STATE', key: 'state', hotkey: 's', width: 10, value: text('state') },
  ],
};

/** What one look at the broker gave. */
export interface Look {
  readonly overview: Item;
  readonly node: Item;
  readonly items: readonly Item[];
  /** How many there are in all. */
  readonly total: number;
}

export interface Layout {
  readonly view: View;
  readonly sort: string;
  readonly isReverse: boolean;
  readonly offset: number;
  readonly width: number;
  readonly height: number;
  readonly notice: string;
}

/** Lines that are there beside the rows. */
export const frameLines = 7;

/** All lines of the screen, none longer than it is wide. */
export function screenLines(look: Look, layout: Layout): string[] {
  const { overview, node, items, total } = look;
  const totals = (overview['queue_totals'] ?? {}) as Item;
  const stats = (overview['message_stats'] ?? {}) as Item;
  const objects = (overview['object_totals'] ?? {}) as Item;
  const at1 = (name: string): string => perSecond(Number(at(stats, `${name}_details.rate`) ?? 0));
  const alarms = [node['mem_alarm'] === true ? 'MEMORY ALARM' : '', node['disk_free_alarm'] === true ? 'DISK ALARM' : ''].filter(
    word => word !== '',
  );
  const header = [
    `${cell(node['name'])}  up ${duration(Number(node['uptime']) / 1000)}  ${node['running'] === false ? 'STOPPED  ' : ''}${alarms.join('  ')}`,
    `memory ${bytes(Number(node['mem_used']))} of ${bytes(Number(node['mem_limit']))}   disk free ${bytes(Number(node['disk_free']))}   ` +
      `files ${cell(node['fd_used'])} of ${cell(node['fd_total'])}`,
    `connections ${cell(objects['connections'])}   channels ${cell(objects['channels'])}   queues ${cell(objects['queues'])}   consumers ${cell(objects['consumers'])}`,
    `ready ${count(Number(totals['messages_ready'] ?? 0))}   unacked ${count(Number(totals['messages_unacknowledged'] ?? 0))}   ` +
      `publish ${at1('publish')}/s   confirm ${at1('confirm')}/s   deliver ${at1('deliver_get')}/s   ack ${at1('ack')}/s   unroutable ${at1('drop_unroutable')}/s`,
  ];
  const chosen = columns[layout.view];
  const left = layout.width - chosen.reduce((sum, { width }) => sum + (width === 0 ? 0 : width + 1), 0);
  const widthOf = (column: Column): number => (column.width === 0 ? Math.max(12, left) : column.width);
  const line = (parts: (column: Column) => string): string =>
    chosen.map(column => fit(parts(column), widthOf(column), column.width !== 0 && isNumeric(column))).join(' ');
  const title = (column: Column): string => `${column.title}${column.key === layout.sort ? (layout.isReverse ? '▾' : '▴') : ''}`;
  const rows = items.slice(0, Math.max(0, layout.height - frameLines)).map(item => line(column => column.value(item)));
  const shown = total === 0 ? 'none' : `${layout.offset + 1} to ${layout.offset + rows.length} of ${total}`;
  const keys = `q quit   tab ${layout.view === 'queues' ? 'connections' : 'queues'}   sort ${chosen.map(({ hotkey }) => hotkey).join(' ')}   R reverse   ↑↓ page   ${shown}`;
  const filler = Array.from({ length: Math.max(0, layout.height - frameLines - rows.length) }, () => '');
  return [...header, '', line(title), ...rows, ...filler, layout.notice === '' ? keys : layout.notice].map(text =>
    clip(text, layout.width),
  );
}

function isNumeric({ key }: Column): boolean {
  return !['name', 'vhost', 'state', 'user', 'protocol'].includes(key);
}

function fit(text: string, width: number, isRight: boolean): string {
  const short = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
  return isRight ? short.padStart(width) : short.padEnd(width);
}

function clip(text: string, width: number): string {
  return text.length > width ? text.slice(0, width) : text;
}

export function count(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 10_000_000) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 100_000) return `${(value / 1000).toFixed(0)}k`;
  return String(Math.round(value));
}

export function perSecond(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

export function bytes(value: number): string {
  if (!Number.isFinite(value) || value <= 0) return '-';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
    .map(part => String(part).padStart(2, '0'))
    .join(':');
  return days > 0 ? `${days}d ${clock}` : clock;
}
