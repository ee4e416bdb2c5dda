// Builds the package's JavaScript into dist/: each program, and the library, in one file of what it always loads and some of what it loads when
// that is used. A start opens three files then, not three hundred. Declarations are tsc's.
//   node tools/build-code.ts
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, type Metafile, type Plugin, build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist');

/** What is loaded first, and the module from which on everything it imports is always there. */
const entries = [
  { entry: 'src/index.ts', base: 'src/index.ts' },
  { entry: 'src/server/main.ts', base: 'src/server/serve.ts' },
  { entry: 'src/cli/main.ts', base: 'src/cli/main.ts' },
];

/** Modules that are loaded on demand by what a module imports, or by what those import. */
function loadedOnDemand(base: string, inputs: Metafile['inputs']): Set<string> {
  const onDemand = new Set<string>();
  const seen = new Set([base]);
  for (const module of seen) {
    for (const { path, kind } of inputs[module]?.imports ?? []) {
      if (kind === 'dynamic-import') onDemand.add(path);
      seen.add(path);
    }
  }
  onDemand.delete(base);
  return onDemand;
}

/**
 * Has each module that is loaded on demand import what is there anyway. A file of the output holds what the same entries need: without this,
 * what is always loaded would be torn into as many files as there are combinations.
 */
function importingBase(base: string, onDemand: ReadonlySet<string>): Plugin {
  return {
    name: 'importing-base',
    setup(pass) {
      pass.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        if (!onDemand.has(relative(root, path).replaceAll('\\', '/'))) return undefined;
        const contents = `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(join(root, base))};\n`;
        return { contents, loader: 'ts' };
      });
    },
  };
}

for (const { entry, base } of entries) {
  const chunks = `chunks/${entry.split('/')[1]?.replace('.ts', '')}`;
  // Those of an earlier build have other names.
  rmSync(join(target, chunks), { recursive: true, force: true });
  const options: BuildOptions = {
    absWorkingDir: root,
    entryPoints: [entry],
    outbase: 'src',
    outdir: target,
    chunkNames: `${chunks}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    // What package.json asks for.
    target: 'node22.18',
    legalComments: 'none',
    logLevel: 'warning',
  };
  const { metafile } = await build({ ...options, metafile: true, write: false });
  await build({ ...options, plugins: [importingBase(base, loadedOnDemand(base, metafile.inputs))] });
}
