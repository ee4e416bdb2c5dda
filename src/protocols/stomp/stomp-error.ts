import type { Header } from '../../wire/stomp/frame.ts';

/** What a client did wrong: the header `message` and the body of an ERROR frame. */
export class StompError extends Error {
  readonly detail: string;
  /** Whether the connection ends with it. RabbitMQ goes on after most of what a single frame got wrong. */
  readonly isFatal: boolean;
  readonly headers: readonly Header[];

  constructor(message: string, detail: string, { isFatal = false, headers = [] }: { isFatal?: boolean; headers?: readonly Header[] } = {}) {
    super(message);
    this.name = 'StompError';
    this.detail = detail;
    this.isFatal = isFatal;
    this.headers = headers;
  }
}

export function invalidHeader(detail: string): StompError {
  return new StompError('Invalid header', `${detail}\n`);
}

/** A name as RabbitMQ's texts print atoms: quoted unless they begin with a small letter. */
export function commandTerm(command: string): string {
  return `'${command}'`;
}
