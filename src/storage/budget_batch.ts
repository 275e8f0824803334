import type { Database } from "./database.ts";

/** One operation of `budget_ledger_v2`, and who waits for its answer. */
interface Waiting {
  readonly op: object;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Operations in one statement at most. */
const MAX_BATCH = 200;
const DEADLOCK = "40P01";
const ATTEMPTS = 3;

/** Gathers what is asked while a statement is under way into the next one, in order. */
export class BudgetBatch {
  readonly #db: Database;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The function's answer to one operation. */
  ask(op: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ op, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    await null; // what is asked in the same turn goes together
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        const answers = await this.#send(batch.map(({ op }) => op));
        batch.forEach(({ resolve }, i) => resolve(answers[i]));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  async #send(ops: readonly object[]): Promise<readonly unknown[]> {
    for (let attempt = 1;; attempt++) {
      try {
        const [row] = await this.#db.query<{ answers: readonly unknown[] }>(
          "select budget_ledger_v2($1::jsonb) as answers",
          [JSON.stringify(ops)],
        );
        return row?.answers ?? [];
      } catch (error) {
        const isDeadlock = error instanceof Error && "code" in error && error.code === DEADLOCK;
        if (!isDeadlock || attempt === ATTEMPTS) throw error;
      }
    }
  }
}
