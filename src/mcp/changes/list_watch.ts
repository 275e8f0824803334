import type { Principal } from "../../auth/mod.ts";
import type { Prompts } from "../prompts/prompts.ts";
import type { ToolCatalog } from "../tools/tool_catalog.ts";

export type ListName = "tools" | "prompts";

/** Tells when the tools or prompts of a caller are others than before, by looking at them every now and then. */
export class ListWatch {
  readonly #tools: ToolCatalog;
  readonly #prompts: Prompts;
  readonly #everyMs: number;

  constructor(tools: ToolCatalog, prompts: Prompts, everyMs: number) {
    this.#tools = tools;
    this.#prompts = prompts;
    this.#everyMs = everyMs;
  }

  /** Calls `onChange` for each list that has changed until the signal aborts. */
  async watch(
    principal: Principal,
    names: readonly ListName[],
    signal: AbortSignal,
    onChange: (name: ListName) => void,
  ): Promise<void> {
    const last = new Map<ListName, string>();
    for (const name of names) last.set(name, await this.#print(principal, name));
    while (await pause(this.#everyMs, signal)) {
      for (const name of names) {
        const print = await this.#print(principal, name);
        if (print !== last.get(name) && !signal.aborted) onChange(name);
        last.set(name, print);
      }
    }
  }

  async #print(principal: Principal, name: ListName): Promise<string> {
    const items = name === "tools" ? await this.#tools.list(principal, false) : await this.#prompts.list(principal);
    return JSON.stringify(items.map(({ view }) => view));
  }
}

/** False when the signal ended it. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => end(true), ms);
  const onAbort = (): void => end(false);
  const end = (more: boolean): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    resolve(more);
  };
  if (signal.aborted) end(false);
  else signal.addEventListener("abort", onAbort);
  return promise;
}
