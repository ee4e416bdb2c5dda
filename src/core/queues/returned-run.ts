import type { RefOwner, Rename } from '../messages/message-ref.ts';
import { type Entry, metaLogged, priorityOf } from './entry.ts';
import type { Runs } from './runs.ts';

/** Places of a piece: 24 KiB, or 32 with times to live. */
const piecePlaces = 1024;
const pieceShift = 10;
const placeMask = piecePlaces - 1;

class Piece {
  readonly refs = new Uint32Array(piecePlaces);
  readonly metas = new Uint32Array(piecePlaces);
  readonly bytes = new Uint32Array(piecePlaces);
  readonly sequences = new Float64Array(piecePlaces);
  /** Made with the first message that expires. */
  expiries: Float64Array | null = null;
}

/**
 * Messages that came back in the order of their places, as those of a client that leaves do: columns in pieces, none of which is moved when others
 * come or go. A place whose ref is 0 was taken out of the middle.
 */
export class ReturnedRun {
  readonly #pieces: Piece[] = [];
  /** Positions of the first message and behind the last, from the beginning of the first piece. */
  #head = 0;
  #tail = 0;
  #holes = 0;
  /** The highest place there was. */
  last = 0;

  get length(): number {
    return this.#tail - this.#head - this.#holes;
  }

  /** The lowest place. The run must not be empty. */
  get first(): number {
    return this.sequenceAt(this.#head);
  }

  /** Where the first message is; the positions of the others follow, some of which are empty. They hold until a message is taken out. */
  get head(): number {
    return this.#head;
  }

  get tail(): number {
    return this.#tail;
  }

  /** Appends a message, whose place is above all others. */
  push(entry: Entry): void {
    const position = this.#tail++;
    if (position >> pieceShift === this.#pieces.length) this.#pieces.push(new Piece());
    const piece = this.#pieceOf(position);
    const index = position & placeMask;
    piece.refs[index] = entry.ref;
    piece.metas[index] = entry.meta;
    piece.bytes[index] = entry.bytes;
    piece.sequences[index] = entry.sequence;
    if (entry.expiryMillis !== 0) piece.expiries ??= new Float64Array(piecePlaces);
    if (piece.expiries !== null) piece.expiries[index] = entry.expiryMillis;
    this.last = entry.sequence;
  }

  /** Fills `into` with the first message and leaves it in place. */
  peek(into: Entry): void {
    this.fill(into, this.#head);
  }

  /** Takes the first message out into `into`. */
  shift(into: Entry): void {
    this.fill(into, this.#head);
    this.#head++;
    this.#passHoles();
  }

  /** Where the message of a place is; -1 when it is not here. */
  positionOf(sequence: number): number {
    let low = this.#head;
    let high = this.#tail - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.sequenceAt(middle);
      if (found === sequence) return this.isEmptyAt(middle) ? -1 : middle;
      if (found < sequence) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Takes the message at a position out. */
  removeAt(position: number, into: Entry): void {
    this.fill(into, position);
    this.#pieceOf(position).refs[position & placeMask] = 0;
    this.#holes++;
    this.#passHoles();
  }

  isEmptyAt(position: number): boolean {
    return this.#pieceOf(position).refs[position & placeMask] === 0;
  }

  sequenceAt(position: number): number {
    return this.#pieceOf(position).sequences[position & placeMask] as number;
  }

  fill(into: Entry, position: number): void {
    const piece = this.#pieceOf(position);
    const index = position & placeMask;
    into.ref = piece.refs[index] as number;
    into.meta = piece.metas[index] as number;
    into.bytes = piece.bytes[index] as number;
    into.sequence = piece.sequences[index] as number;
    into.expiryMillis = piece.expiries === null ? 0 : (piece.expiries[index] as number);
  }

  /** Adds the places of all that are in the log. */
  addLogged(runs: Runs): void {
    for (let position = this.#head; position < this.#tail; position++) {
      const { refs, metas, sequences } = this.#pieceOf(position);
      const index = position & placeMask;
      const meta = metas[index] as number;
      if (refs[index] !== 0 && (meta & metaLogged) !== 0) runs.add(priorityOf(meta), sequences[index] as number, 1);
    }
  }

  limitExpiries(expiryMillis: number): void {
    for (let position = this.#head; position < this.#tail; position++) {
      const piece = this.#pieceOf(position);
      const index = position & placeMask;
      piece.expiries ??= new Float64Array(piecePlaces);
      const old = piece.expiries[index] as number;
      if (old === 0 || old > expiryMillis) piece.expiries[index] = expiryMillis;
    }
  }

  relocate(rename: Rename, owner: RefOwner | null): void {
    for (let position = this.#head; position < this.#tail; position++) {
      const { refs, metas, bytes, sequences, expiries } = this.#pieceOf(position);
      const index = position & placeMask;
      const ref = refs[index] as number;
      if (ref === 0) continue;
      const expiryMillis = expiries === null ? 0 : (expiries[index] as number);
      refs[index] = rename(ref, owner, metas[index] as number, sequences[index] as number, bytes[index] as number, expiryMillis);
    }
  }

  #pieceOf(position: number): Piece {
    return this.#pieces[position >> pieceShift] as Piece;
  }

  #passHoles(): void {
    while (this.#holes > 0 && this.#head < this.#tail && this.isEmptyAt(this.#head)) {
      this.#head++;
      this.#holes--;
    }
    while (this.#head >= piecePlaces) {
      this.#pieces.shift();
      this.#head -= piecePlaces;
      this.#tail -= piecePlaces;
    }
  }
}
