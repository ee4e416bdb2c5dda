/** What went wrong, on one line: of OpenSSL's errors their own words, without addresses and file names. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return text.replace(/\s+/g, ' ').trim();
}
