// Runs the project's tests on node:test. With no argument: every suite of `suites` in order; with arguments: those suites or files.
//   node tools/run-tests.ts [unit|property|contract|transcript|integration|sim|... | FILE ...]
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Suite name -> the files it runs. Order is the order in which a full run takes them: fast and narrow first. */
const suites: Record<string, string[]> = {
  unit: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'test/support/**/*.test.ts'],
  property: ['test/property/**/*.test.ts'],
  contract: ['test/contract/**/*.test.ts'],
  transcript: ['test/transcript/**/*.test.ts'],
  sim: ['test/sim/**/*.test.ts'],
  integration: ['test/integration/**/*.test.ts'],
  differential: ['test/differential/**/*.test.ts'],
  ui: ['test/ui/**/*.test.ts'],
  crash: ['test/crash/**/*.test.ts'],
  upgrade: ['test/upgrade/**/*.test.ts'],
  fuzz: ['test/fuzz/**/*.test.ts'],
  conformance: ['conformance/**/*.test.ts'],
};

const wanted = process.argv.slice(2).filter(argument => !argument.startsWith('--'));
const flags = process.argv.slice(2).filter(argument => argument.startsWith('--'));
const patterns = (wanted.length > 0 ? wanted : Object.keys(suites)).flatMap(name => suites[name] ?? [name]);
const files = [
  ...new Set(patterns.flatMap(pattern => (existsSync(join(root, pattern)) ? [pattern] : globSync(pattern, { cwd: root }).sort()))),
].filter(file => !file.includes('node_modules'));
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`);
  process.exit(1);
}
const failedFile = join(mkdtempSync(join(tmpdir(), 'warren-tests-')), 'failed');

function run(chosen: readonly string[]): { status: number; failed: string[] } {
  // Without --test-force-exit: that ends a process before a slow reader of its report has got all of it.
  const reporter = process.env.TEST_REPORTER ?? 'spec';
  const result = spawnSync(
    process.execPath,
    [
      '--test',
      '--import',
      './tools/open-handles.js',
      '--test-timeout=300000',
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./tools/failed-files-reporter.js',
      `--test-reporter-destination=${failedFile}`,
      ...flags,
      ...chosen,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const failed = existsSync(failedFile)
    ? readFileSync(failedFile, 'utf8')
        .split('\n')
        .filter(line => line !== '')
    : [];
  return { status: result.status ?? 1, failed };
}

/** The test files to run again. A test that a module between them has made may be of any file of that suite. */
function filesOf(failed: readonly string[]): string[] {
  const again = new Set<string>();
  for (const path of failed) {
    const name = relative(root, path);
    const [suite] = name.split(sep);
    for (const file of files) if (file === name || (!files.includes(name) && file.startsWith(`${suite}${sep}`))) again.add(file);
  }
  return [...again];
}

let result = run(files);
// Real clients with real time in them fail now and then on a busy machine. In CI what failed gets a second try, alone and plainly told.
if (result.status !== 0 && process.env.CI === 'true' && result.failed.length > 0 && result.failed.length <= 12) {
  const again = filesOf(result.failed);
  console.log(`\nfailed at the first try, run again alone:\n${again.map(file => `  ${file}`).join('\n')}\n`);
  result = run(again);
}
process.exit(result.status);
