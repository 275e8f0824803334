import { type TObject, type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import type { Part, SessionBudget, SessionLimits, SessionWorkspace } from "./session.ts";

const strict = { additionalProperties: false } as const;
const amount = Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]));

/** A JSON Schema with the type of what it checks. */
function typed<T>(schema: TSchema): TUnsafe<T> {
  return Type.Unsafe<T>(schema);
}

export const LimitsSchema: TUnsafe<Partial<SessionLimits>> = typed(Type.Object({
  maxSteps: amount,
  maxTokens: amount,
  maxCostMicros: amount,
  maxTurnMs: amount,
}, { ...strict, description: "What one turn may use; a role's own limits hold as well" }));

export const BudgetSchema: TUnsafe<Partial<SessionBudget>> = typed(Type.Object({
  steps: amount,
  tokens: amount,
  costMicros: amount,
  timeMs: amount,
}, { ...strict, description: "What all turns together may use" }));

export const WorkspaceSchema: TUnsafe<SessionWorkspace> = typed(Type.Object({
  spoke: Type.String({ maxLength: 256 }),
  directory: Type.String({ maxLength: 4096 }),
  branch: Type.Union([Type.String({ maxLength: 1024 }), Type.Null()]),
}, { ...strict, description: "Where it works: the model is told" }));

/** What a person may say. */
export const SaidPartSchema: TUnsafe<Part> = typed(Type.Union([
  Type.Object({ type: Type.Literal("text"), text: Type.String() }, strict),
  Type.Object({
    type: Type.Literal("file"),
    mediaType: Type.String({ maxLength: 256 }),
    url: Type.String({ description: "`https:` or `data:`" }),
    filename: Type.Optional(Type.String({ maxLength: 256 })),
  }, strict),
]));

/** Body of a new session. */
export const CreateSchema: TObject = Type.Object({
  role: Type.Optional(Type.String({ maxLength: 200, description: "`name` or `name@version`" })),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Default: the role's" })),
  title: Type.Optional(Type.String({ maxLength: 200 })),
  prompt: Type.Optional(Type.String({ description: "Begins the first turn" })),
  systemPrompt: Type.Optional(Type.String({ description: "Beside the role's" })),
  kind: Type.Optional(Type.Union([Type.Literal("direct"), Type.Literal("runner")], {
    description: "`runner`: the loop runs on a spoke, at the operation that label `runner` names, or `runner.turn`",
  })),
  parentSessionId: Type.Optional(Type.String({ maxLength: 64 })),
  limits: Type.Optional(LimitsSchema),
  budget: Type.Optional(BudgetSchema),
  workspace: Type.Optional(WorkspaceSchema),
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
}, strict);
