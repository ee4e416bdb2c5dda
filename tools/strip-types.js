// Makes plain JavaScript of src/ in node_modules/.cache/warren, so that a program starts without Node's type stripper: that takes 30 MB of
// memory and most of the start. Only what has changed is made anew. Line numbers stay, and stack traces name the source.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Another checkout's node_modules, which this one only links to, has that one's JavaScript. */
const isLinked = lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
const cache = isLinked ? join(root, '.cache', 'warren') : join(root, 'node_modules', '.cache', 'warren');
const manifestFile = join(cache, 'manifest.json');

/** A string that is a path to a source file beside or below this one: of imports, and of workers' URLs. */
const relativeSource = /(['"])(\.{1,2}\/[\w./-]+)\.ts\1/g;

/** Where the JavaScript of src/<name>.ts is. */
export function javascriptOf(name) {
  return join(cache, 'src', `${name}.js`);
}

/** Whether the JavaScript is that of the sources as they are. Takes a few milliseconds. */
export function isFresh() {
  try {
    return JSON.parse(readFileSync(manifestFile, 'utf8')).key === keyOf(sources());
  } catch {
    return false;
  }
}

/** The source files below src/, without tests: [path below src/, absolute path, what tells versions apart]. */
function sources(directory = join(root, 'src'), below = '') {
  const found = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const name = below + entry.name;
    if (entry.isDirectory()) found.push(...sources(path, `${name}/`));
    else if (name.endsWith('.ts') && !name.endsWith('.test.ts')) {
      const { mtimeMs, size } = statSync(path);
      found.push([name, path, `${mtimeMs} ${size}`]);
    }
  }
  return found;
}

function keyOf(files) {
  const hash = createHash('sha256').update(`${process.version}\0${root}\0`);
  for (const [name, , version] of files) hash.update(`${name}\0${version}\0`);
  return hash.digest('hex');
}

async function strip() {
  const { stripTypeScriptTypes } = await import('node:module');
  const files = sources();
  const key = keyOf(files);
  let known = {};
  try {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
    if (manifest.node === process.version && manifest.root === root) known = manifest.versions;
  } catch {
    rmSync(cache, { recursive: true, force: true });
  }
  const versions = {};
  for (const [name, path, version] of files) {
    versions[name] = version;
    const target = javascriptOf(name.slice(0, -'.ts'.length));
    if (known[name] === version && existsSync(target)) continue;
    const code = stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip' });
    mkdirSync(dirname(target), { recursive: true });
    replace(target, `${code.replace(relativeSource, '$1$2.js$1')}\n//# sourceURL=${pathToFileURL(path).href}\n`);
  }
  for (const name of Object.keys(known)) {
    if (!(name in versions)) rmSync(javascriptOf(name.slice(0, -'.ts'.length)), { force: true });
  }
  replace(join(cache, 'package.json'), '{"type":"module"}\n');
  // Last: it says that all the rest is there.
  replace(manifestFile, JSON.stringify({ key, node: process.version, root, versions }));
}

/** Whole or not at all: another program may start at the same time. */
function replace(file, text) {
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await strip();
