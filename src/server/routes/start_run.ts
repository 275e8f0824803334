import { type TRecord, type TString, Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import type { Caller, RunView, StartRun } from "../../runs/mod.ts";
import type { ServerDeps } from "../ports.ts";
import { readWaitMs } from "../prefer.ts";
import { assertFieldSize } from "../read_body.ts";
import { type Reply, reply } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { type BudgetBody, BudgetSchema } from "../schemas/budgets.ts";
import { JsonSchema } from "../schemas/json.ts";
import { instant, Name, NameParams } from "../schemas/parameters.ts";
import { AwaitedRunSchema, StartedRunSchema } from "../schemas/runs.ts";

/** Labels of a run: at most 64, of 256 characters. */
export const Labels: TRecord<TString, TString> = Type.Record(
  Type.String({ minLength: 1, maxLength: 128, pattern: "^[^\\x00-\\x1f\\x7f=]{1,128}$" }),
  Type.String({ maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" }),
  { maxProperties: 64, additionalProperties: false },
);

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** `POST /api/workflows/:name/runs`, the hot route. */
export function startRunRoute({ runs, limits }: ServerDeps): Route {
  return defineRoute({
    method: "POST",
    path: "/api/workflows/:name/runs",
    name: "startRun",
    tag: "runs",
    summary: "Start a run",
    scope: "workflow:run",
    params: NameParams,
    bodyDefault: {},
    body: Type.Object({
      input: Type.Optional(JsonSchema),
      version: Type.Optional(Name),
      priority: Type.Optional(
        Type.Integer({ minimum: -1000, maximum: 1000, description: "Higher first; 0 is normal" }),
      ),
      startAfter: Type.Optional(
        Type.Union([instant(), Type.String({ minLength: 10, maxLength: 40 })], {
          description: "Not before: ms since the epoch, or an ISO instant",
        }),
      ),
      labels: Type.Optional(Labels),
      budget: Type.Optional(BudgetSchema),
    }, { additionalProperties: false }),
    headers: [
      { name: "Idempotency-Key", description: "1 to 255 visible ASCII characters; the same key is the same run" },
      { name: "traceparent", description: "W3C trace context that the run joins" },
      { name: "Prefer", description: "wait=<seconds>: answer with the output when the run ends within them" },
    ],
    responses: {
      200: { description: "The run has ended within the wait", schema: AwaitedRunSchema },
      202: {
        description: "The run is durable and goes on; after a wait, as it is then",
        schema: Type.Union([StartedRunSchema, AwaitedRunSchema]),
      },
    },
    async handle({ caller, params, body, bodyBytes, headers }) {
      assertFieldSize("input", body.input, bodyBytes, limits.inputBytes);
      const started = await runs.start(toStart(caller, params.name, body, headers));
      const location = runUrl(started.id);
      const waitMs = readWaitMs(headers, limits.maxWaitSeconds);
      if (waitMs > 0) return await waited({ runs, caller, runId: started.id, waitMs, duplicate: started.duplicate });
      const { id, status, duplicate } = started;
      return reply(202, { id, status, duplicate, url: location }, { location });
    },
  });
}

/** Where a run is seen. */
export function runUrl(id: string): string {
  return `/api/runs/${id}`;
}

interface StartBody {
  readonly input?: unknown;
  readonly version?: string;
  readonly priority?: number;
  readonly startAfter?: number | string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly budget?: BudgetBody;
}

function toStart(
  caller: Caller,
  workflow: string,
  body: StartBody,
  headers: Headers,
): StartRun {
  const idempotencyKey = readIdempotencyKey(headers);
  const traceparent = headers.get("traceparent");
  // An input that was not given is an empty one: most workflows take an object, and many have defaults for all of it.
  const { input = {}, startAfter, ...rest } = body;
  return {
    workflow,
    caller,
    input,
    ...rest,
    ...(startAfter === undefined ? {} : { startAfter: readInstant(startAfter) }),
    ...(idempotencyKey === null ? {} : { idempotencyKey }),
    ...(traceparent === null ? {} : { traceparent }),
  };
}

async function waited(
  { runs, caller, runId, waitMs, duplicate }: {
    readonly runs: ServerDeps["runs"];
    readonly caller: Caller;
    readonly runId: string;
    readonly waitMs: number;
    readonly duplicate: boolean;
  },
): Promise<Reply> {
  const view = await runs.wait({ caller, runId, ms: waitMs });
  const location = runUrl(runId);
  return reply(hasEnded(view) ? 200 : 202, { ...view, duplicate, url: location }, {
    location,
    "preference-applied": `wait=${waitMs / 1000}`,
  });
}

function hasEnded({ status }: RunView): boolean {
  return status === "completed" || status === "failed" || status === "aborted";
}

function readIdempotencyKey(headers: Headers): string | null {
  const key = headers.get("idempotency-key");
  if (key === null || IDEMPOTENCY_KEY.test(key)) return key;
  const message = `is ${JSON.stringify(key.slice(0, 80))}: wanted 1 to 255 visible ASCII characters`;
  throw new CallError("VALIDATION_ERROR", `Header "idempotency-key" ${message}`, {
    errors: [{ path: "idempotency-key", message }],
  });
}

function readInstant(value: number | string): number {
  const instant = typeof value === "number" ? value : Date.parse(value);
  if (Number.isSafeInteger(instant) && instant >= 0) return instant;
  const message = `is ${JSON.stringify(value)}: wanted ms since the epoch or an ISO instant`;
  throw new CallError("VALIDATION_ERROR", `Field "startAfter" ${message}`, {
    errors: [{ path: "/startAfter", message }],
  });
}
