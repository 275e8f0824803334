import { CallError, type OperationContext } from "@alkdev/operations";
import type { Engine, EventOf } from "../../engine/mod.ts";
import type { CallGraphPort, CallPlace } from "../coordination/mod.ts";
import { callerOf, originOf } from "../dispatch/mod.ts";
import type { Caller, Runs } from "../runs/mod.ts";
import { SESSION_LABEL } from "../sessions/mod.ts";

const WORKFLOW = "coord_question";
/** Name of its Approval. */
const ANSWER = "answer";
const WAIT_MS = 60_000;
/** Runs that are looked up from a call: more than may stand below each other. */
const MAX_ABOVE = 64;
/** Codes of an answer that comes too late. */
const TOO_LATE: ReadonlySet<string> = new Set(["RUN_ENDED", "SIGNAL_ANSWERED", "RUN_NOT_FOUND", "SIGNAL_NOT_FOUND"]);

/** The call graph as coordination sees it. */
export function openCallGraph(
  { runs, engine }: { readonly runs: () => Runs; readonly engine: () => Engine | null },
): CallGraphPort {
  const createdOf = async (caller: Caller, runId: string): Promise<EventOf<"run.created">> => {
    const live = engine()?.live(runId)?.state.created ?? null;
    const first = live ?? (await runs().events({ caller, runId, limit: 1 }))[0];
    if (first?.type === "run.created") return first;
    throw new CallError("RUN_NOT_FOUND", `There is no run "${runId}"`, { runId });
  };
  const sessionOf = async (caller: Caller, from: EventOf<"run.created">): Promise<string | null> => {
    let at = from;
    for (let i = 0; i < MAX_ABOVE; i++) {
      const { labels, parent } = at;
      // A label that only the hub gives.
      const session = labels[SESSION_LABEL];
      if (session !== undefined) return session;
      if (parent === null) return null;
      at = await createdOf(caller, parent.runId);
    }
    return null;
  };
  return {
    async place(context: OperationContext): Promise<CallPlace> {
      const caller = callerOf(context);
      const origin = originOf(context);
      if (origin === null) return { caller, parent: null, key: null, sessionId: null };
      const { runId, nodeKey, requestId } = origin;
      const created = await createdOf(caller, runId);
      return {
        caller,
        parent: { runId, requestId, rootRunId: created.parent?.rootRunId ?? runId },
        // Of the node, and not of the attempt: a retry is the same wish.
        key: `${runId} ${nodeKey}`,
        sessionId: await sessionOf(caller, created),
      };
    },
    async wasAborted({ caller, runId }) {
      try {
        return (await runs().get({ caller, runId })).status === "aborted";
      } catch (error) {
        if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return false;
        throw error;
      }
    },
    async current({ caller, runId }) {
      const { nodes } = await runs().graph({ caller, runId });
      return nodes.flatMap(({ key, operationId, status, startedAt }) =>
        status === "running" && operationId !== null && startedAt !== null
          ? [{ runId, nodeKey: key, operationId, startedAt }]
          : []
      ).sort((a, b) => a.startedAt - b.startedAt);
    },
    async ask({ caller, parent, key, question }) {
      const { id } = await runs().start({
        workflow: WORKFLOW,
        caller,
        input: question,
        idempotencyKey: key,
        ...(parent !== null && { parent }),
      });
      return { runId: id };
    },
    answerOf: (params) => answerOf(runs(), engine, params),
    async answer({ caller, runId, payload }) {
      try {
        await runs().signal({ caller, runId, name: ANSWER, payload });
        return true;
      } catch (error) {
        if (error instanceof CallError && TOO_LATE.has(error.code)) return false;
        throw error;
      }
    },
  };
}

async function answerOf(
  runs: Runs,
  engine: () => Engine | null,
  { caller, runId, signal }: Parameters<CallGraphPort["answerOf"]>[0],
): ReturnType<CallGraphPort["answerOf"]> {
  const gone = Promise.withResolvers<null>();
  const onAbort = (): void => gone.resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const view = await Promise.race([runs.wait({ caller, runId, ms: WAIT_MS }), gone.promise]);
      if (view === null) break;
      if (view.status === "completed") return view.output;
      if (view.completedAt === null) continue;
      throw new CallError("ABORTED", `The question will not be answered: its run was ${view.status}`, { runId });
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  // A hub that stops leaves the question to the next, which goes on waiting.
  if (!(engine()?.stopped ?? true)) {
    await runs.abort({ caller, runId, reason: "Nobody waits for the answer any more" }).catch(() => {});
  }
  throw signal.reason instanceof CallError ? signal.reason : new CallError("ABORTED", "Nobody waits any more");
}
