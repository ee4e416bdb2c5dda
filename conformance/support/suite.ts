// A client's suite: one broker, and one subtest for each of the client's programs.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor } from './broker-under-test.ts';
import { debianPhp, debianPython, debianRuby, ensureDebianPackages } from './debian.ts';
import { conformanceRoot, ensureNpmClients } from './install.ts';
import { runChecks } from './tap.ts';

const interpreters: Record<string, string> = { py: debianPython, rb: debianRuby, php: debianPhp, js: process.execPath };

export interface ClientSuite {
  /** Folder below conformance/, and the suite's name. */
  readonly client: string;
  /** Its programs, each of which reports TAP. */
  readonly programs: readonly string[];
  /** Where the client comes from: Debian's packages, or conformance/package.json. */
  readonly from: { readonly debian: readonly string[] } | 'npm';
  readonly env?: Record<string, string>;
  /** Name of the suite, when a client has more than one. */
  readonly name?: string;
  /** The programs use the HTTP API: skipped where the broker has none. */
  readonly needsHttp?: boolean;
}

/** Why a client's suite cannot be run on this machine, or null. Installs the client if that is all that is missing. */
async function bringClient(suite: ClientSuite): Promise<string | null> {
  if (suite.from !== 'npm') return ensureDebianPackages(...suite.from.debian);
  await ensureNpmClients();
  return null;
}

/** Defines the test that runs a client's programs against the broker under test. */
export function clientSuite(suite: ClientSuite): void {
  const directory = join(conformanceRoot, suite.client);
  void test(suite.name ?? suite.client, async t => {
    const reason = await bringClient(suite);
    if (reason) {
      t.skip(reason);
      return;
    }
    const broker = await brokerFor(t);
    if (suite.needsHttp && broker.httpUrl === null) {
      t.skip('needs the HTTP API of the broker (BROKER_HTTP_URL)');
      return;
    }
    for (const program of suite.programs) {
      const command = interpreters[program.split('.').pop() ?? ''];
      if (!command) throw new Error(`no interpreter is known for ${program}`);
      await t.test(program, inner =>
        runChecks(inner, command, [join(directory, program)], { cwd: directory, env: { ...broker.env, ...suite.env } }),
      );
    }
  });
}

/** All programs of a client's folder but `others`, which are no checks. Listing them by hand would leave a new one out unnoticed. */
export function programsIn(client: string, extension: string, others: readonly string[] = []): string[] {
  return readdirSync(join(conformanceRoot, client))
    .filter(file => file.endsWith(`.${extension}`) && !others.includes(file))
    .sort();
}
