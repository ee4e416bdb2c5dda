import { randomBytes } from 'node:crypto';

/** A name that no other run uses, so that runs can share a broker. */
export function uniqueName(label: string): string {
  return `conformance.${label}.${randomBytes(6).toString('hex')}`;
}
