import { type TObject, type TSchema, Type } from "@alkdev/typebox";
import { JsonSchema } from "./json.ts";
import { nullable } from "./nullable.ts";

const time = Type.Integer({ description: "Ms since the epoch" });
const count = Type.Integer({ minimum: 0 });
const literals = (...values: readonly string[]): TSchema => Type.Union(values.map((value) => Type.Literal(value)));
const ErrorSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(JsonSchema),
});
const PlaceSchema = Type.Object({ runId: Type.String(), requestId: Type.String(), rootRunId: Type.String() });
const limit = nullable(Type.Integer());

export const SessionStatusSchema: TSchema = literals("idle", "busy", "waiting", "stopped", "failed");

export const SessionSchema: TObject = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  title: Type.String(),
  createdBy: Type.String(),
  scopes: Type.Array(Type.String(), { description: "The most that it may do" }),
  role: nullable(Type.Object({ name: Type.String(), version: Type.Integer() })),
  agent: Type.Object({
    systemPrompt: Type.String(),
    temperature: nullable(Type.Number()),
    tools: nullable(Type.Object({
      operations: Type.Array(Type.String()),
      workflows: Type.Array(Type.String()),
      approve: Type.Array(Type.String()),
    })),
  }),
  model: Type.String(),
  kind: literals("direct", "runner"),
  status: SessionStatusSchema,
  parentId: nullable(Type.String()),
  spawnedBy: nullable(PlaceSchema),
  forkOf: nullable(Type.Object({ sessionId: Type.String(), messageId: nullable(Type.String()) })),
  workspace: nullable(
    Type.Object({ spoke: Type.String(), directory: Type.String(), branch: nullable(Type.String()) }),
  ),
  limits: Type.Object({ maxSteps: limit, maxTokens: limit, maxCostMicros: limit, maxTurnMs: limit }),
  budget: Type.Object({ steps: limit, tokens: limit, costMicros: limit, timeMs: limit }),
  usage: Type.Object({
    inputTokens: count,
    outputTokens: count,
    costMicros: count,
    steps: count,
    turns: count,
    toolCalls: count,
    toolErrors: count,
    malformedCalls: count,
    turnMs: count,
  }),
  labels: Type.Record(Type.String(), Type.String()),
  turnId: nullable(Type.String({ description: "The turn under way" })),
  runId: nullable(Type.String({ description: "Run of the turn under way, or of the last one" })),
  error: nullable(ErrorSchema),
  lastActivityAt: time,
  createdAt: time,
  updatedAt: time,
}, { $id: "Session" });

/** A part of a message: see docs/guides/agent-sessions.md. */
const PartSchema = Type.Object({ type: Type.String() }, { additionalProperties: true });

export const MessageSchema: TObject = Type.Object({
  id: Type.String(),
  sessionId: Type.String(),
  seq: Type.Integer({ minimum: 1 }),
  role: literals("user", "assistant", "system"),
  parts: Type.Array(PartSchema),
  turnId: nullable(Type.String()),
  runId: nullable(Type.String()),
  step: nullable(Type.Integer()),
  createdAt: time,
}, { $id: "SessionMessage" });

export const TurnSchema: TObject = Type.Object({
  id: Type.String(),
  sessionId: Type.String(),
  n: Type.Integer({ minimum: 1 }),
  status: literals("open", "done", "stopped", "failed"),
  runId: nullable(Type.String()),
  parent: nullable(PlaceSchema),
  steps: count,
  inputTokens: count,
  outputTokens: count,
  costMicros: count,
  error: nullable(ErrorSchema),
  startedAt: time,
  endedAt: nullable(time),
}, { $id: "SessionTurn" });

export const PromptedSchema: TObject = Type.Object({
  message: MessageSchema,
  turnId: Type.String(),
  runId: nullable(Type.String()),
  steered: Type.Boolean({ description: "It reached a turn that was under way" }),
  turn: nullable(TurnSchema),
  text: nullable(Type.String({ description: "What the agent has said last, once its turn has ended within the wait" })),
}, { $id: "Prompted" });
