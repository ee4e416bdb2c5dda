// Compares a played case with its recording.
import type { Case } from './script.ts';

/** Null when equal, else a text for people: the whole case with `-` and `+` lines, or (brief) the steps that differ alone. */
export function difference(expected: Case, played: Case, isBrief = false): string | null {
  const lines: string[] = [];
  let isDifferent = false;
  for (const [index, step] of played.steps.entries()) {
    const wanted = expected.steps[index];
    if (wanted === undefined || wanted.text !== step.text)
      return `the script was changed after it was recorded: step ${index + 1} is now ${step.text}\n`;
    const isEqual = wanted.replies.length === step.replies.length && wanted.replies.every((reply, at) => reply === step.replies[at]);
    if (isEqual && isBrief) continue;
    lines.push(`    ${step.text}`);
    if (isEqual) lines.push(...step.replies.map(reply => `        ${reply}`));
    else {
      isDifferent = true;
      lines.push(...lineDifference(wanted.replies, step.replies));
    }
  }
  if (expected.steps.length !== played.steps.length) return 'the script was changed after it was recorded: another number of steps\n';
  return isDifferent ? `${played.file}: ${played.name}\n${lines.join('\n')}\n` : null;
}

/** `-` is expected and missing, `+` came and was not expected; a longest common subsequence keeps what is equal. */
function lineDifference(expected: readonly string[], actual: readonly string[]): string[] {
  const common: number[][] = Array.from({ length: expected.length + 1 }, () => Array.from({ length: actual.length + 1 }, () => 0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row !== undefined) row[j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      out.push(`        ${expected[i]}`);
      i++;
      j++;
    } else if (i < expected.length && (j >= actual.length || at(i + 1, j) >= at(i, j + 1))) out.push(`      - ${expected[i++]}`);
    else out.push(`      + ${actual[j++]}`);
  }
  return out;
}
