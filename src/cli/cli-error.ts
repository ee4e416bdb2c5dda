/** Exit codes of RabbitMQ's tools, from sysexits.h. */
export const exitCodes = { usage: 64, data: 65, noUser: 67, unavailable: 69, software: 70 } as const;

/** A failure to be told in a line. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.software) {
    super(message);
    this.exitCode = exitCode;
  }
}
