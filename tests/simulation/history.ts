/** What happened, in order. Kept as a hash, and as text only where somebody will read it. */
export class History {
  readonly lines: string[] | null;
  #hash = 0x811c9dc5;
  #count = 0;

  constructor(keep: boolean) {
    this.lines = keep ? [] : null;
  }

  add(now: number, line: string): void {
    const text = `${now} ${line}`;
    let hash = this.#hash;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.#hash = hash;
    this.#count++;
    this.lines?.push(text);
  }

  /** The same for the same history, and (all but surely) for no other. */
  get digest(): string {
    return `${this.#count}:${(this.#hash >>> 0).toString(16)}`;
  }
}

/** How often what has happened, by the first words of its line: to see that a simulation reaches what it is for. */
export class Tally {
  readonly counts: Map<string, number> = new Map();

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** An invariant does not hold. */
export class Violation extends Error {
  readonly invariant: string;
  readonly runId: string | null;

  constructor(invariant: string, message: string, runId: string | null = null) {
    super(message);
    this.name = "Violation";
    this.invariant = invariant;
    this.runId = runId;
  }
}
