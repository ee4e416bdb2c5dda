// Client programs report their checks as TAP (Test Anything Protocol) lines; here every check becomes a subtest of the suite.
//   1..3
//   ok 1 - a queue can be declared
//   not ok 2 - a message comes back
//   # what was wrong, on as many lines as it takes
//   ok 3 - something # SKIP why
import type { TestContext } from 'node:test';
import { Program } from './program.ts';
import type { ProgramOptions } from './program.ts';

interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly skipReason: string | null;
  diagnosis: string;
}

interface Report {
  readonly checks: Check[];
  readonly planned: number | null;
  /** Name of the check that was under way when the output ended, or null. */
  readonly unfinished: string | null;
}

export function parseTap(output: string): Report {
  const checks: Check[] = [];
  let planned: number | null = null;
  let unfinished: string | null = null;
  for (const line of output.split('\n')) {
    const plan = /^1\.\.(\d+)$/.exec(line);
    const result = /^(not )?ok \d+ - (.*?)(?: # SKIP (.*))?$/.exec(line);
    const begun = /^# begin (.*)$/.exec(line);
    if (plan) planned = Number(plan[1]);
    else if (begun) unfinished = begun[1] ?? null;
    else if (result) {
      checks.push({ name: result[2] ?? '', isOk: result[1] === undefined, skipReason: result[3] ?? null, diagnosis: '' });
      unfinished = null;
    } else if (line.startsWith('# ') && checks.length > 0) {
      const last = checks[checks.length - 1];
      if (last) last.diagnosis += `${line.slice(2)}\n`;
    }
  }
  return { checks, planned, unfinished };
}

/**
 * Runs a program that reports TAP and makes a subtest of `t` of each of its checks, and one of the run as a whole: that it ran every check it
 * announced and ended with 0.
 */
export async function runChecks(t: TestContext, command: string, args: readonly string[], options: ProgramOptions): Promise<void> {
  await using program = new Program(command, args, options);
  let failure: Error | null = null;
  const result = await program.end(options.millisMax ?? 120_000).catch((error: Error) => {
    failure = error;
    return null;
  });
  const report = parseTap(program.stdout);
  for (const check of report.checks) {
    await t.test(check.name, { skip: check.skipReason ?? false }, () => {
      if (!check.isOk) throw new Error(check.diagnosis || 'failed without saying why');
    });
  }
  await t.test(`all ${report.planned ?? ''} checks were run`, () => {
    const during = report.unfinished ? ` during «${report.unfinished}»` : '';
    if (failure) throw new Error(`${failure.message}${during}`);
    if (report.planned === null || report.planned !== report.checks.length) {
      throw new Error(
        `${report.checks.length} of ${report.planned ?? 'an unknown number of'} checks reported; it ended${during}\n${program.output()}`,
      );
    }
    if (report.checks.length === 0) throw new Error('no check was run');
    const isGreen = report.checks.every(check => check.isOk);
    if (result && isGreen && result.code !== 0)
      throw new Error(`every check passed, but it ended with ${result.code ?? result.signal}\n${program.output()}`);
  });
}
