import type { Principal } from "../../auth/mod.ts";
import type { McpDeps } from "../ports.ts";
import type { Resources } from "../resources/resources.ts";

/**
 * Calls `onChange` after each change of a resource until the signal aborts; events that come together are one change. Resolves
 * once it is known to exist and is watched.
 *
 * @throws {ResourceNotFoundError}
 */
export async function watchResource(
  { runs, log }: McpDeps,
  resources: Resources,
  params: { readonly principal: Principal; readonly uri: string; readonly signal: AbortSignal },
  onChange: () => void,
): Promise<void> {
  const { principal, uri, signal } = params;
  const runId = await resources.runOf(principal, uri, signal);
  if (runId === null) return;
  const { lastSeq } = await runs.get({ caller: principal, runId });
  const follow = async (): Promise<void> => {
    let told = true;
    for await (const _ of runs.watch({ caller: principal, runId, after: lastSeq, signal })) {
      if (!told) continue;
      told = false;
      queueMicrotask(() => {
        told = true;
        if (!signal.aborted) onChange();
      });
    }
  };
  follow().catch((error) => log.error("A watch of {uri} broke off", { uri, error: String(error) }));
}
