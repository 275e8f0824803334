import { integer, json, pgView, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "./columns.ts";

class CallGraph {
  private static readonly nodes = pgView("call_graph_nodes", {
    requestId: uuid("request_id"),
    runId: uuid("run_id"),
    nodeKey: text("node_key"),
    operationId: text("operation_id"),
    parentRequestId: uuid("parent_request_id"),
    attempt: integer("attempt"),
    status: text("status", { enum: ["pending", "running", "completed", "failed", "aborted"] }),
    identity: json("identity"),
    input: json("input"),
    output: json("output"),
    error: json("error"),
    startedAt: instant("started_at"),
    completedAt: instant("completed_at"),
  }).existing();
  private static readonly edges = pgView("call_graph_edges", {
    sourceRequestId: uuid("source_request_id"),
    targetRequestId: uuid("target_request_id"),
    edgeType: text("edge_type"),
  }).existing();
}

/** Views over the log (docs/decisions/0006-call-graph-views.md). */
export const callGraphNodes: (typeof CallGraph)["nodes"] = CallGraph["nodes"];
export const callGraphEdges: (typeof CallGraph)["edges"] = CallGraph["edges"];
