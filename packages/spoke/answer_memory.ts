const MAX_ANSWERS = 1_000;
const MAX_CHARS = 16 * 1024 * 1024;

/** The last answers given, as text, by request id: at most 1,000, and 16 Mi chars together. */
export class AnswerMemory {
  readonly #answers = new Map<string, string>();
  #chars = 0;

  get(requestId: string): string | undefined {
    return this.#answers.get(requestId);
  }

  set(requestId: string, answer: string): void {
    this.delete(requestId);
    if (answer.length > MAX_CHARS) return;
    this.#answers.set(requestId, answer);
    this.#chars += answer.length;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_ANSWERS && this.#chars <= MAX_CHARS) return;
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
