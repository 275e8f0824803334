import { CallError } from "@alkdev/operations";
import type { Runs } from "../runs/mod.ts";
import type { SessionLog, TurnRuns } from "../sessions/mod.ts";
import { turnLabels } from "./sessions.ts";

const WORKFLOWS = { direct: "agent_turn", runner: "runner_turn" } as const;
const TREE_GRACE_MS = 10_000;

/** The runs of turns: each is started once, whoever asks. */
export function turnRuns(runs: () => Runs, log: SessionLog): TurnRuns {
  return {
    async start({ caller, turn, session }) {
      const { maxTokens, maxCostMicros, maxTurnMs } = session.limits;
      const budget = {
        ...(maxTokens !== null && { tokens: maxTokens }),
        ...(maxCostMicros !== null && { costMicros: maxCostMicros }),
        // For all that the turn spawns, too; the turn itself ends by itself when its time is over.
        ...(maxTurnMs !== null && { wallMs: maxTurnMs + TREE_GRACE_MS }),
      };
      const request = {
        workflow: WORKFLOWS[session.kind],
        caller,
        input: { session: session.id, turn: turn.id },
        labels: { session: session.id },
        ownLabels: turnLabels(session.id, turn.id),
        idempotencyKey: `turn:${turn.id}`,
        ...(Object.keys(budget).length > 0 && { budget }),
      };
      if (turn.parent === null) return { runId: (await runs().start(request)).id };
      try {
        return { runId: (await runs().start({ ...request, parent: turn.parent })).id };
      } catch (error) {
        // What made the session is gone: whoever prompts it now does so for its own sake.
        if (!(error instanceof CallError) || error.code !== "ABORTED" && error.code !== "RUN_NOT_FOUND") throw error;
        return { runId: (await runs().start(request)).id };
      }
    },
    async state({ orgId, runId }) {
      try {
        const { status, error } = await runs().get({ caller: { orgId, identity: HUB }, runId });
        const isOver = status === "completed" || status === "failed" || status === "aborted";
        if (error === null) return { ended: isOver ? status : null, error: null };
        const { nodeKey: _nodeKey, ...why } = error;
        return { ended: isOver ? status : null, error: why };
      } catch (error) {
        if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return null;
        throw error;
      }
    },
    async abort({ caller, runId, reason }) {
      try {
        await runs().abort({ caller, runId, reason });
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (error.code === "RUN_ENDED" || error.code === "RUN_NOT_FOUND") return;
        // Its turn has ended, so that its next step ends it.
        log.warn("The run of a stopped turn was not aborted: {error}", { error: error.message, runId });
      }
    },
  };
}

const HUB = { id: "hub", scopes: [] } as const;
