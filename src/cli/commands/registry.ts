// Every command, by name: an import and a line each.
import type { Command } from '../command.ts';
import { listings } from './listings.ts';
import { node } from './node.ts';
import { permissions } from './permissions.ts';
import { queues } from './queues.ts';
import { users } from './users.ts';

export const commands: ReadonlyMap<string, Command> = new Map(
  [...node, ...users, ...permissions, ...listings, ...queues].map(command => [command.name, command]),
);
