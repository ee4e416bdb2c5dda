import { reasonOf } from './reason.ts';

/** An address that cannot be listened on. The message is a sentence for the operator; `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(where: string, cause: unknown) {
    const code = codeOf(cause);
    const explanation = where.startsWith('/') ? (socketExplanations[code] ?? explanations[code]) : explanations[code];
    super(`cannot listen on ${where}: ${explanation ?? reasonOf(cause)}`, { cause });
    this.code = code;
  }
}

const explanations: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use, perhaps by another broker',
  EACCES: 'permission denied (ports below 1024 are reserved for the superuser)',
  EPERM: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no addresses of that kind',
  ENOTFOUND: 'the name is unknown',
  EINVAL: 'the address is not valid',
  EMFILE: 'the process has too many files open',
  ENFILE: 'the system has too many files open',
};

/** libuv says EACCES also for a directory that is not there. */
const socketExplanations: Readonly<Record<string, string>> = {
  EACCES: 'the directory does not exist or may not be written',
  EINVAL: 'the path is too long',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
