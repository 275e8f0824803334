import type { Principal } from "../../auth/mod.ts";
import type { Prompts } from "../prompts/prompts.ts";
import type { ToolCatalog } from "../tools/tool_catalog.ts";

export type ListName = "tools" | "prompts";
type Listener = (name: ListName) => void;

const NAMES: readonly ListName[] = ["tools", "prompts"];

/**
 * Tells when the tools or prompts of a caller are others than before, by looking at them every now and then: once for all who
 * listen with one key.
 */
export class ListWatch {
  readonly #tools: ToolCatalog;
  readonly #prompts: Prompts;
  readonly #everyMs: number;
  readonly #onError: (error: unknown) => void;
  /** By key id. */
  readonly #watched = new Map<string, Set<Listener>>();

  constructor(tools: ToolCatalog, prompts: Prompts, everyMs: number, onError: (error: unknown) => void) {
    this.#tools = tools;
    this.#prompts = prompts;
    this.#everyMs = everyMs;
    this.#onError = onError;
  }

  /** Calls `onChange` for each list that has changed until the signal aborts. */
  watch(principal: Principal, signal: AbortSignal, onChange: Listener): void {
    if (signal.aborted) return;
    const { keyId } = principal;
    const listeners = this.#watched.get(keyId) ?? new Set();
    listeners.add(onChange);
    signal.addEventListener("abort", () => {
      listeners.delete(onChange);
      if (listeners.size === 0 && this.#watched.get(keyId) === listeners) this.#watched.delete(keyId);
    }, { once: true });
    if (this.#watched.has(keyId)) return;
    this.#watched.set(keyId, listeners);
    void this.#look(principal, listeners, null);
  }

  async #look(principal: Principal, listeners: Set<Listener>, last: ReadonlyMap<ListName, string> | null) {
    const prints = new Map<ListName, string>();
    try {
      for (const name of NAMES) prints.set(name, await this.#print(principal, name));
    } catch (error) {
      this.#onError(error);
    }
    for (const name of NAMES) {
      const print = prints.get(name);
      if (last === null || print === undefined || print === last.get(name)) continue;
      for (const listener of [...listeners]) listener(name);
    }
    if (listeners.size === 0) return;
    const timer = setTimeout(() => {
      if (listeners.size > 0) void this.#look(principal, listeners, new Map([...last ?? [], ...prints]));
    }, this.#everyMs);
    // Nobody waits for it: a process may end while a client listens.
    Deno.unrefTimer(timer);
  }

  async #print(principal: Principal, name: ListName): Promise<string> {
    const items = name === "tools" ? await this.#tools.list(principal, false) : await this.#prompts.list(principal);
    return JSON.stringify(items.map(({ view }) => view));
  }
}
