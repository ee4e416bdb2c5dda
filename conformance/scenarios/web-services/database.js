// A small database of products in a file: one line for each change, so that another process can read it at any time.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** The products as a list ordered by id. */
export function readProducts(file) {
  const products = new Map();
  if (!existsSync(file)) return [];
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const { id, product } = JSON.parse(line);
    if (product) products.set(id, product);
    else products.delete(id);
  }
  return [...products.values()].sort((one, other) => one.id - other.id);
}

export function saveProduct(file, product) {
  appendFileSync(file, `${JSON.stringify({ id: product.id, product })}\n`);
}

export function deleteProduct(file, id) {
  appendFileSync(file, `${JSON.stringify({ id, product: null })}\n`);
}
