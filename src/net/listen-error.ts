/** An address that cannot be listened on. The message is a sentence for the operator; `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;

  constructor(where: string, cause: unknown) {
    const code = codeOf(cause);
    super(`cannot listen on ${where}: ${explanations[code] ?? (cause instanceof Error ? cause.message : String(cause))}`, { cause });
    this.code = code;
  }
}

const explanations: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use, perhaps by another broker',
  EACCES: 'permission denied (ports below 1024 are reserved for the superuser)',
  EPERM: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAFNOSUPPORT: 'this machine has no addresses of that kind',
  ENOENT: 'the directory does not exist',
  ENOTFOUND: 'the name is unknown',
  EINVAL: 'the address is not valid',
  EMFILE: 'the process has too many files open',
  ENFILE: 'the system has too many files open',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
