import { Type } from "@alkdev/typebox";
import { hasScope } from "@alkdev/operations";
import { declareTypes } from "@alkdev/flowgraph/typegen";
import type { ServerDeps } from "../ports.ts";
import { text } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

/** `/api/types`: what templates may call, for the type checker. */
export function typeRoutes({ operations, workflows }: ServerDeps): readonly Route[] {
  return [defineRoute({
    tag: "operations",
    method: "GET",
    path: "/api/types",
    name: "getTypes",
    summary: "TypeScript declarations of the operations that the caller may call, and of the workflows that it may see",
    scope: "operation:read",
    responses: { 200: { description: "A declaration file", contentType: "text/typescript", schema: Type.String() } },
    async handle({ caller }) {
      const seesWorkflows = hasScope(caller.identity.scopes, "workflow:read");
      const declared = declareTypes({
        operations: operations.list(caller),
        workflows: seesWorkflows ? await workflows.list({ orgId: caller.orgId }) : [],
      });
      return text(declared, "text/typescript; charset=utf-8", { "cache-control": "no-store" });
    },
  })];
}
