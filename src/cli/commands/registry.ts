// Every command: an import and a line for each group.
import type { Command } from '../command.ts';
import type { Tool } from '../tool.ts';
import { cluster } from './cluster.ts';
import { completion } from './completion.ts';
import { connections } from './connections.ts';
import { definitions } from './definitions.ts';
import { environment } from './environment.ts';
import { explained } from './explained.ts';
import { features } from './features.ts';
import { health } from './health.ts';
import { limits } from './limits.ts';
import { listings } from './listings.ts';
import { live } from './live.ts';
import { logs } from './logs.ts';
import { messages } from './messages.ts';
import { node } from './node.ts';
import { parameters } from './parameters.ts';
import { permissions } from './permissions.ts';
import { plugins } from './plugins.ts';
import { policies } from './policies.ts';
import { queues } from './queues.ts';
import { resources } from './resources.ts';
import { scheduled } from './scheduled.ts';
import { status } from './status.ts';
import { users } from './users.ts';
import { vhosts } from './vhosts.ts';

/** All commands; those of rabbitmq-plugins have names that mean something only there. */
export const allCommands: readonly Command[] = [
  ...live,
  ...node,
  ...status,
  ...health,
  ...cluster,
  ...users,
  ...permissions,
  ...vhosts,
  ...listings,
  ...connections,
  ...queues,
  ...messages,
  ...scheduled,
  ...policies,
  ...parameters,
  ...limits,
  ...definitions,
  ...features,
  ...resources,
  ...environment,
  ...logs,
  ...completion,
  ...plugins,
  ...explained,
];

export function commandsOfTool(tool: Tool): Command[] {
  if (tool !== 'warrenctl') return allCommands.filter(({ tools }) => tools.includes(tool));
  return allCommands.filter(({ tools }) => !(tools.length === 1 && tools[0] === 'rabbitmq-plugins'));
}

/** A tool's command, or else that of another tool: which one has it is easily mixed up. */
export function findCommand(tool: Tool, name: string): Command | undefined {
  const named = (command: Command): boolean => command.name === name;
  return commandsOfTool(tool).find(named) ?? commandsOfTool('warrenctl').find(named);
}

/** The command whose name is nearest, for who mistyped it; null when none is near. */
export function similarCommand(tool: Tool, name: string): string | null {
  let best: string | null = null;
  let least = Math.min(3, Math.ceil(name.length / 3)) + 1;
  for (const command of commandsOfTool(tool)) {
    const distance = editDistance(name.slice(0, 60), command.name);
    if (distance < least) {
      least = distance;
      best = command.name;
    }
  }
  return best;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
