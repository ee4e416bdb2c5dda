// Documents name the tests that hold what they say: `integration/amqp/abuse` is a file, what stands behind it a title in it. Here they are found.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** One row of a table whose last column names tests. */
export interface ProofRow {
  /** The first column: what the row is about. */
  readonly subject: string;
  readonly line: number;
  /** The last column, as written. */
  readonly proof: string;
}

/** Where a test with this short name can be: below test/, beside the source, among the real clients, or a script of frames; or a folder of tests. */
function candidates(name: string): string[] {
  const script = name.replace(/^differential\//, 'test/differential/scripts/');
  return [
    `test/${name}.test.ts`,
    `test/${name}.property.test.ts`,
    `src/${name}.test.ts`,
    `${name}.test.ts`,
    `${name}/${name.split('/').at(-1)}.test.ts`,
    `${script}.txt`,
    `test/${name}`,
    `src/${name}`,
  ];
}

/** The path of the test that a document calls by this name, below the repository; null when there is none. */
export function pathOfTest(name: string): string | null {
  return candidates(name).find(path => existsSync(join(root, path))) ?? null;
}

/** The titles of a test file or of a script of frames, as patterns: what is filled in at run time may be anything. */
function titlesOf(path: string): RegExp[] {
  if (statSync(join(root, path)).isDirectory()) return [];
  const text = readFileSync(join(root, path), 'utf8');
  if (path.endsWith('.txt')) return [...text.matchAll(/^## case: (.+)$/gm)].map(match => pattern(match[1] ?? ''));
  const called = /\b(?:test|it|describe|check)\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/g;
  return [...text.matchAll(called)].map(match => pattern((match[1] ?? match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1')));
}

function pattern(title: string): RegExp {
  const literal = title.split(/\$\{[^}]*\}/).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.+')}$`);
}

/** Why a proof is none: `` `file` title``, several of them divided by `<br>`. Empty when every file and title is there. */
export function faultsOfProof(proof: string): string[] {
  return proof.split('<br>').flatMap(each => {
    const match = /^`([^`]+)` (.+)$/.exec(each.trim());
    if (match === null) return [`"${each.trim()}" is not a file in backticks and a title`];
    const [, name = '', title = ''] = match;
    const path = pathOfTest(name);
    if (path === null) return [`there is no test file ${name}`];
    return titlesOf(path).some(known => known.test(title)) ? [] : [`${path} has no test "${title}"`];
  });
}

/** The rows of all tables of a document whose last column is called `test`. */
export function proofRows(document: string): ProofRow[] {
  const rows: ProofRow[] = [];
  let isInTable = false;
  for (const [index, line] of readFileSync(join(root, document), 'utf8').split('\n').entries()) {
    if (!line.startsWith('|')) {
      isInTable = false;
      continue;
    }
    const cells = line.split('|').map(cell => cell.trim());
    const last = cells.at(-2) ?? '';
    if (last === 'test') isInTable = true;
    else if (isInTable && !/^-+$/.test(last)) rows.push({ subject: cells[1] ?? '', line: index + 1, proof: last });
  }
  return rows;
}
