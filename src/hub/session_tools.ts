import { CallError } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/mod.ts";
import { callOf } from "../dispatch/mod.ts";
import type { ToolCatalog } from "../sessions/mod.ts";
import type { HubOperations } from "./operations.ts";
import type { SessionLate } from "./sessions.ts";

/** Workflows that the hub starts itself. */
const OWN: ReadonlySet<string> = new Set(["agent_turn", "coord_question", "proxy_call", "runner_turn"]);

/** What sessions may call: as any caller of their rights, in the place of the node that calls. */
export function toolCatalog(
  { operations, late }: { readonly operations: HubOperations; readonly late: SessionLate },
): ToolCatalog {
  const { dispatcher } = operations;
  return {
    operations: (caller) => dispatcher.operations.list(caller),
    spec: (caller, id) => dispatcher.operations.spec(caller, id),
    async workflows(orgId) {
      return (await late.workflows().list({ orgId })).filter(({ name }) => !OWN.has(name));
    },
    async call({ context, operationId, input, timeoutMs, spoke }) {
      const call = callOf(context);
      if (call === null) throw new Error("Tools can be called through the dispatcher only");
      const timedOut = new CallError("TIMEOUT", `"${operationId}" has not ended within ${timeoutMs} ms`, {
        operationId,
      });
      const timer = new AbortController();
      const cancel = setTimeout(() => timer.abort(timedOut), timeoutMs);
      const { requestId, identity, orgId, keyId, runId, nodeKey, attempt, parentRequestId, traceparent } = call;
      const isThere = spoke !== null && isOfDevSpokes(operations, { orgId, spoke, operationId });
      const deadline = Date.now() + timeoutMs;
      const inner: DispatchedCall = {
        ...{
          requestId,
          operationId,
          input,
          identity,
          orgId,
          keyId,
          runId,
          nodeKey,
          attempt,
          parentRequestId,
          traceparent,
        },
        deadline: call.deadline === null ? deadline : Math.min(call.deadline, deadline),
        spoke: isThere ? { spoke } : null,
        signal: AbortSignal.any([call.signal, timer.signal]),
      };
      const late_ = Promise.withResolvers<never>();
      late_.promise.catch(() => {});
      inner.signal.addEventListener("abort", () => late_.reject(inner.signal.reason), { once: true });
      try {
        // A handler that ignores its signal is not waited for.
        return await Promise.race([late.calls().dispatch(inner), late_.promise]);
      } finally {
        clearTimeout(cancel);
      }
    },
  };
}

/**
 * Whether an operation is one of those that dev spokes offer: these are carried out by the session's own, also when that is away for
 * a while, and never on another machine.
 */
function isOfDevSpokes(
  { pool, peers }: HubOperations,
  { orgId, spoke, operationId }: { readonly orgId: string; readonly spoke: string; readonly operationId: string },
): boolean {
  if (pool.offers(orgId, operationId, { spoke }) !== null) return true;
  const elsewhere = peers?.presence.spokes(orgId).map((one) => one.spoke) ?? [];
  return [...pool.list(orgId), ...elsewhere].some(({ labels, operations }) =>
    labels["spoke"] !== undefined && operations.includes(operationId)
  );
}
