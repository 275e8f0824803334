import { CallError } from "@alkdev/operations";
import { spawnLimit } from "./coordination_error.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { isEnded, type Mapping } from "./mapping.ts";
import type { CoordinationOptions } from "./options.ts";
import type { CallPlace, SpawnRights } from "./ports.ts";
import type { SpawnInput } from "./requests.ts";
import type { Selections } from "./selections.ts";
import { capsOf, mappingsOf, type SpawnPlace } from "./spawn_plan.ts";

/** A spawn answers after this long, with whatever is made by then. */
const ANSWER_AFTER_MS = 5_000;
const MAX_ANCESTORS = 64;

/** Plans mappings and has them furnished. */
export class Spawner {
  readonly #options: CoordinationOptions;
  readonly #lifecycle: Lifecycle;
  readonly #selections: Selections;

  constructor(options: CoordinationOptions, lifecycle: Lifecycle, selections: Selections) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#selections = selections;
  }

  /** In the order of the tasks. @throws {CallError} see `CoordinationPort.spawn` */
  async spawn(call: CallPlace, input: SpawnInput): Promise<readonly Mapping[]> {
    const { store, worktrees, ids, clock, limits } = this.#options;
    const place = await this.#placeOf(call, input);
    const { orgId, identity } = call.caller;
    const key = call.key ?? (input.key === undefined ? ids.fresh() : `${identity.id} ${input.key}`);
    const isPinned = input.tasks.every(({ spoke }) => spoke !== undefined) || input.workspace?.spoke !== undefined;
    const wanted = mappingsOf({
      ...{ place, input, key, now: clock.now(), idOf: (name: string) => ids.of(name) },
      spokes: input.workspace === undefined || isPinned ? [] : worktrees.spokes({ orgId }),
    });
    const caps = capsOf(place, input, limits);
    const planned = await store.plan({ mappings: wanted, caps });
    if ("refused" in planned) throw spawnLimit(planned.refused, caps[planned.refused], planned.present);
    for (const [index, { task }] of planned.mappings.entries()) {
      if (task === wanted[index]?.task) continue;
      throw new CallError("IDEMPOTENCY_MISMATCH", `Key "${input.key ?? key}" already stands for task "${task}"`);
    }
    return await this.#furnished(planned.mappings);
  }

  /** What takes longer than the caller should wait goes on without it. */
  async #furnished(planned: readonly Mapping[]): Promise<readonly Mapping[]> {
    const { clock, store } = this.#options;
    const work = planned.map((one) =>
      isEnded(one) || one.sessionId !== null ? Promise.resolve(one) : this.#lifecycle.furnish(one)
    );
    const late = Promise.withResolvers<null>();
    const cancel = clock.at(clock.now() + ANSWER_AFTER_MS, () => late.resolve(null));
    const done = await Promise.race([Promise.all(work), late.promise]).finally(cancel);
    if (done !== null) return done;
    for (const one of work) one.catch(() => {}); // the sweep takes it up
    return await Promise.all(planned.map(async (one) => await store.get(one) ?? one));
  }

  async #placeOf(call: CallPlace, input: SpawnInput): Promise<SpawnPlace> {
    const { sessions } = this.#options;
    const { orgId } = call.caller;
    if (call.sessionId !== null && input.parentSessionId !== undefined && input.parentSessionId !== call.sessionId) {
      throw new CallError("ACCESS_DENIED", `Session "${call.sessionId}" spawns for itself only`);
    }
    const parentSessionId = call.sessionId ?? input.parentSessionId ?? null;
    if (parentSessionId === null) return { call, parentSessionId, parentMapping: null, rights: [] };
    const state = await sessions.state({ orgId, sessionId: parentSessionId });
    if (state === null) {
      throw new CallError("SESSION_NOT_FOUND", `There is no session "${parentSessionId}"`, {
        session: parentSessionId,
      });
    }
    const parentMapping = await this.#selections.ofSession(orgId, parentSessionId);
    if (parentMapping?.status === "aborted") {
      throw new CallError("MAPPING_ENDED", `Session "${parentSessionId}" was aborted, and may spawn nothing`, {
        mapping: parentMapping.id,
        status: "aborted",
      });
    }
    const rights = [await this.#rightsOf(orgId, state.role)];
    let at = parentMapping;
    for (let i = 0; at?.parentSessionId != null && i < MAX_ANCESTORS; i++) {
      const above = await sessions.state({ orgId, sessionId: at.parentSessionId });
      rights.push(await this.#rightsOf(orgId, above?.role ?? null));
      at = await this.#selections.ofSession(orgId, at.parentSessionId);
    }
    return { call, parentSessionId, parentMapping, rights };
  }

  async #rightsOf(orgId: string, role: string | null): Promise<SpawnRights> {
    return role === null ? { role: null, spawn: null } : await this.#options.roles.rights({ orgId, role });
  }
}
