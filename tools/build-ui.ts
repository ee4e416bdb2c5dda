// Builds the web UI (ui/) into a folder: one page, its scripts and styles under names that carry a hash, and a compressed copy of each.
//   node tools/build-ui.ts [FOLDER [KEY]]     dist/ui by default, which goes into the package; KEY tells of which state of the sources it is
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = process.argv[2] ?? join(root, 'dist', 'ui');
/** Of what the first page loads, compressed: more is a failure of the build. */
const firstLoadBytesMax = 150_000;

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: { app: 'ui/src/main.tsx', style: 'ui/src/style/index.css' },
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
  outdir: target,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022', 'chrome110', 'firefox110', 'safari16'],
  minify: true,
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { 'process.env.NODE_ENV': '"production"' },
  metafile: true,
  write: false,
  logLevel: 'warning',
});

const files = new Map<string, Uint8Array>();
for (const file of outputFiles) files.set(relative(target, file.path).replaceAll('\\', '/'), file.contents);

/** The path of an entry's output below the target, and of the chunks it loads at once. */
function outputsOf(entryPoint: string): string[] {
  const names: string[] = [];
  const visit = (output: string): void => {
    const name = relative(target, join(root, output)).replaceAll('\\', '/');
    if (names.includes(name)) return;
    names.push(name);
    for (const { path, kind } of metafile.outputs[output]?.imports ?? []) if (kind === 'import-statement') visit(path);
  };
  for (const [output, { entryPoint: entry }] of Object.entries(metafile.outputs)) if (entry === entryPoint) visit(output);
  return names;
}

const scripts = outputsOf('ui/src/main.tsx');
const [style = ''] = outputsOf('ui/src/style/index.css');
const icon = readFileSync(join(root, 'ui', 'favicon.svg'));
const iconName = `assets/favicon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
files.set(iconName, icon);
files.set('favicon.svg', icon);
const page = readFileSync(join(root, 'ui', 'index.html'), 'utf8')
  .replace('{{style}}', style)
  .replace('{{icon}}', iconName)
  .replace('{{script}}', scripts[0] ?? '')
  .replace(
    '{{preload}}',
    scripts
      .slice(1)
      .map(name => `<link rel="modulepreload" href="${name}" />`)
      .join('\n    '),
  );
files.set('index.html', Buffer.from(page));

mkdirSync(dirname(target), { recursive: true });
const made = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
mkdirSync(join(made, 'assets'));
const compressed = new Map<string, number>();
for (const [name, bytes] of files) {
  const small = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  compressed.set(name, small.length);
  writeFileSync(join(made, name), bytes);
  writeFileSync(join(made, `${name}.gz`), small);
}
const firstLoad = ['index.html', style, ...scripts].reduce((sum, name) => sum + (compressed.get(name) ?? 0), 0);
if (firstLoad > firstLoadBytesMax) throw new Error(`the first load is ${firstLoad} bytes, more than ${firstLoadBytesMax}`);
if (process.argv[3] !== undefined) writeFileSync(join(made, 'key'), process.argv[3]);
rmSync(target, { recursive: true, force: true });
try {
  renameSync(made, target);
} catch (error) {
  // Another build was faster with the same.
  rmSync(made, { recursive: true, force: true });
  if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
}
console.log(`web UI: first load ${firstLoad} bytes compressed, ${files.size} files`);
