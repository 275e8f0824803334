import { failureOf, isTransient } from "./coordination_error.ts";
import { isEnded, type Mapping, movesTo, type RemovalPolicy, type WorktreeState } from "./mapping.ts";
import { type CoordinationOptions, GIVE_UP_MS, LOOK_EVERY_MS, RETRY_MS } from "./options.ts";
import type { MappingChange, SessionState } from "./ports.ts";
import { firstPrompt } from "./told.ts";

const MAX_RETRY_MS = 600_000;

/**
 * What becomes of mappings. Every step can be taken again, by this hub or another, after a crash in the midst of it:
 *
 * - C1 A worktree or session is made for a mapping that is stored, under its id, and so once.
 * - C2 What an ended mapping leaves behind is due until it is gone or kept on purpose.
 * - C3 A status changes by {@linkcode movesTo} only, and who comes second changes nothing.
 */
export class Lifecycle {
  readonly #options: CoordinationOptions;
  readonly #onEnded: (mapping: Mapping) => void;

  constructor(options: CoordinationOptions, onEnded: (mapping: Mapping) => void) {
    this.#options = options;
    this.#onEnded = onEnded;
  }

  /** Does whatever is next to be done. Gives the mapping as it then is. */
  async look(mapping: Mapping): Promise<Mapping> {
    if (isEnded(mapping)) return await this.tidy(mapping);
    if (await this.#isOrphan(mapping)) return await this.abort(mapping, { reason: "Its parent was ended" });
    return mapping.sessionId === null ? await this.furnish(mapping) : await this.settle(mapping);
  }

  /** Makes what is missing: the worktree, then the session. */
  async furnish(mapping: Mapping): Promise<Mapping> {
    const { store, sessions, worktrees, clock } = this.#options;
    let current = mapping;
    try {
      if (current.worktree === "wanted" && current.workspace !== null) {
        await worktrees.create({ caller: current.caller, workspace: current.workspace });
        current = await this.#change(current, { worktree: "present" });
      }
      if (isEnded(current)) return await this.tidy(current);
      const { sessionId } = await sessions.create({
        caller: current.caller,
        key: `coord:${current.id}`,
        title: current.task,
        role: current.role,
        model: current.model,
        prompt: firstPrompt(current),
        parent: current.parent,
        parentSessionId: current.parentSessionId,
        budget: current.budget,
        workspace: current.workspace,
        labels: { mapping: current.id, ...(current.taskId !== null && { task: current.taskId }) },
      });
      current = await this.#change(current, { sessionId, dueAt: clock.now() + LOOK_EVERY_MS });
      // Aborted meanwhile: whoever did that could not know the session.
      return isEnded(current) ? await this.tidy(current) : current;
    } catch (error) {
      const known = await store.get(current);
      if (known !== null && isEnded(known)) return known;
      if (isTransient(error) && clock.now() - mapping.createdAt < GIVE_UP_MS) {
        return await this.#change(current, { dueAt: clock.now() + RETRY_MS });
      }
      this.#warn("A session could not be spawned", current, error);
      return await this.#end(current, "failed", { error: failureOf(error), dueAt: clock.now() });
    }
  }

  /** Ends it when its session has nothing more to do. */
  async settle(mapping: Mapping): Promise<Mapping> {
    const { sessions, clock } = this.#options;
    if (mapping.sessionId === null || isEnded(mapping)) return mapping;
    const key = { orgId: mapping.orgId, sessionId: mapping.sessionId };
    const state = await sessions.state(key);
    if (state?.status === "busy" || state?.status === "waiting") {
      const dueAt = clock.now() + LOOK_EVERY_MS;
      // Whoever asks often need not write as often.
      return mapping.dueAt !== null && mapping.dueAt <= dueAt && mapping.dueAt > clock.now()
        ? mapping
        : await this.#change(mapping, { dueAt });
    }
    const ended = await this.#end(mapping, ...endOf(state));
    if (state === null || !isEnded(ended)) return ended;
    // Somebody may have said something between the look and the end of it.
    const now = await sessions.state(key);
    const isSame = now === null || (now.status === state.status && now.usage.turns === state.usage.turns);
    return isSame ? ended : await this.reopen(ended);
  }

  /** It is at work again. */
  async reopen(mapping: Mapping): Promise<Mapping> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const change = {
      status: "active",
      round: mapping.round + 1,
      result: null,
      error: null,
      completedAt: null,
    } as const;
    const { orgId, id } = mapping;
    const reopened = await store.change({
      ...{ orgId, id, now, from: movesTo("active") },
      change: { ...change, dueAt: now + LOOK_EVERY_MS },
    });
    return reopened ?? await store.get(mapping) ?? mapping;
  }

