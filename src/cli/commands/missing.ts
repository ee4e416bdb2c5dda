import { orMissing } from '../api-error.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { segment } from '../command.ts';

export function noUser(name: string): CliError {
  return new CliError(`User "${name}" does not exist`, exitCodes.noUser);
}

export function noVhost(name: string): CliError {
  return new CliError(`Virtual host '${name}' does not exist`, exitCodes.data, 'plain');
}

export function noParameter(): CliError {
  return new CliError('Parameter does not exist', exitCodes.unavailable);
}

/** @throws CliError when there is no such virtual host */
export async function requireVhost({ api, vhost }: CommandContext, error: (name: string) => CliError = noVhost): Promise<void> {
  await orMissing(api.get(`/vhosts/${segment(vhost)}?columns=name`), () => error(vhost));
}

/** A user. @throws CliError when there is none of the name */
export async function requireUser({ api }: CommandContext, name: string): Promise<Record<string, unknown>> {
  return await orMissing(api.object(`/users/${segment(name)}`), () => noUser(name));
}

/** JSON of an argument. @throws CliError as RabbitMQ's tools when it is none */
export function jsonArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError('JSON decoding error. Reason: badarg', exitCodes.unavailable);
  }
}
