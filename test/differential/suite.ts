// The scripts with what is expected of a broker: RabbitMQ's recording, or our own answer where we differ on purpose.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, readCases } from './script.ts';

const here = dirname(fileURLToPath(import.meta.url));

export const scriptsFolder = join(here, 'scripts');
export const recordedFolder = join(here, 'recorded', 'rabbitmq-3.10');
export const differsFolder = join(here, 'differs');

export interface SuiteCase {
  readonly script: Case;
  readonly recorded: Case | null;
  /** WarrenMQ's own answer with its reason; null when it must equal the recording. */
  readonly differs: Case | null;
}

/** All cases, or those of `only`: `file` or `file:part of the case's name`. */
export function readSuite(only: string | null = null): SuiteCase[] {
  const recorded = readCases(recordedFolder);
  const differs = readCases(differsFolder);
  const [file, name] = only === null ? [null, null] : [only.split(':')[0], only.split(':').slice(1).join(':')];
  return readCases(scriptsFolder)
    .filter(script => (file === null || script.file === file) && (name === null || script.name.includes(name)))
    .map(script => {
      const same = (other: Case): boolean => other.file === script.file && other.name === script.name;
      return { script, recorded: recorded.find(same) ?? null, differs: differs.find(same) ?? null };
    });
}

/** True for cases that wait a second or more, or until a handshake is silently closed. They declare nothing, so many can be played side by side. */
export function isSlow(script: Case): boolean {
  return script.steps.some(step => /^wait \d{4}/.test(step.text)) || script.name.includes('closes silently');
}

/** Plays the slow cases at the same time, then the others one after the other; `play` gets each. */
export async function playSuite(entries: readonly SuiteCase[], play: (entry: SuiteCase) => Promise<void>): Promise<void> {
  await Promise.all(entries.filter(entry => isSlow(entry.script)).map(play));
  for (const entry of entries) if (!isSlow(entry.script)) await play(entry);
}
