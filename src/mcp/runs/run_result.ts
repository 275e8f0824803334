import type { CallToolResult } from "@modelcontextprotocol/server";
import type { RunView } from "../../runs/mod.ts";
import { toErrorResult, toToolResult } from "../tools/tool_result.ts";

/** Under which a result names its run. */
export const RUN_META: string = "alkdev.hub/run";

/** The tool's answer for a run that has ended. Its `_meta` names the run, so that a client can read `run://{id}`. */
export function runResult(view: RunView): CallToolResult {
  const result = view.status === "completed"
    ? toToolResult(view.output)
    : toErrorResult(view.error ?? { code: "UNKNOWN_ERROR", message: `Run ${view.id} ended as ${view.status}` });
  return { ...result, _meta: { ...result._meta, [RUN_META]: view.id } };
}
