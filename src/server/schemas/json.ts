import { type TUnsafe, Type } from "@alkdev/typebox";
import type { WorkflowVersion } from "../../runs/mod.ts";

/** Any JSON value. */
export type Json = Parameters<WorkflowVersion["plan"]>[0];

/** Any JSON value; bodies come from JSON, so there is nothing to check. */
export const JsonSchema: TUnsafe<Json> = Type.Unsafe<Json>(Type.Unknown({ description: "Any JSON value" }));
