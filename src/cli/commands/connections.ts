import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import { badArgument, CliError, exitCodes } from '../cli-error.ts';
import { type Command, commandsOf, segment } from '../command.ts';
import { requireVhost } from './missing.ts';
import { encodeReason } from './users.ts';

const define = commandsOf('Operations', ['rabbitmqctl']);

export const connections: readonly Command[] = [
  define(
    'close_connection <connection> <reason>',
    [2, 2],
    'Instructs the broker to close a connection. It is named as list_connections shows it in the columns pid and name.',
    ['close_connection "127.0.0.1:50000 -> 127.0.0.1:5672" "maintenance"'],
    async ({ api, out, args }) => {
      const [name = '', reason = ''] = args;
      out.say(`Closing connection ${name}, reason: ${reason}...`);
      try {
        await api.delete(`/connections/${segment(name)}`, { 'x-reason': encodeReason(reason) });
      } catch (error) {
        // Gone is what was wanted.
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        if (!name.includes('->') && !name.startsWith('<')) throw new CliError(`there is no connection '${name}'`, exitCodes.unavailable);
      }
    },
  ),
  define(
    'close_all_connections [--vhost <vhost> | --global] [--limit <count>] [--per-connection-delay <milliseconds>] <reason>',
    [1, 1],
    'Instructs the broker to close all connections for the specified vhost, or all there are.',
    ['close_all_connections -p shop "maintenance"', 'close_all_connections --global --per-connection-delay 50 "maintenance"'],
    async context => {
      const { api, out, args, options, vhost } = context;
      const [reason = ''] = args;
      const limit = Number(options.get('limit') ?? 0);
      const delay = Number(options.get('per-connection-delay') ?? 0);
      if (limit < 0 || delay < 0) throw badArgument('limit and delay are not negative');
      const isGlobal = options.has('global');
      out.say(
        `Closing all connections ${isGlobal ? '' : `in vhost ${vhost}, `}reason: ${reason}...`.replace(
          'connections reason',
          'connections, reason',
        ),
      );
      if (!isGlobal) await requireVhost(context);
      const list = await api.list(isGlobal ? '/connections?columns=name' : `/vhosts/${segment(vhost)}/connections?columns=name`);
      const chosen = limit > 0 ? list.slice(0, limit) : list;
      for (const { name } of chosen) {
        try {
          await api.delete(`/connections/${segment(String(name))}`, { 'x-reason': encodeReason(reason) });
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) throw error;
        }
        if (delay > 0) await sleep(delay);
      }
      out.done(`Closed ${chosen.length} connections`);
    },
    { options: ['global', 'limit', 'per-connection-delay'] },
  ),
];
