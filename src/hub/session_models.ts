import { CallError } from "@alkdev/operations";
import type { Inference } from "../inference/mod.ts";
import type { Runs } from "../runs/mod.ts";
import type { CallsOfModels, ModelCalls } from "../sessions/mod.ts";

/** The proxy settles right behind its answer. */
const SETTLED_WITHIN_MS = 30_000;

/** Calls of models by sessions, through the proxy: with its routes, limits, budgets and guards. */
export function modelCalls(
  { inference, runs }: { readonly inference: Inference; readonly runs: () => Runs },
): ModelCalls {
  return {
    async stream({ caller, sessionId, parent, body, signal }) {
      const { runId, answer } = await inference.call({
        asker: { caller, keyId: caller.keyId ?? null, sessionId, runId: parent?.runId ?? null },
        endpoint: "chat",
        body,
        signal,
        ...(parent !== null && { parent }),
      });
      return {
        runId,
        body: typeof answer.body === "string" ? new Response(answer.body).body! : endingWith(answer.body, signal),
        async settled() {
          const { output } = await runs().wait({ caller, runId, ms: SETTLED_WITHIN_MS });
          return usageOf(output);
        },
      };
    },
    async models(orgId) {
      return (await inference.models(orgId)).map(({ id }) => id);
    },
  };
}

/** What a runner's calls of models have used, by their runs: those that were made for its session and have ended. */
export function callsOfModels(runs: () => Runs): CallsOfModels {
  return {
    async used({ caller, sessionId, runId }) {
      try {
        const { workflow, labels, output } = await runs().wait({ caller, runId, ms: SETTLED_WITHIN_MS });
        return workflow === "proxy_call" && labels["session"] === sessionId ? usageOf(output) : null;
      } catch (error) {
        if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return null;
        throw error;
      }
    },
  };
}

/** Nobody reads on when the step is aborted: the provider is told at once. */
function endingWith(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  return body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
}

function usageOf(output: unknown): Awaited<ReturnType<Awaited<ReturnType<ModelCalls["stream"]>>["settled"]>> {
  const { usage }: { readonly usage?: unknown } = typeof output === "object" && output !== null ? output : {};
  const { inputTokens, outputTokens, costMicros }: {
    readonly [Kind in "inputTokens" | "outputTokens" | "costMicros"]?: unknown;
  } = typeof usage === "object" && usage !== null ? usage : {};
  const numbers = { inputTokens: count(inputTokens), outputTokens: count(outputTokens), costMicros: count(costMicros) };
  if (usage === undefined) {
    throw new CallError("CALL_LOST", "The call of the model was not settled: what it used is not known");
  }
  return numbers;
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
