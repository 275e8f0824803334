import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { Inbound } from "../../triggers/mod.ts";
import { isDeeperThan } from "../json_depth.ts";
import type { ServerLimits } from "../ports.ts";
import { readBytes } from "../read_body.ts";
import { reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { nullable } from "../schemas/nullable.ts";
import { IdParams } from "../schemas/parameters.ts";

const Outcome = Type.Object({
  outcome: Type.String({ description: "started, signalled or filtered" }),
  runId: nullable(Type.String()),
  duplicate: Type.Boolean({ description: "The same delivery had come before" }),
});

/** `POST /api/hooks/:id`: for everyone, as the signature vouches for the sender; body and query are the sender's own. */
export function hookRoute(inbound: Inbound, limits: ServerLimits): Route {
  return defineRoute({
    method: "POST",
    path: "/api/hooks/:id",
    name: "receiveWebhook",
    tag: "webhooks",
    summary: "Take a signed delivery of another service, which starts a run or answers a signal",
    scope: null,
    anyQuery: true,
    params: IdParams,
    headers: [
      { name: "webhook-id", description: "The sender's id of the delivery; the same id is the same delivery" },
      { name: "webhook-timestamp", description: "Seconds since the epoch" },
      { name: "webhook-signature", description: "v1,<base64>; the schemes of services have headers of their own" },
    ],
    responses: {
      200: { description: "It had come before, answered a signal, or was filtered out", schema: Outcome },
      202: { description: "A run is durable and goes on", schema: Outcome },
    },
    async handle({ params, headers, request }) {
      const body = await readBytes(request, Math.min(limits.bodyBytes, limits.inputBytes), limits.bodySeconds);
      if (isDeeperThan(new TextDecoder().decode(body), limits.jsonDepth)) {
        throw new CallError("JSON_TOO_DEEP", `Body is nested too deeply: wanted at most ${limits.jsonDepth} levels`);
      }
      const done = await inbound.receive({ id: params.id, headers, query: new URL(request.url).searchParams, body });
      return reply(done.outcome === "started" && !done.duplicate ? 202 : 200, done);
    },
  });
}
