import { Type } from "@alkdev/typebox";
import type { NodeCommand, Runs } from "../../runs/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { Name } from "../schemas/parameters.ts";
import { RunViewSchema } from "../schemas/runs.ts";

const ACTS = {
  abort: ["abort", "Abort a node with all that is in it; what depends on it is aborted as by a failure"],
  pause: ["pause", "Start nothing of a node; what is under way goes on"],
  resume: ["resume", "Go on with a paused node"],
  retry: ["nudge", "Try a node again now that waits for its next attempt"],
  "give-up": ["give-up", "Let a node that waits for its next attempt fail, with code GIVEN_UP"],
} as const;

const NAMES = {
  abort: "abortNode",
  pause: "pauseNode",
  resume: "resumeNode",
  retry: "retryNode",
  "give-up": "giveUpNode",
} as const;

/** `/api/runs/:id/nodes/:key/…`: a node is a leaf, a container, or an item of a Map (`files[3]`). */
export function runNodeRoutes(runs: Runs): readonly Route[] {
  return [
    abortRoute(runs),
    ...(["pause", "resume", "retry", "give-up"] as const).map((verb) => actRoute(runs, verb)),
  ];
}

const head = {
  tag: "runs",
  method: "POST",
  scope: "run:write",
  params: Type.Object({ id: Name, key: Name }),
  responses: { 200: { description: "It is durable: the run", schema: RunViewSchema } },
} as const;

function abortRoute(runs: Runs): Route {
  return defineRoute({
    ...head,
    path: "/api/runs/:id/nodes/:key/abort",
    name: NAMES.abort,
    summary: ACTS.abort[1],
    bodyDefault: {},
    body: Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1024 })) }, { additionalProperties: false }),
    async handle({ caller, params, body }) {
      const act: NodeCommand = { type: "abort", reason: body.reason ?? "Aborted by request" };
      return ok(await runs.actOnNode({ caller, runId: params.id, key: params.key, act }));
    },
  });
}

function actRoute(runs: Runs, verb: Exclude<keyof typeof ACTS, "abort">): Route {
  const [type, summary] = ACTS[verb];
  return defineRoute({
    ...head,
    path: `/api/runs/:id/nodes/:key/${verb}`,
    name: NAMES[verb],
    summary,
    bodyDefault: {},
    body: Type.Object({}, { additionalProperties: false }),
    async handle({ caller, params }) {
      return ok(await runs.actOnNode({ caller, runId: params.id, key: params.key, act: { type } }));
    },
  });
}
