/** Exit codes of RabbitMQ's tools, from sysexits.h. */
export const exitCodes = { usage: 64, data: 65, noUser: 67, unavailable: 69, software: 70 } as const;

/** How RabbitMQ's tools introduce an error: `Error:` and a line of its own, `Error (argument validation):` with the usage, or nothing. */
export type ErrorForm = 'execution' | 'validation' | 'plain';

/** A failure to be told in a line or a few. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly form: ErrorForm;

  constructor(message: string, exitCode: number = exitCodes.unavailable, form: ErrorForm = 'execution') {
    super(message);
    this.exitCode = exitCode;
    this.form = form;
  }
}

/** The arguments make no sense: the usage of the command is shown with it. */
export function invalid(message: string, exitCode: number = exitCodes.usage): CliError {
  return new CliError(message, exitCode, 'validation');
}

export function badArgument(message: string): CliError {
  return invalid(`Bad argument: ${message}`, exitCodes.data);
}