  /** Ends it now, and tidies up. One that has ended is only tidied up. */
  async abort(
    mapping: Mapping,
    { reason, remove }: { readonly reason: string; readonly remove?: RemovalPolicy },
  ): Promise<Mapping> {
    const { clock } = this.#options;
    const error = { code: "ABORTED", message: reason };
    const ended = await this.#end(mapping, "aborted", { error, dueAt: clock.now() + RETRY_MS });
    return await this.tidy(ended, remove);
  }

  /** Stops what still goes on for an ended mapping, and removes its worktree as far as nothing is lost by it. */
  async tidy(mapping: Mapping, remove?: RemovalPolicy): Promise<Mapping> {
    const { sessions, clock } = this.#options;
    const { orgId, sessionId, caller, error, status } = mapping;
    try {
      if (sessionId !== null && status === "aborted") {
        const state = await sessions.state({ orgId, sessionId });
        if (state?.status === "busy" || state?.status === "waiting") {
          await sessions.stop({ caller, sessionId, reason: error?.message ?? "It was aborted" });
        }
      }
      const isLeft = status !== "aborted" && sessionId !== null && remove === undefined;
      const worktree = isLeft ? mapping.worktree : await this.#removeWorktree(mapping, remove);
      return await this.#change(mapping, { worktree, dueAt: null });
    } catch (problem) {
      this.#warn("What a session has left could not be tidied up, and is tried again", mapping, problem);
      // A spoke that stays away is asked less and less often.
      const waited = clock.now() - (mapping.completedAt ?? clock.now());
      const dueAt = clock.now() + Math.min(Math.max(RETRY_MS, waited / 4), MAX_RETRY_MS);
      return await this.#change(mapping, { dueAt: Math.round(dueAt) });
    }
  }

  async #removeWorktree(mapping: Mapping, remove?: RemovalPolicy): Promise<WorktreeState> {
    const { worktree, workspace, caller } = mapping;
    if (workspace === null || worktree === "none" || worktree === "removed") return worktree;
    const policy = remove ?? workspace.remove;
    if (policy === "never") return "kept";
    const force = policy === "force";
    const outcome = await this.#options.worktrees.remove({ caller, workspace, force });
    return outcome === "dirty" ? "kept" : "removed";
  }

  /** Its parent session or run was stopped, aborted or is gone: nobody will ever ask for what it does. */
  async #isOrphan({ orgId, parentSessionId, parent: call, caller, createdAt }: Mapping): Promise<boolean> {
    const { sessions, store, graph } = this.#options;
    if (parentSessionId === null) return call !== null && await graph.wasAborted({ caller, runId: call.runId });
    const parent = await sessions.state({ orgId, sessionId: parentSessionId });
    if (parent === null) return true;
    if (parent.status === "stopped" && parent.lastActivityAt > createdAt) return true;
    const [mapping] = await store.list({ orgId, sessionIds: [parentSessionId], limit: 1 });
    return mapping?.status === "aborted";
  }

  async #end(mapping: Mapping, status: "completed" | "failed" | "aborted", change: MappingChange): Promise<Mapping> {
    const { store, clock } = this.#options;
    const { orgId, id } = mapping;
    const now = clock.now();
    const ended = await store.change({
      ...{ orgId, id, now, from: movesTo(status) },
      change: { dueAt: null, ...change, status, completedAt: now },
    });
    if (ended === null) return await store.get(mapping) ?? mapping;
    this.#onEnded(ended);
    return ended;
  }

  /** Of whatever status it is. */
  async #change(mapping: Mapping, change: MappingChange): Promise<Mapping> {
    const { orgId, id } = mapping;
    const from = ["active", "completed", "failed", "aborted"] as const;
    return await this.#options.store.change({ orgId, id, from, change, now: this.#options.clock.now() }) ?? mapping;
  }

  #warn(message: string, { id, task }: Mapping, error: unknown): void {
    this.#options.log.warn(`${message}: {error}`, { mapping: id, task, error: String(error) });
  }
}

function endOf(state: SessionState | null): ["completed" | "failed" | "aborted", MappingChange] {
  if (state === null) {
    const error = { code: "SESSION_NOT_FOUND", message: "The session is not there any more" };
    return ["failed", { error, dueAt: null }];
  }
  const result = state.lastMessage?.role === "assistant" ? state.lastMessage.text : null;
  if (state.status === "stopped") {
    const error = state.error ?? { code: "ABORTED", message: "The session was stopped" };
    return ["aborted", { result, error, dueAt: 0 }];
  }
  if (state.status === "failed") {
    const error = state.error ?? { code: "UNKNOWN_ERROR", message: "The session's turn failed" };
    return ["failed", { result, error, dueAt: null }];
  }
  return ["completed", { result, dueAt: null }];
}
