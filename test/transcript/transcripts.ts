import { readdirSync } from 'node:fs';
import { parseCases, type Step } from '../differential/script.ts';
import { playTranscript } from './player.ts';

/** The transcripts of a folder. */
export function transcriptFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.txt'))
    .sort();
}

/** The text of a transcript with what the broker does now in the place of what it did. */
export function retell(file: string, text: string): string {
  const steps: Step[] = parseCases(file, text).flatMap(each => playTranscript(each).steps);
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    // What the broker did is indented; comments, directives and empty lines stay as they are.
    if (line.startsWith(' ')) continue;
    lines.push(line);
    if (line.trim() === '' || line.startsWith('#')) continue;
    const step = steps.shift();
    if (step === undefined || step.text !== line.trim()) throw new Error(`${file}: lost my place at: ${line}`);
    lines.push(...step.replies.map(reply => `  ${reply}`));
  }
  return lines.join('\n');
}
