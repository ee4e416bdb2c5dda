/** What a tree keeps: something with a routing key. */
export interface Keyed {
  readonly key: string;
}

class Node<T> {
  readonly children = new Map<string, Node<T>>();
  item: T | null = null;
}

/**
 * Items by routing key, found by patterns of a topic exchange: `*` is one word, `#` any number of them. Walking is lazy, so that a pattern
 * that matches everything can be followed in slices.
 */
export class RetainedTree<T extends Keyed> {
  readonly #root = new Node<T>();
  size = 0;

  get(key: string): T | null {
    let node: Node<T> | undefined = this.#root;
    for (const word of key.split('.')) {
      node = node.children.get(word);
      if (node === undefined) return null;
    }
    return node.item;
  }

  /** Puts the item to its key; returns what was there. */
  put(item: T): T | null {
    let node = this.#root;
    for (const word of item.key.split('.')) {
      let child = node.children.get(word);
      if (child === undefined) {
        child = new Node();
        node.children.set(word, child);
      }
      node = child;
    }
    const before = node.item;
    node.item = item;
    if (before === null) this.size++;
    return before;
  }

  /** Takes out what is at the key, and the branches that end there. */
  delete(key: string): T | null {
    const path: Node<T>[] = [this.#root];
    const words = key.split('.');
    for (const word of words) {
      const child = (path.at(-1) as Node<T>).children.get(word);
      if (child === undefined) return null;
      path.push(child);
    }
    const last = path.at(-1) as Node<T>;
    const { item } = last;
    if (item === null) return null;
    last.item = null;
    this.size--;
    for (let i = words.length; i > 0; i--) {
      const node = path[i] as Node<T>;
      if (node.item !== null || node.children.size > 0) break;
      (path[i - 1] as Node<T>).children.delete(words[i - 1] as string);
    }
    return item;
  }

  clear(): void {
    this.#root.children.clear();
    this.#root.item = null;
    this.size = 0;
  }

  /** All items. */
  *all(): Generator<T> {
    const stack: Node<T>[] = [this.#root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.item !== null) yield node.item;
      for (const child of node.children.values()) stack.push(child);
    }
  }

  /**
   * The items whose key the pattern matches. A null now and then, after nodes without an item, lets whoever walks have a rest. Wildcards in
   * front match no key that begins with `$`. [MQTT 5.0 4.7.2]
   */
  *matching(pattern: string): Generator<T | null> {
    const words = pattern.split('.');
    const stack: { readonly node: Node<T>; readonly at: number; readonly isTop: boolean }[] = [{ node: this.#root, at: 0, isTop: true }];
    let idle = 0;
    for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
      const { node, at, isTop } = step;
      const word = words[at];
      if (word === undefined) {
        if (node.item !== null) yield node.item;
        continue;
      }
      if (++idle % 256 === 0) yield null;
      if (word === '#') {
        // None of the words, or one and then the same again. A `#` is last in filters; in the middle it could give an item twice.
        if (at === words.length - 1) {
          if (node.item !== null) yield node.item;
        } else {
          stack.push({ node, at: at + 1, isTop });
        }
        for (const [name, child] of node.children) if (!isTop || !name.startsWith('$')) stack.push({ node: child, at, isTop: false });
      } else if (word === '*') {
        for (const [name, child] of node.children)
          if (!isTop || !name.startsWith('$')) stack.push({ node: child, at: at + 1, isTop: false });
      } else {
        const child = node.children.get(word);
        if (child !== undefined) stack.push({ node: child, at: at + 1, isTop: false });
      }
    }
  }
}
