import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/mod.ts";
import { callerOf } from "../dispatch/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import type { Caller, Runs } from "../runs/mod.ts";
import { type Route, taskRoutes } from "../server/mod.ts";
import { type AuditLogStore, createTaskStore, type Database } from "../storage/mod.ts";
import {
  type BoardRuns,
  type CallOnSpoke,
  runBoard,
  spokeFiles,
  taskOperations,
  Tasks,
  taskSteps,
} from "../tasks/mod.ts";
import type { HubOperations } from "./operations.ts";

const WORKFLOW = "task_board";

/** Task boards, with their operations and routes. */
export function openTasks(
  { db, clock, audit, operations: { registry, dispatcher }, late }: {
    readonly db: Database;
    readonly clock: Clock;
    readonly audit: Pick<AuditLogStore, "append">;
    readonly operations: Pick<HubOperations, "registry" | "dispatcher">;
    /** What is built after it: asked for with the first call. */
    readonly late: { readonly runs: () => Runs };
  },
): { readonly routes: readonly Route[] } {
  const call: CallOnSpoke = async ({ spoke, ...params }) => {
    const labels = spoke === null ? {} : { spoke: { spoke } };
    return (await dispatcher.operations.call({ ...params, ...labels })).data;
  };
  const runs: BoardRuns = {
    async start({ caller, input, labels }) {
      const { id, status } = await late.runs().start({ workflow: WORKFLOW, caller, input, labels });
      return { id, status };
    },
    async ended({ caller, runId }) {
      try {
        const { status } = await late.runs().get({ caller, runId });
        return ["completed", "failed", "aborted"].includes(status) ? status : null;
      } catch (error) {
        if (error instanceof CallError && error.code === "RUN_NOT_FOUND") return "gone";
        throw error;
      }
    },
  };
  const tasks = new Tasks({
    store: createTaskStore(db),
    files: spokeFiles(call),
    runs,
    now: clock.now,
    newId: () => crypto.randomUUID(),
  });
  const acted = async (
    { caller: { orgId, identity }, action, details }: {
      readonly caller: Caller;
      readonly action: string;
      readonly details: Readonly<Record<string, unknown>>;
    },
  ): Promise<void> => {
    try {
      await audit.append({ action, orgId, ownerId: identity.id, keyId: null, details });
    } catch (error) {
      const data = { action, error: String(error) };
      hubLogger("audit").error("{action} could not be written to the audit log: {error}", data);
    }
  };
  registry.registerAll([
    ...taskOperations({ tasks, runs, callerOf, acted }),
    ...taskSteps({ tasks, callerOf, call }),
  ]);
  return { routes: taskRoutes({ tasks, run: (params) => runBoard({ tasks, runs, ...params }) }) };
}
