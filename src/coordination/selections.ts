import { mappingNotFound } from "./coordination_error.ts";
import type { Mapping, MappingStatus } from "./mapping.ts";
import type { CallPlace, CoordinationStore, MappingQuery } from "./ports.ts";
import type { Selection } from "./requests.ts";

/** Spawned sessions that one request may be about. */
const MAX_SELECTED = 200;
/** Generations that are looked up from a mapping. */
const MAX_ANCESTORS = 64;

/**
 * Which mappings a caller means and may touch. A session sees what it has spawned, directly or through others; everybody else
 * what is of their organization.
 */
export class Selections {
  readonly #store: CoordinationStore;

  constructor(store: CoordinationStore) {
    this.#store = store;
  }

  /** Newest first. @throws {CallError} MAPPING_NOT_FOUND for one that is named and is not there, or not for this caller */
  async select(
    place: CallPlace,
    selection: Selection,
    page: { readonly status?: readonly MappingStatus[]; readonly limit?: number; readonly after?: string } = {},
  ): Promise<readonly Mapping[]> {
    const { orgId } = place.caller;
    const { limit = MAX_SELECTED, ...rest } = page;
    const found = await this.#store.list({ orgId, limit, ...rest, ...this.#query(place, selection, page.status) });
    const seen = [];
    for (const mapping of found) if (await this.#maySee(place, mapping)) seen.push(mapping);
    if (page.after === undefined && page.status === undefined) assertNamed(selection, seen);
    return seen;
  }

  /** @throws {CallError} MAPPING_NOT_FOUND */
  async one(
    place: CallPlace,
    { id, sessionId }: { readonly id?: string; readonly sessionId?: string },
  ): Promise<Mapping> {
    const named = id ?? sessionId ?? "";
    const selection = id === undefined ? { sessionIds: [named] } : { ids: [named] };
    const [found] = await this.select(place, selection);
    if (found === undefined || (sessionId !== undefined && found.sessionId !== sessionId)) throw mappingNotFound(named);
    return found;
  }

  /** With all that is spawned below them, parents first. */
  async withDescendants(mappings: readonly Mapping[]): Promise<readonly Mapping[]> {
    const all = new Map(mappings.map((one) => [one.id, one]));
    for (const mapping of all.values()) {
      if (mapping.sessionId === null) continue;
      for (const child of await this.childrenOf(mapping.orgId, mapping.sessionId)) {
        if (!all.has(child.id)) all.set(child.id, child);
      }
    }
    return [...all.values()];
  }

  async childrenOf(orgId: string, sessionId: string): Promise<readonly Mapping[]> {
    return await this.#store.list({ orgId, parentSessionId: sessionId, limit: 1_000 });
  }

  /** The mapping of a session; null: it was not spawned. */
  async ofSession(orgId: string, sessionId: string): Promise<Mapping | null> {
    return (await this.#store.list({ orgId, sessionIds: [sessionId], limit: 1 }))[0] ?? null;
  }

  #query(place: CallPlace, selection: Selection, status?: readonly MappingStatus[]): Partial<MappingQuery> {
    if (Object.keys(selection).length > 0) return selection;
    if (place.sessionId !== null) return { parentSessionId: place.sessionId };
    if (place.parent !== null) return { parentRunId: place.parent.runId };
    return { status: status ?? ["active"] };
  }

  async #maySee({ sessionId }: CallPlace, mapping: Mapping): Promise<boolean> {
    if (sessionId === null) return true;
    let at: Mapping | null = mapping;
    for (let i = 0; at !== null && i < MAX_ANCESTORS; i++) {
      if (at.parentSessionId === sessionId) return true;
      at = at.parentSessionId === null ? null : await this.ofSession(at.orgId, at.parentSessionId);
    }
    return false;
  }
}

function assertNamed({ ids = [], sessionIds = [], taskIds = [] }: Selection, found: readonly Mapping[]): void {
  const has = (named: readonly string[], of: (mapping: Mapping) => string | null): void => {
    const missing = named.find((one) => !found.some((mapping) => of(mapping) === one));
    if (missing !== undefined) throw mappingNotFound(missing);
  };
  has(ids, ({ id }) => id);
  has(sessionIds, ({ sessionId }) => sessionId);
  has(taskIds, ({ taskId }) => taskId);
}
