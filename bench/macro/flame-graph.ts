// A flame graph of a processor profile as one SVG: width is time, a caller stands below those it called, time with nothing to do is left out.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** What V8 writes with --cpu-prof. [Chrome DevTools Protocol: Profiler.Profile] */
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Frame {
  readonly name: string;
  readonly place: string;
  readonly isOurs: boolean;
  micros: number;
  readonly callees: Map<string, Frame>;
}

const widthPixels = 1600;
const rowPixels = 17;
/** Narrower frames are not drawn. */
const narrowestPixels = 0.6;

/** Copies the profile to `target`.cpuprofile and draws it to `target`.svg. */
export function writeFlameGraph(profile: string, target: string): void {
  copyFileSync(profile, `${target}.cpuprofile`);
  writeFileSync(`${target}.svg`, draw(gather(JSON.parse(readFileSync(profile, 'utf8')) as Profile)));
}

function gather(profile: Profile): Frame {
  const nodes = new Map(profile.nodes.map(node => [node.id, node]));
  const own = new Map<number, number>();
  profile.samples.forEach((id, i) => own.set(id, (own.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0)));
  const root: Frame = { name: 'all', place: '', isOurs: false, micros: 0, callees: new Map() };
  const add = (node: ProfileNode, caller: Frame): number => {
    const { functionName, url, lineNumber } = node.callFrame;
    if (functionName === '(idle)') return 0;
    const place = url === '' ? '' : `${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
    const key = `${functionName} ${place}`;
    let frame = caller.callees.get(key);
    if (frame === undefined) {
      const isOurs = url.startsWith('file:');
      frame = { name: functionName === '' ? '(anonymous)' : functionName, place, isOurs, micros: 0, callees: new Map() };
      caller.callees.set(key, frame);
    }
    let micros = own.get(node.id) ?? 0;
    for (const child of node.children ?? []) micros += add(nodes.get(child) as ProfileNode, frame);
    frame.micros += micros;
    return micros;
  };
  const first = profile.nodes[0];
  for (const child of first?.children ?? []) root.micros += add(nodes.get(child) as ProfileNode, root);
  return root;
}

function draw(root: Frame): string {
  const boxes: string[] = [];
  let depthMax = 0;
  const box = (frame: Frame, left: number, depth: number): void => {
    const width = (frame.micros / root.micros) * widthPixels;
    if (width < narrowestPixels) return;
    depthMax = Math.max(depthMax, depth);
    const title = escape(`${frame.name} ${frame.place} ${((frame.micros / root.micros) * 100).toFixed(1)} %`);
    const shown = width < 40 ? '' : escape(frame.name.slice(0, Math.floor(width / 6.5)));
    boxes.push(
      `<g transform="translate(${left.toFixed(1)},${-(depth + 1) * rowPixels})"><title>${title}</title><rect width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${rowPixels - 1}" fill="${colour(frame)}"/>${shown === '' ? '' : `<text x="3" y="12">${shown}</text>`}</g>`,
    );
    let at = left;
    for (const callee of [...frame.callees.values()].toSorted((one, other) => other.micros - one.micros)) {
      box(callee, at, depth + 1);
      at += (callee.micros / root.micros) * widthPixels;
    }
  };
  box(root, 0, 0);
  const height = (depthMax + 1) * rowPixels + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPixels} ${height}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/><g transform="translate(0,${height - 4})">${boxes.join('')}</g></svg>\n`;
}

/** The broker's own code is warm, Node's and the kernel's is cool. */
function colour({ isOurs, name }: Frame): string {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) % 30;
  return isOurs ? `hsl(${15 + hash} 85% 68%)` : `hsl(${200 + hash} 45% 75%)`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
