import type { ExchangeType, KeyRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';

/** A word of a binding key in the trie. `#` nodes stay where they are while they swallow words. */
class Node {
  readonly isHash: boolean;
  words: Map<string, Node> | null = null;
  star: Node | null = null;
  hash: Node | null = null;
  targets: Target[] | null = null;
  /** Last step that took this node into the set of states: keeps duplicates out. */
  stamp = 0;

  constructor(isHash: boolean) {
    this.isHash = isHash;
  }

  get isEmpty(): boolean {
    return this.targets === null && this.star === null && this.hash === null && (this.words === null || this.words.size === 0);
  }
}

let lastStamp = 0;

/**
 * Binding keys as a trie, matched with a set of states: every node is looked at once per word at most, so that keys like `#.#.#.#.x` cost
 * no more than their length times the routing key's. `#.#` means what `#` means and is stored as one.
 */
class TopicRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  readonly #root = new Node(false);
  #states: Node[] = [];
  #nextStates: Node[] = [];

  check(): void {}

  bind(target: Target, key: string): void {
    let node = this.#root;
    for (const word of wordsOf(key)) node = childFor(node, word);
    (node.targets ??= []).push(target);
  }

  unbind(target: Target, key: string): void {
    const words = wordsOf(key);
    const path: Node[] = [this.#root];
    for (const word of words) {
      const next = child(path[path.length - 1] as Node, word);
      if (next === null) return;
      path.push(next);
    }
    const node = path[path.length - 1] as Node;
    const index = node.targets?.indexOf(target) ?? -1;
    if (node.targets === null || index < 0) return;
    node.targets.splice(index, 1);
    if (node.targets.length === 0) node.targets = null;
    for (let i = words.length - 1; i >= 0 && (path[i + 1] as Node).isEmpty; i--) cut(path[i] as Node, words[i] as string);
  }

  route(key: string, out: RouteCollector): void {
    let states = this.#states;
    let next = this.#nextStates;
    states.length = 0;
    enter(this.#root, states, ++lastStamp);
    for (const word of splitWords(key)) {
      next.length = 0;
      const stamp = ++lastStamp;
      for (let i = 0; i < states.length; i++) {
        const node = states[i] as Node;
        if (node.isHash) enter(node, next, stamp);
        if (node.star !== null) enter(node.star, next, stamp);
        const exact = node.words?.get(word);
        if (exact !== undefined) enter(exact, next, stamp);
      }
      const swap = states;
      states = next;
      next = swap;
      if (states.length === 0) break;
    }
    for (let i = 0; i < states.length; i++) {
      const targets = (states[i] as Node).targets;
      if (targets !== null) for (const target of targets) out.add(target);
    }
    this.#states = states;
    this.#nextStates = next;
  }
}

/** Takes a node into the states, with the `#` node behind it, which may swallow nothing. */
function enter(start: Node, states: Node[], stamp: number): void {
  for (let node: Node | null = start; node !== null && node.stamp !== stamp; node = node.hash) {
    node.stamp = stamp;
    states.push(node);
  }
}

/** A routing key without dots is one word; the empty key has one empty word in RabbitMQ only as a literal match of the empty pattern. */
function splitWords(key: string): string[] {
  return key === '' ? [] : key.split('.');
}

function wordsOf(key: string): string[] {
  return splitWords(key).filter((word, index, words) => !(word === '#' && words[index - 1] === '#'));
}

function child(node: Node, word: string): Node | null {
  if (word === '*') return node.star;
  if (word === '#') return node.hash;
  return node.words?.get(word) ?? null;
}

function childFor(node: Node, word: string): Node {
  if (word === '*') return (node.star ??= new Node(false));
  if (word === '#') return (node.hash ??= new Node(true));
  node.words ??= new Map();
  let next = node.words.get(word);
  if (next === undefined) {
    next = new Node(false);
    node.words.set(word, next);
  }
  return next;
}

function cut(node: Node, word: string): void {
  if (word === '*') node.star = null;
  else if (word === '#') node.hash = null;
  else node.words?.delete(word);
}

/** Words separated by dots; `*` stands for one word, `#` for any number. [AMQP 0-9-1, topic exchange type] */
export const topic: ExchangeType = {
  name: 'topic',
  description: 'AMQP topic exchange, as per the AMQP specification',
  check() {},
  create: () => new TopicRoutes(),
};
