import { CallError } from "@alkdev/operations";
import { Value } from "@alkdev/typebox/value";
import { coversScope } from "../auth/mod.ts";
import { coversPattern } from "./role_tools.ts";
import { type NewRole, type RoleDefinition, RoleDefinitionSchema, RoleName } from "./role.ts";

/** What a role that says nothing may do. */
const NOTHING = { operations: [], workflows: [], approve: [] } as const;
const UNLIMITED = { maxSteps: null, maxTokens: null, maxCostMicros: null, maxTurnMs: null } as const;

/** A definition with all its defaults, lists without repetitions. @throws {CallError} `VALIDATION_ERROR` */
export function readRole(name: string, role: NewRole): RoleDefinition {
  assertRoleName(name);
  const { tools = {}, scopes = [], spawn = null } = role;
  const definition: RoleDefinition = {
    title: role.title ?? name,
    description: role.description ?? "",
    systemPrompt: role.systemPrompt,
    model: role.model ?? null,
    temperature: role.temperature ?? null,
    tools: {
      operations: distinct(tools.operations ?? NOTHING.operations),
      workflows: distinct(tools.workflows ?? NOTHING.workflows),
      approve: distinct(tools.approve ?? NOTHING.approve),
    },
    scopes: distinct(scopes),
    limits: { ...UNLIMITED, ...role.limits },
    spawn: spawn === null ? null : { ...spawn, roles: distinct(spawn.roles) },
  };
  const first = Value.Errors(RoleDefinitionSchema, definition).First();
  if (first !== undefined) throw invalid(first.path, `is not valid: ${first.message}`);
  return definition;
}

/** @throws {CallError} `VALIDATION_ERROR` */
export function assertRoleName(name: string): void {
  const isName: boolean = Value.Check(RoleName, name);
  if (isName) return;
  throw invalid("/name", `is "${name.slice(0, 100)}": wanted lower-case letters, digits, "-" and "_", at most 63`);
}

/** `name` or `name@version`. @throws {CallError} `VALIDATION_ERROR` */
export function parseRoleRef(ref: string): { readonly name: string; readonly version: number | null } {
  const match = /^([a-z][a-z0-9_-]{0,62})(?:@([1-9]\d{0,8}))?$/.exec(ref);
  if (match === null) {
    throw invalid("/role", `is "${ref.slice(0, 100)}": wanted the name of a role, or a version of it as name@2`);
  }
  return { name: match[1] ?? "", version: match[2] === undefined ? null : Number(match[2]) };
}

/**
 * Refuses a role that may do more than who makes it: more scopes, tools that its maker could not call, more or deeper spawning.
 * `acting` is the role in which the maker acts; null: it is a person or a program with a key, whose spawning nothing bounds.
 *
 * @throws {CallError} `ACCESS_DENIED` naming each scope that its maker would need
 */
export function assertWithin(
  name: string,
  definition: RoleDefinition,
  maker: { readonly scopes: readonly string[]; readonly acting: RoleDefinition | null },
  verb: "make" | "archive" = "make",
): void {
  const { tools, scopes } = definition;
  const wanted = [
    ...scopes,
    ...tools.operations.map((pattern) => `operation:call:${pattern}`),
    ...tools.workflows.map((pattern) => `workflow:run:${pattern}`),
  ];
  const missing = wanted.filter((scope) => !coversScope(maker.scopes, scope));
  if (missing.length > 0) {
    const names = missing.slice(0, 10).map((scope) => `"${scope}"`).join(", ");
    throw new CallError("ACCESS_DENIED", `Cannot ${verb} role "${name}": wanted a key that itself holds ${names}`, {
      requiredScopes: missing,
    });
  }
  if (maker.acting !== null) assertWithinRole(`Cannot ${verb} role "${name}"`, definition, maker.acting);
}

/** What a session makes is inside its own role. */
function assertWithinRole(cannot: string, { tools, spawn }: RoleDefinition, acting: RoleDefinition): void {
  const outside = [
    ...tools.operations.filter((pattern) => !coversPattern(acting.tools.operations, pattern)),
    ...tools.workflows.filter((pattern) => !coversPattern(acting.tools.workflows, pattern))
      .map((pattern) => `workflow.${pattern}`),
  ];
  const unapproved = acting.tools.approve.filter((pattern) => !coversPattern(tools.approve, pattern));
  const problem = outside.length > 0
    ? `its maker's role does not have the tools ${outside.map((one) => `"${one}"`).join(", ")}`
    : unapproved.length > 0
    ? `its maker's role asks a person before ${unapproved.map((one) => `"${one}"`).join(", ")}, and it does not`
    : spawnProblem(spawn, acting.spawn);
  if (problem === null) return;
  throw new CallError("ACCESS_DENIED", `${cannot}: ${problem}`, { requiredScopes: [] });
}

function spawnProblem(spawn: RoleDefinition["spawn"], own: RoleDefinition["spawn"]): string | null {
  if (spawn === null) return null;
  if (own === null) return "its maker's role may spawn nothing";
  const others = spawn.roles.filter((role) => !own.roles.includes(role));
  if (others.length > 0) {
    return `its maker's role may not spawn ${others.map((role) => `"${role}"`).join(", ")}`;
  }
  if (spawn.maxDepth >= own.maxDepth) {
    return `it may spawn ${spawn.maxDepth} deep: wanted less than its maker's ${own.maxDepth}`;
  }
  return spawn.maxBreadth <= own.maxBreadth
    ? null
    : `it may spawn ${spawn.maxBreadth} at a time: wanted at most its maker's ${own.maxBreadth}`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", `Field "${path.slice(1).replaceAll("/", ".")}" ${message}`, {
    errors: [{ path, message }],
  });
}
