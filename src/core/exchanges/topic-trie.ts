// hot path: see docs/STYLE.md
import { randomBytes } from 'node:crypto';
import type { Target } from './exchange-type.ts';

/** A word of a binding key in the trie. `#` nodes stay where they are while they swallow words. */
export class TopicNode {
  readonly parent: TopicNode | null;
  readonly word: string;
  readonly wordHash: number;
  readonly isHash: boolean;
  /** Children by a word of their own; those are in the trie's table. */
  wordCount = 0;
  star: TopicNode | null = null;
  hash: TopicNode | null = null;
  targets: Target[] | null = null;
  /** Last step that took this node into the set of states: keeps duplicates out. */
  stamp = 0;
  /** Differs from node to node: mixed into the hashes of its children's words. */
  readonly seed: number;

  constructor(parent: TopicNode | null, word: string, wordHash: number, isHash: boolean) {
    this.parent = parent;
    this.word = word;
    this.wordHash = wordHash;
    this.isHash = isHash;
    this.seed = parent === null ? 0 : Math.imul(parent.seed ^ wordHash, 0x5bd1e995) + (isHash ? 1 : word === '*' ? 2 : 3);
  }

  get isEmpty(): boolean {
    return this.targets === null && this.star === null && this.hash === null && this.wordCount === 0;
  }
}

const slotsMin = 16;
/** Unknown to whoever makes up binding keys, so that nobody can have them all fall into one slot. */
const multiplier = randomBytes(4).readInt32LE() | 1;

export function hashWord(text: string, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, multiplier) + text.charCodeAt(i)) | 0;
  return hash ^ (hash >>> 15);
}

/**
 * The nodes of a topic exchange. The children that stand for a word are in one table for the whole trie, found by parent and hash of the
 * word (open addressing, linear probing), so that looking for a word in the middle of a routing key makes no string of it.
 */
export class TopicTrie {
  readonly root = new TopicNode(null, '', 0, false);
  #slots: (TopicNode | null)[] = Array.from<TopicNode | null>({ length: slotsMin }).fill(null);
  #count = 0;

  /** The child for the word of `text` from `start` to `end`; null when there is none. */
  find(parent: TopicNode, wordHash: number, text: string, start: number, end: number): TopicNode | null {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = slotOf(parent, wordHash) & mask; ; at = (at + 1) & mask) {
      const node = slots[at] as TopicNode | null;
      if (node === null) return null;
      if (node.wordHash === wordHash && node.parent === parent && isWord(node.word, text, start, end)) return node;
    }
  }

  /** The child for a word of a binding key, or null. */
  child(parent: TopicNode, word: string): TopicNode | null {
    if (word === '*') return parent.star;
    if (word === '#') return parent.hash;
    return this.find(parent, hashWord(word, 0, word.length), word, 0, word.length);
  }

  /** The same, made when it is not there. */
  childFor(parent: TopicNode, word: string): TopicNode {
    const existing = this.child(parent, word);
    if (existing !== null) return existing;
    const node = new TopicNode(parent, word, hashWord(word, 0, word.length), word === '#');
    if (word === '*') parent.star = node;
    else if (word === '#') parent.hash = node;
    else this.#insert(parent, node);
    return node;
  }

  /** Takes an empty node out. */
  remove(node: TopicNode): void {
    const parent = node.parent as TopicNode;
    if (parent.star === node) parent.star = null;
    else if (parent.hash === node) parent.hash = null;
    else this.#delete(parent, node);
  }

  #insert(parent: TopicNode, node: TopicNode): void {
    parent.wordCount++;
    this.#count++;
    if (this.#count * 2 > this.#slots.length) this.#resize(this.#slots.length * 2);
    place(this.#slots, node);
  }

  #delete(parent: TopicNode, node: TopicNode): void {
    parent.wordCount--;
    this.#count--;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = slots.indexOf(node, slotOf(parent, node.wordHash) & mask);
    if (hole < 0) hole = slots.indexOf(node);
    // What follows in the run moves up, so that nobody stops searching at the hole.
    for (let at = (hole + 1) & mask; slots[at] !== null; at = (at + 1) & mask) {
      const other = slots[at] as TopicNode;
      const home = slotOf(other.parent as TopicNode, other.wordHash) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = other;
      hole = at;
    }
    slots[hole] = null;
    if (this.#count * 8 < slots.length && slots.length > slotsMin) this.#resize(slots.length / 2);
  }

  #resize(size: number): void {
    const old = this.#slots;
    // Array.from goes through an iterator: 14 ms for half a million places, this 1.
    this.#slots = new Array<TopicNode | null>(size).fill(null);
    for (const node of old) if (node !== null) place(this.#slots, node);
  }
}

function place(slots: (TopicNode | null)[], node: TopicNode): void {
  const mask = slots.length - 1;
  let at = slotOf(node.parent as TopicNode, node.wordHash) & mask;
  while (slots[at] !== null) at = (at + 1) & mask;
  slots[at] = node;
}

function slotOf(parent: TopicNode, wordHash: number): number {
  const hash = Math.imul(wordHash ^ parent.seed, 0x2c1b3c6d);
  return hash ^ (hash >>> 14);
}

function isWord(word: string, text: string, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let i = 0; i < word.length; i++) if (word.charCodeAt(i) !== text.charCodeAt(start + i)) return false;
  return true;
}
