import { type TObject, Type } from "@alkdev/typebox";
import type { PlanDiff } from "@alkdev/flowgraph";
import type { DeployImpact, Migration, VersionDiff, VersionView } from "../../runs/mod.ts";
import { JsonSchema } from "./json.ts";
import { nullable } from "./nullable.ts";

const nodeFields = {
  key: Type.String(),
  kind: Type.String(),
  operationId: Type.Optional(Type.String()),
};
const edges = Type.Array(Type.Object({ source: Type.String(), target: Type.String() }));

const diff = Type.Object({
  added: Type.Array(Type.Object(nodeFields)),
  removed: Type.Array(Type.Object(nodeFields)),
  changed: Type.Array(Type.Object({
    ...nodeFields,
    affectsResult: Type.Boolean({ description: "False: only how it is run has changed (retry, timeout, title …)" }),
    fields: Type.Array(Type.Object({ field: Type.String(), from: JsonSchema, to: JsonSchema })),
  })),
  unchanged: Type.Integer({ description: "Nodes that are the same in both" }),
  edges: Type.Object({ added: edges, removed: edges }),
}, { $id: "PlanDiff" });

const version = Type.Object({
  version: Type.String(),
  current: Type.Boolean({ description: "It is served by the workflow's name" }),
  available: Type.Boolean({ description: "False: only runs still have it" }),
  deployedAt: nullable(Type.Number({ description: "Ms since the epoch" })),
  liveRuns: Type.Integer({ description: "Runs on it that have not ended" }),
}, { $id: "WorkflowVersion" });

const versionDiff = Type.Object({
  workflow: Type.String(),
  from: Type.String(),
  to: Type.String(),
  inputSchemaChanged: Type.Boolean(),
  outputSchemaChanged: Type.Boolean(),
  diff: nullable(diff),
}, { $id: "VersionDiff" });

const impact = Type.Object({
  previous: nullable(Type.String({ description: "The version served until now" })),
  live: Type.Array(
    Type.Object({ version: Type.String(), runs: Type.Integer(), diff: nullable(diff) }),
    { description: "Runs of other versions that have not ended: they stay on theirs" },
  ),
}, { $id: "DeployImpact" });

const migration = Type.Object({
  runId: Type.String(),
  from: Type.String(),
  to: Type.String(),
  migrated: Type.Boolean(),
  allowed: Type.Boolean(),
  reasons: Type.Array(Type.Object({ key: nullable(Type.String()), reason: Type.String() })),
  diff,
}, { $id: "Migration" });

/** Each does not compile when it parts from its type. */
export const PlanDiffSchema: TObject = diff satisfies { static: PlanDiff };
export const VersionViewSchema: TObject = version satisfies { static: VersionView };
export const VersionDiffSchema: TObject = versionDiff satisfies { static: VersionDiff };
export const DeployImpactSchema: TObject = impact satisfies { static: DeployImpact };
export const MigrationSchema: TObject = migration satisfies { static: Migration };
