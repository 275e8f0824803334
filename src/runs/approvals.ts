/** The questions that live runs ask. */
import type { Json } from "@alkdev/flowgraph";
import { hasScope } from "@alkdev/operations";
import { type Engine, locate, type RunState, Status } from "../../engine/mod.ts";
import type { FoldReader } from "./fold_reader.ts";
import type { Caller } from "../../engine/events.ts";
import type { Page } from "./ports.ts";

/** A Signal that a run waits for. Times are ms since the epoch. */
export interface OpenApproval {
  readonly runId: string;
  readonly workflow: string;
  readonly key: string;
  /** Name of the signal, by which it can be answered as well. */
  readonly name: string;
  /** Null: a plain Signal, without a question. */
  readonly question: Json;
  /** JSON Schema of the answer; null: any. */
  readonly schema: Json;
  /** Scopes, any of which lets one answer; null: whoever may act on runs. */
  readonly answerers: readonly string[] | null;
  readonly mayAnswer: boolean;
  readonly since: number;
  /** When it times out; null: never. */
  readonly due: number | null;
}

/** Where Signals of live runs have been asked, whether or not they are still open. */
export interface AskedSignals {
  /** Longest waiting first; those for which no answer and no time-out is recorded. */
  list(
    params: { readonly orgId: string; readonly workflow?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<{ readonly runId: string; readonly key: string }>>;
}

export class Approvals {
  readonly #asked: AskedSignals;
  readonly #engine: Pick<Engine, "live">;
  readonly #reader: Pick<FoldReader, "state">;

  constructor(
    params: {
      readonly asked: AskedSignals;
      readonly engine: Pick<Engine, "live">;
      readonly reader: Pick<FoldReader, "state">;
    },
  ) {
    this.#asked = params.asked;
    this.#engine = params.engine;
    this.#reader = params.reader;
  }

  /** A page may hold less than `limit`, and is not the last as long as there is a `nextCursor`. */
  async list(
    { caller, all = false, ...query }: {
      readonly caller: Caller;
      readonly workflow?: string;
      /** Plain Signals too. */
      readonly all?: boolean;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<Page<OpenApproval>> {
    const page = await this.#asked.list({ ...query, orgId: caller.orgId });
    const states = new Map<string, RunState | null>();
    const items: OpenApproval[] = [];
    for (const { runId, key } of page.items) {
      let state = states.get(runId);
      if (state === undefined) {
        state = this.#engine.live(runId)?.state ?? await this.#reader.state(runId);
        states.set(runId, state);
      }
      const open = state === null ? null : openAt(state, key, caller);
      if (open !== null && (all || open.question !== null)) items.push(open);
    }
    return { items, nextCursor: page.nextCursor };
  }
}

/** The Signal at a key, if it waits: one that a lost Race or an abort has ended has no event of its own. */
function openAt(state: RunState, key: string, caller: Caller): OpenApproval | null {
  const place = locate(state, key);
  if (place === null || state.created === null || state.terminal !== null) return null;
  const { frame, vertex } = place;
  const node = state.program.plan.nodes[frame.block.nodes[vertex]!]!;
  const cell = frame.cells[vertex];
  if (node.kind !== "signal" || frame.status[vertex] !== Status.WAITING || cell === undefined) return null;
  const { answerers = null, schema = null, signal: name } = node;
  return {
    runId: state.created.runId,
    workflow: state.created.workflow,
    key,
    name,
    question: cell.input ?? null,
    schema,
    answerers,
    mayAnswer: answerers === null || answerers.some((scope) => hasScope(caller.identity.scopes, scope)),
    since: cell.startedAt ?? 0,
    due: cell.dueAt,
  };
}
