import {
  type Static,
  type TArray,
  type TInteger,
  type TNull,
  type TNumber,
  type TObject,
  type TOptional,
  type TString,
  type TUnion,
  Type,
} from "@alkdev/typebox";

type Texts = TArray<TString>;
type OrNull<T extends TString | TInteger | TNumber | TSpawn> = TUnion<[T, TNull]>;
type TSpawn = TObject<{ roles: Texts; maxDepth: TInteger; maxBreadth: TInteger }>;
type TTools = TObject<{ operations: Texts; workflows: Texts; approve: Texts }>;
type TLimits = TObject<{
  maxSteps: OrNull<TInteger>;
  maxTokens: OrNull<TInteger>;
  maxCostMicros: OrNull<TInteger>;
  maxTurnMs: OrNull<TInteger>;
}>;

/** Lower-case letters, digits, `-` and `_`. */
export const RoleName: TString = Type.String({ pattern: "^[a-z][a-z0-9_-]{0,62}$" });
/** `fs.read`, `fs.*`, `*`: a star stands at the end. */
const Pattern: TString = Type.String({ pattern: "^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,198}\\*?$|^\\*$" });
const Scope: TString = Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\x00-\\x20\\x7f]+$" });
const Patterns: Texts = Type.Array(Pattern, { maxItems: 200 });
const count = (maximum: number): OrNull<TInteger> => Type.Union([Type.Integer({ minimum: 1, maximum }), Type.Null()]);

const Tools: TTools = Type.Object({
  operations: Type.Array(Pattern, { maxItems: 200, description: "Operations that it may call, as patterns" }),
  workflows: Type.Array(Pattern, { maxItems: 200, description: "Workflows that it may run, as patterns" }),
  approve: Type.Array(Pattern, {
    maxItems: 200,
    description: "Those of its tools that need a person's yes; a workflow is workflow.<name>",
  }),
}, { additionalProperties: false });

const Limits: TLimits = Type.Object({
  maxSteps: count(100_000),
  maxTokens: count(Number.MAX_SAFE_INTEGER),
  maxCostMicros: count(Number.MAX_SAFE_INTEGER),
  maxTurnMs: count(30 * 86_400_000),
}, { additionalProperties: false, description: "Of one turn of a session; null: no limit but those around it" });

const Spawn: TSpawn = Type.Object({
  roles: Type.Array(RoleName, { maxItems: 100, description: "Roles of the sessions that it may spawn" }),
  maxDepth: Type.Integer({ minimum: 1, maximum: 32, description: "Generations below it" }),
  maxBreadth: Type.Integer({ minimum: 1, maximum: 1000, description: "Children of one session at a time" }),
}, { additionalProperties: false });

/** What a role says: how a session that has it behaves, and the most that it may do. */
export const RoleDefinitionSchema: TObject<{
  title: TString;
  description: TString;
  systemPrompt: TString;
  model: OrNull<TString>;
  temperature: OrNull<TNumber>;
  tools: TTools;
  scopes: Texts;
  limits: TLimits;
  spawn: OrNull<TSpawn>;
}> = Type.Object({
  title: Type.String({ maxLength: 200 }),
  description: Type.String({ maxLength: 4_000 }),
  systemPrompt: Type.String({ maxLength: 65_536, description: "What the model is told first" }),
  model: Type.Union([Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" }), Type.Null()], {
    description: "Null: the session's, or the hub's default",
  }),
  temperature: Type.Union([Type.Number({ minimum: 0, maximum: 2 }), Type.Null()]),
  tools: Tools,
  scopes: Type.Array(Scope, { maxItems: 200, description: "The most that a session in it may do" }),
  limits: Limits,
  spawn: Type.Union([Spawn, Type.Null()], { description: "Null: it may spawn nothing" }),
}, { additionalProperties: false });

export type RoleDefinition = Static<typeof RoleDefinitionSchema>;

/** A definition as it comes in: what is left out has a default, which allows nothing. */
export const NewRoleSchema: TObject<{
  title: TOptional<TString>;
  description: TOptional<TString>;
  systemPrompt: TString;
  model: TOptional<OrNull<TString>>;
  temperature: TOptional<OrNull<TNumber>>;
  tools: TOptional<TObject<{ operations: TOptional<Texts>; workflows: TOptional<Texts>; approve: TOptional<Texts> }>>;
  scopes: TOptional<Texts>;
  limits: TOptional<
    TObject<{
      maxSteps: TOptional<OrNull<TInteger>>;
      maxTokens: TOptional<OrNull<TInteger>>;
      maxCostMicros: TOptional<OrNull<TInteger>>;
      maxTurnMs: TOptional<OrNull<TInteger>>;
    }>
  >;
  spawn: TOptional<OrNull<TSpawn>>;
}> = Type.Object({
  title: Type.Optional(RoleDefinitionSchema.properties.title),
  description: Type.Optional(RoleDefinitionSchema.properties.description),
  systemPrompt: RoleDefinitionSchema.properties.systemPrompt,
  model: Type.Optional(RoleDefinitionSchema.properties.model),
  temperature: Type.Optional(RoleDefinitionSchema.properties.temperature),
  tools: Type.Optional(Type.Object({
    operations: Type.Optional(Patterns),
    workflows: Type.Optional(Patterns),
    approve: Type.Optional(Patterns),
  }, { additionalProperties: false })),
  scopes: Type.Optional(RoleDefinitionSchema.properties.scopes),
  limits: Type.Optional(Type.Object({
    maxSteps: Type.Optional(Limits.properties.maxSteps),
    maxTokens: Type.Optional(Limits.properties.maxTokens),
    maxCostMicros: Type.Optional(Limits.properties.maxCostMicros),
    maxTurnMs: Type.Optional(Limits.properties.maxTurnMs),
  }, { additionalProperties: false })),
  spawn: Type.Optional(RoleDefinitionSchema.properties.spawn),
}, { additionalProperties: false });

export type NewRole = Static<typeof NewRoleSchema>;

/** One version of a role. Versions count from 1 and never change; times are ms since the epoch. */
export interface Role extends RoleDefinition {
  /** Of the role, the same for all its versions. */
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly version: number;
  /** True: this version came with the hub. */
  readonly builtIn: boolean;
  /** Account; `hub` for what came with it. */
  readonly createdBy: string;
  readonly createdAt: number;
  /** Null: it can be given to new sessions. Of the role, not of the version. */
  readonly archivedAt: number | null;
}

/** `name` or `name@version`, as a reference is written. */
export function roleRef({ name, version }: Pick<Role, "name" | "version">): string {
  return `${name}@${version}`;
}
