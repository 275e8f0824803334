import { isTransient } from "./coordination_error.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { isEnded, type Mapping } from "./mapping.ts";
import type { Notice } from "./notice.ts";
import { type CoordinationOptions, RETRY_MS } from "./options.ts";
import { toldToParent } from "./told.ts";

/** Gives notices to whom they are for: each is stored before, and tried until its recipient has it. */
export class Mail {
  readonly #options: CoordinationOptions;
  readonly #lifecycle: Lifecycle;

  constructor(options: CoordinationOptions, lifecycle: Lifecycle) {
    this.#options = options;
    this.#lifecycle = lifecycle;
  }

  /** Stores and delivers. Gives whether it was delivered: else it will be. */
  async send(notice: Notice, mapping: Mapping): Promise<boolean> {
    const stored = await this.#options.store.addNotice(notice);
    return stored.deliveredAt !== null || (stored.dueAt !== null && await this.deliver(stored, mapping));
  }

  /** Tries to. A recipient that is not there any more leaves the notice to people. */
  async deliver(notice: Notice, known?: Mapping): Promise<boolean> {
    const { store, clock } = this.#options;
    const { orgId, id } = notice;
    const set = (change: Parameters<typeof store.changeNotice>[0]["change"]) =>
      store.changeNotice({ orgId, id, change, now: clock.now() });
    try {
      const mapping = known ?? await store.get({ orgId, id: notice.mappingId });
      const outcome = mapping === null ? "gone" : await this.#give(notice, mapping);
      if (outcome === "later") await set({ dueAt: clock.now() + RETRY_MS });
      else await set({ dueAt: null, ...(outcome === "given" && { deliveredAt: clock.now() }) });
      return outcome === "given";
    } catch (error) {
      const problem = { notice: id, error: String(error) };
      this.#options.log.warn("A message between sessions was not delivered: {error}", problem);
      await set({ dueAt: isTransient(error) ? clock.now() + RETRY_MS : null });
      return false;
    }
  }

  async #give(notice: Notice, mapping: Mapping): Promise<"given" | "later" | "gone"> {
    const { sessions } = this.#options;
    const { caller, orgId } = mapping;
    const key = `coord:${notice.id}`;
    if (notice.kind === "message") {
      if (mapping.status === "aborted") return "gone";
      if (mapping.sessionId === null) return isEnded(mapping) ? "gone" : "later";
      await sessions.prompt({ caller, sessionId: mapping.sessionId, key, text: notice.text });
      const now = await this.#options.store.get(mapping);
      if (now !== null && isEnded(now)) await this.#lifecycle.reopen(now);
      return "given";
    }
    const { recipient } = notice;
    if (recipient === null) return "gone";
    const parent = await sessions.state({ orgId, sessionId: recipient });
    // Who stopped it did not want it to go on.
    if (parent === null || parent.status === "stopped") return "gone";
    await sessions.prompt({ caller, sessionId: recipient, key, text: toldToParent(notice, mapping) });
    return "given";
  }
}
