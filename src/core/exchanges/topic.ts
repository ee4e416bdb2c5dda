// hot path: see docs/STYLE.md
import { limits } from '../limits.ts';
import type { ExchangeType, KeyRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';
import { hashWord, type TopicNode, TopicTrie } from './topic-trie.ts';

const dot = 46;
let lastStamp = 0;

/**
 * Binding keys as a trie, matched with a set of states: every node is looked at once per word at most, so that keys like `#.#.#.#.x` cost
 * no more than their length times the routing key's. `#.#` means what `#` means and is stored as one.
 */
class TopicRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  readonly #trie = new TopicTrie();
  /** Nodes reached so far; what stands behind the count of a step is of no meaning. */
  readonly #states: TopicNode[] = [];
  readonly #nextStates: TopicNode[] = [];
  /** Where the words of the key at hand end, and their hashes. */
  #ends = new Int32Array(limits.nameBytesMax + 1);
  #hashes = new Int32Array(limits.nameBytesMax + 1);

  check(): void {}

  bind(target: Target, key: string): void {
    let node = this.#trie.root;
    for (const word of wordsOf(key)) node = this.#trie.childFor(node, word);
    (node.targets ??= []).push(target);
  }

  unbind(target: Target, key: string): void {
    let node = this.#trie.root;
    for (const word of wordsOf(key)) {
      const next = this.#trie.child(node, word);
      if (next === null) return;
      node = next;
    }
    const index = node.targets?.indexOf(target) ?? -1;
    if (node.targets === null || index < 0) return;
    node.targets.splice(index, 1);
    if (node.targets.length === 0) node.targets = null;
    while (node.parent !== null && node.isEmpty) {
      this.#trie.remove(node);
      node = node.parent;
    }
  }

  route(key: string, out: RouteCollector): void {
    const wordCount = this.#split(key);
    const trie = this.#trie;
    let states = this.#states;
    let next = this.#nextStates;
    let count = enter(trie.root, states, 0, ++lastStamp);
    let start = 0;
    for (let at = 0; at < wordCount && count > 0; at++) {
      const end = this.#ends[at] as number;
      const hash = this.#hashes[at] as number;
      const stamp = ++lastStamp;
      let nextCount = 0;
      for (let i = 0; i < count; i++) {
        const node = states[i] as TopicNode;
        if (node.isHash) nextCount = enter(node, next, nextCount, stamp);
        if (node.star !== null) nextCount = enter(node.star, next, nextCount, stamp);
        if (node.wordCount > 0) {
          const exact = trie.find(node, hash, key, start, end);
          if (exact !== null) nextCount = enter(exact, next, nextCount, stamp);
        }
      }
      const swap = states;
      states = next;
      next = swap;
      count = nextCount;
      start = end + 1;
    }
    for (let i = 0; i < count; i++) {
      const targets = (states[i] as TopicNode).targets;
      if (targets !== null) for (let t = 0; t < targets.length; t++) out.add(targets[t] as Target);
    }
  }

  /** Finds the words of a routing key; returns how many there are. */
  #split(key: string): number {
    // The empty key has no words, and so fits '#' but not '*'.
    if (key === '') return 0;
    if (key.length >= this.#ends.length) {
      this.#ends = new Int32Array(key.length + 1);
      this.#hashes = new Int32Array(key.length + 1);
    }
    let count = 0;
    let start = 0;
    for (let at = 0; at <= key.length; at++) {
      if (at < key.length && key.charCodeAt(at) !== dot) continue;
      this.#ends[count] = at;
      this.#hashes[count] = hashWord(key, start, at);
      count++;
      start = at + 1;
    }
    return count;
  }
}

/** Takes a node into the states, with the `#` node behind it, which may swallow nothing. Returns how many there are then. */
function enter(start: TopicNode, states: TopicNode[], count: number, stamp: number): number {
  let size = count;
  for (let node: TopicNode | null = start; node !== null && node.stamp !== stamp; node = node.hash) {
    node.stamp = stamp;
    states[size++] = node;
  }
  return size;
}

function wordsOf(key: string): string[] {
  if (key === '') return [];
  return key.split('.').filter((word, index, words) => !(word === '#' && words[index - 1] === '#'));
}

/** Words separated by dots; `*` stands for one word, `#` for any number. [AMQP 0-9-1, topic exchange type] */
export const topic: ExchangeType = {
  name: 'topic',
  description: 'AMQP topic exchange, as per the AMQP specification',
  check() {},
  create: () => new TopicRoutes(),
};
