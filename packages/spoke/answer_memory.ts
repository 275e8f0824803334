const MIN_ANSWERS = 1_000;
const MAX_CHARS = 16 * 1024 * 1024;

/**
 * The last answers given, as text, by request id: 1,000, or as many as calls may be under way, as all of these may have been
 * answered on a socket that was lost; and at most 16 Mi chars together.
 */
export class AnswerMemory {
  readonly #most: number;
  readonly #answers = new Map<string, string>();
  #chars = 0;

  constructor(maxConcurrency: number) {
    this.#most = Math.max(MIN_ANSWERS, maxConcurrency);
  }

  get(requestId: string): string | undefined {
    return this.#answers.get(requestId);
  }

  set(requestId: string, answer: string): void {
    this.delete(requestId);
    if (answer.length > MAX_CHARS) return;
    this.#answers.set(requestId, answer);
    this.#chars += answer.length;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#most && this.#chars <= MAX_CHARS) return;
      this.delete(oldest);
    }
  }

  delete(requestId: string): void {
    const answer = this.#answers.get(requestId);
    if (answer === undefined) return;
    this.#answers.delete(requestId);
    this.#chars -= answer.length;
  }
}
