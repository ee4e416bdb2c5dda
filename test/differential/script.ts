// The text format of scripts and recordings.
//
//   # a comment
//   ## case: name of the case
//   ## needs: users                the broker must have the users, virtual hosts and limits (or `policies`) of definitions.json
//   ## unordered                   frames of one step are compared as a set
//   ## ignore: closed              whether and when the server ends the TCP connection is not compared
//   ## note: text                  for the reader
//   ## differs: reason             only in differs/: WarrenMQ answers otherwise than RabbitMQ on purpose
//   c1.1 queue.declare queue=q1    one step: commands separated by ` ; ` are written at once
//     c1.1 < queue.declare-ok ...  (recordings only) what the server sent after that step
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TextReader } from './field-value.ts';
import type { Argument } from './frames.ts';

export interface Case {
  readonly file: string;
  readonly name: string;
  readonly needs: string | null;
  readonly isUnordered: boolean;
  readonly ignoresClose: boolean;
  readonly differs: string | null;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly text: string;
  /** The frames seen after the step, one line each; empty in scripts. */
  readonly replies: readonly string[];
}

/** Splits the text of a script or recording in cases. Throws SyntaxError on a line outside a case and on a name used twice. */
export function parseCases(file: string, text: string): Case[] {
  type Draft = { -readonly [K in Exclude<keyof Case, 'steps'>]: Case[K] } & { steps: { text: string; replies: string[] }[] };
  const cases: Draft[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || (trimmed.startsWith('#') && !trimmed.startsWith('## '))) continue;
    const directive = /^## ([a-z]+)(?:: (.*))?$/.exec(trimmed);
    const current = cases.at(-1);
    if (directive?.[1] === 'case') {
      const name = directive[2] ?? '';
      if (cases.some(other => other.name === name)) throw new SyntaxError(`${file}: two cases are called "${name}"`);
      cases.push({ file, name, needs: null, isUnordered: false, ignoresClose: false, differs: null, steps: [] });
    } else if (current === undefined) {
      throw new SyntaxError(`${file}: line outside a case: ${trimmed}`);
    } else if (directive !== null) {
      const value = directive[2] ?? '';
      if (directive[1] === 'needs') current.needs = value;
      else if (directive[1] === 'unordered') current.isUnordered = true;
      else if (directive[1] === 'ignore' && value === 'closed') current.ignoresClose = true;
      else if (directive[1] === 'differs') current.differs = value;
      else if (directive[1] !== 'note') throw new SyntaxError(`${file}: unknown directive ${trimmed}`);
    } else if (line.startsWith(' ')) {
      const step = current.steps.at(-1);
      if (step === undefined) throw new SyntaxError(`${file}: reply before any step: ${trimmed}`);
      step.replies.push(trimmed);
    } else {
      current.steps.push({ text: trimmed, replies: [] });
    }
  }
  return cases;
}

/** The recorded form of a case, ending in an empty line. */
export function printCase(played: Case): string {
  const lines = [`## case: ${played.name}`];
  if (played.differs !== null) lines.push(`## differs: ${played.differs}`);
  for (const step of played.steps) lines.push(step.text, ...step.replies.map(reply => `  ${reply}`));
  return `${lines.join('\n')}\n\n`;
}

/** All cases of a folder's `*.txt` files, in the order of file names. A missing folder has none. */
export function readCases(folder: string): Case[] {
  let files: string[];
  try {
    files = readdirSync(folder).filter(name => name.endsWith('.txt'));
  } catch {
    return [];
  }
  return files.sort().flatMap(name => parseCases(name.slice(0, -4), readFileSync(join(folder, name), 'utf8')));
}

export interface Command {
  /** `c1`, or the empty string for commands of the player itself (`wait`). */
  readonly connection: string;
  /** Null when the command addresses the connection. */
  readonly channel: number | null;
  readonly verb: string;
  readonly named: ReadonlyMap<string, Argument>;
  /** Arguments without a name, in order: the bytes of `raw`, `body`, `wait`. */
  readonly bare: readonly Buffer[];
}

const aliases: Record<string, string> = { tag: 'delivery-tag', key: 'routing-key' };

/** Reads the commands of one step. Throws SyntaxError. */
export function parseCommands(text: string): Command[] {
  const reader = new TextReader(text);
  const commands: Command[] = [];
  while (reader.at < text.length) {
    commands.push(parseCommand(reader));
    reader.skipSpaces();
  }
  return commands;
}

function parseCommand(reader: TextReader): Command {
  reader.skipSpaces();
  const target = reader.while(/\S/);
  const address = /^(c\d+)(?:\.(\d+))?$/.exec(target);
  reader.skipSpaces();
  const verb = address === null ? target : reader.while(/\S/);
  const named = new Map<string, Argument>();
  const bare: Buffer[] = [];
  for (;;) {
    reader.skipSpaces();
    if (reader.at >= reader.text.length || reader.take(';')) break;
    if (reader.text[reader.at] === '"') {
      bare.push(reader.quoted());
      continue;
    }
    const word = reader.while(/[^\s=]/);
    if (!reader.take('=')) {
      // A bit without a value is set; a number or a word alone is an argument without a name.
      if (verb === 'wait') bare.push(Buffer.from(word));
      else named.set(word, Buffer.from('true'));
      continue;
    }
    named.set(aliases[word] ?? word, parseArgument(reader));
  }
  return { connection: address?.[1] ?? '', channel: address?.[2] === undefined ? null : Number(address[2]), verb, named, bare };
}

function parseArgument(reader: TextReader): Argument {
  const next = reader.text[reader.at];
  if (next === '{') return reader.table();
  if (next === '"') return reader.quoted();
  return Buffer.from(reader.while(/\S/), 'utf8');
}
