/** Runs that have failed and that nobody has dealt with. */
import { CallError } from "@alkdev/operations";
import type { Caller } from "../../engine/events.ts";
import type { Page, Runs } from "./ports.ts";
import { inBatches } from "./in_batches.ts";

/** A failed run that nobody has dealt with. Times are ms since the epoch. */
export interface DeadLetter {
  readonly runId: string;
  readonly workflow: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The node that failed; null: the run failed as a whole. */
  readonly nodeKey: string | null;
  /** What it called; null: it was no call. */
  readonly operationId: string | null;
  readonly code: string;
  readonly message: string;
  /** Attempts of the node; 0: none. */
  readonly attempts: number;
  readonly at: number;
}

/** All given ones must hold. */
export interface DeadLetterFilter {
  readonly workflow?: string;
  readonly operation?: string;
  readonly code?: string;
  /** Ms epoch, on the failure: `since` inclusive, `until` exclusive. */
  readonly since?: number;
  readonly until?: number;
  /** `key=value`, or `key` for any value. */
  readonly label?: readonly string[];
}

export type DeadLetterGroup = "code" | "operation" | "workflow";

export interface DeadLetterCount {
  /** Null: no operation. */
  readonly value: string | null;
  readonly count: number;
  /** Of the latest. */
  readonly at: number;
}

/** Every method is bound to one organization. */
export interface DeadLetterStore {
  /** Newest first. */
  list(
    params: DeadLetterFilter & { readonly orgId: string; readonly limit: number; readonly cursor?: string },
  ): Promise<Page<DeadLetter>>;
  /** Most first. */
  groups(
    params: DeadLetterFilter & { readonly orgId: string; readonly by: DeadLetterGroup },
  ): Promise<readonly DeadLetterCount[]>;
  /** Takes runs off the list; gives those that were on it. */
  handle(
    params: {
      readonly orgId: string;
      readonly runIds: readonly string[];
      readonly handled: "rerun" | "discarded";
      readonly by: string;
      readonly newRunId?: string;
    },
  ): Promise<readonly string[]>;
  /** Those of `runIds` that are on the list. */
  open(params: { readonly orgId: string; readonly runIds: readonly string[] }): Promise<readonly string[]>;
}

export interface ActOnDeadLetters {
  readonly action: "rerun" | "discard";
  /** Either these or `filter`. */
  readonly ids?: readonly string[];
  readonly filter?: DeadLetterFilter;
  /** Of a rerun: completed work is reused. */
  readonly fromFailed?: boolean;
  readonly limit: number;
}

/** What happened to one run. */
export interface ActOutcome {
  readonly runId: string;
  readonly done: boolean;
  /** Of a rerun. */
  readonly newRunId?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface ActAnswer {
  readonly items: readonly ActOutcome[];
  /** True: there may be more that the filter takes; ask again. */
  readonly more: boolean;
}

/** Reruns under way at once. */
const AT_ONCE = 8;

export class DeadLetters {
  readonly #store: DeadLetterStore;
  readonly #runs: Pick<Runs, "rerun">;

  constructor(params: { readonly store: DeadLetterStore; readonly runs: Pick<Runs, "rerun"> }) {
    this.#store = params.store;
    this.#runs = params.runs;
  }

  list(
    { caller, ...query }: DeadLetterFilter & {
      readonly caller: Caller;
      readonly limit: number;
      readonly cursor?: string;
    },
  ): Promise<Page<DeadLetter>> {
    return this.#store.list({ ...query, orgId: caller.orgId });
  }

  groups(
    { caller, ...query }: DeadLetterFilter & { readonly caller: Caller; readonly by: DeadLetterGroup },
  ): Promise<readonly DeadLetterCount[]> {
    return this.#store.groups({ ...query, orgId: caller.orgId });
  }

  /**
   * Deals with at most `limit` of them. A rerun that cannot be started stays on the list, with its error in the answer.
   *
   * @throws CallError VALIDATION_ERROR without `ids` and `filter`, or with both
   */
  async act({ caller, ...act }: ActOnDeadLetters & { readonly caller: Caller }): Promise<ActAnswer> {
    const { orgId } = caller;
    const { ids, more } = await this.#chosen(orgId, act);
    const open = new Set(await this.#store.open({ orgId, runIds: ids }));
    const by = caller.identity.id;
    if (act.action === "discard") {
      const gone = new Set(await this.#store.handle({ orgId, runIds: [...open], handled: "discarded", by }));
      return { items: ids.map((runId) => gone.has(runId) ? { runId, done: true } : notOpen(runId)), more };
    }
    const items = await inBatches(ids, AT_ONCE, async (runId): Promise<ActOutcome> => {
      if (!open.has(runId)) return notOpen(runId);
      const fromFailed = act.fromFailed === undefined ? {} : { fromFailed: act.fromFailed };
      const { id: newRunId } = await this.#runs.rerun({ caller, runId, ...fromFailed });
      await this.#store.handle({ orgId, runIds: [runId], handled: "rerun", by, newRunId });
      return { runId, done: true, newRunId };
    });
    return { items, more };
  }

  async #chosen(
    orgId: string,
    { ids, filter, limit }: ActOnDeadLetters,
  ): Promise<{ readonly ids: readonly string[]; readonly more: boolean }> {
    if ((ids === undefined) === (filter === undefined)) {
      throw new CallError("VALIDATION_ERROR", 'Cannot act on dead letters: want either "ids" or "filter"', {
        errors: [{ path: "/ids", message: 'want either "ids" or "filter"' }],
      });
    }
    if (ids !== undefined) return { ids: [...new Set(ids)].slice(0, limit), more: ids.length > limit };
    const page = await this.#store.list({ ...filter, orgId, limit });
    return { ids: page.items.map(({ runId }) => runId), more: page.nextCursor !== null };
  }
}

function notOpen(runId: string): ActOutcome {
  const message = `Run ${runId} is not on the list of dead letters: it has not failed, or has been dealt with`;
  return { runId, done: false, error: { code: "NOT_A_DEAD_LETTER", message } };
}
