/** What waits, by rank; in order of arrival among equals. A binary heap: a push that comes in order costs one comparison. */
export class RankedLine<Item extends { readonly rank: number }> {
  readonly #items: Item[] = [];
  readonly #arrivals: number[] = [];
  #arrived = 0;

  get length(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    let at = this.#items.length;
    this.#items.push(item);
    this.#arrivals.push(this.#arrived++);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  /** The next one; undefined when nothing waits. */
  shift(): Item | undefined {
    const last = this.#items.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    this.#arrivals.pop();
    const first = this.#items.pop();
    for (let at = 0;;) {
      const left = 2 * at + 1;
      if (left >= last) return first;
      const least = left + 1 < last && this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(least, at)) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#items[a]!.rank, this.#items[b]!.rank];
    return first < second || (first === second && this.#arrivals[a]! < this.#arrivals[b]!);
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a]!;
    this.#items[a] = this.#items[b]!;
    this.#items[b] = item;
    const arrival = this.#arrivals[a]!;
    this.#arrivals[a] = this.#arrivals[b]!;
    this.#arrivals[b] = arrival;
  }
}
