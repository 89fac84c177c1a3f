/**
 * Numbers of a range, each for one holder: cluster addresses and node ports. The lower part of a range is for those who ask for a certain number.
 * Follows kubernetes pkg/registry/core/service/ipallocator and portallocator.
 */

export interface Range {
  readonly first: number;
  readonly last: number;
  /** Numbers below it are only given to those who name them, and to others when the rest is full. */
  readonly dynamic: number;
}

export class Pool {
  readonly #range: Range;
  /** Taken by requests that are not answered yet. */
  readonly #held = new Set<number>();

  constructor(range: Range) {
    this.#range = range;
  }

  contains(number: number): boolean {
    return number >= this.#range.first && number <= this.#range.last;
  }

  isHeld(number: number): boolean {
    return this.#held.has(number);
  }

  hold(number: number): void {
    this.#held.add(number);
  }

  release(number: number): void {
    this.#held.delete(number);
  }

  /** A free number, the first from a random one on; undefined when all are taken. */
  next(taken: ReadonlySet<number>, random: number): number | undefined {
    const { first, last, dynamic } = this.#range;
    return this.#scan(dynamic, last, taken, random) ?? this.#scan(first, dynamic - 1, taken, random);
  }

  #scan(from: number, to: number, taken: ReadonlySet<number>, random: number): number | undefined {
    const size = to - from + 1;
    for (let n = 0; n < size; n++) {
      const number = from + ((random + n) % size);
      if (!taken.has(number) && !this.#held.has(number)) return number;
    }
    return undefined;
  }
}
