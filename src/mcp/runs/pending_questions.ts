import type { Json } from "@alkdev/flowgraph";
import type { RunEvent, WorkflowCatalog } from "../../runs/mod.ts";
import { type Question, toQuestion } from "./question.ts";

/** Which questions of a run wait, as its events say. Signals without a question wait for other systems and are left out. */
export class PendingQuestions {
  readonly #catalog: WorkflowCatalog;
  readonly #asked = new Map<string, { readonly signal: string; readonly question: Json }>();
  #created: Extract<RunEvent, { type: "run.created" }> | null = null;

  constructor(catalog: WorkflowCatalog) {
    this.#catalog = catalog;
  }

  get count(): number {
    return this.#asked.size;
  }

  apply(event: RunEvent): void {
    if (event.type === "run.created") this.#created = event;
    if (event.type === "signal.awaited" && event.question !== undefined) {
      this.#asked.set(event.key, { signal: event.name, question: event.question });
    }
    if (event.type === "signal.received" || event.type === "signal.timedout") this.#asked.delete(event.key);
    if (event.type === "run.completed" || event.type === "run.failed" || event.type === "run.aborted") {
      this.#asked.clear();
    }
  }

  /** In the order in which they were asked. */
  async list(): Promise<readonly Question[]> {
    if (this.#asked.size === 0) return [];
    const schemas = await this.#schemas();
    return [...this.#asked].map(([key, { signal, question }]) =>
      toQuestion(key, signal, question, schemas.get(key.replace(/(\[\d+\])+$/, "")) ?? null)
    );
  }

  /** Payload schemas by the key of their Signal, in the plan. */
  async #schemas(): Promise<ReadonlyMap<string, Json>> {
    const created = this.#created;
    if (created === null) return new Map();
    const { workflow: name, version, caller, input } = created;
    const found = await this.#catalog.get({ orgId: caller.orgId, name, version });
    if (found === null) return new Map();
    return new Map(
      found.plan(input).plan.nodes.flatMap((node) =>
        node.kind === "signal" && node.schema !== undefined ? [[node.key, node.schema] as const] : []
      ),
    );
  }
}
