import { CallError } from "@alkdev/operations";
import { coversScope } from "../auth/mod.ts";
import type { Caller } from "../runs/mod.ts";
import { NO_BUDGET, NO_LIMITS, tighter, withDefaults } from "./limits.ts";
import type { SessionsOptions } from "./options.ts";
import type { NewSession, SessionRole } from "./ports.ts";
import { invalid, sessionNotFound } from "./session_error.ts";
import type { CreateSession } from "./session_requests.ts";
import type { Session, SessionBudget, SessionLimits, SessionOwner } from "./session.ts";

const LABEL_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
const MAX_LABELS = 32;
const MAX_LABEL_VALUE = 256;
const MAX_TITLE = 200;
const MAX_PROMPT = 64 * 1024;
/** Sessions inside sessions at most. */
const MAX_DEPTH = 16;

/** The session that is asked for, checked. @throws CallError ROLE_NOT_FOUND, SESSION_NOT_FOUND, VALIDATION_ERROR */
export async function newSessionOf(options: SessionsOptions, request: CreateSession): Promise<NewSession> {
  const { caller, systemPrompt = "", title, labels = {}, workspace = null, parent = null } = request;
  check(request);
  const { orgId } = caller;
  const role = request.role === undefined ? null : await options.roles.resolve({ orgId, ref: request.role });
  const above = await parentOf(options, caller, request.parentSessionId);
  const id = options.ids.runId();
  const named = titleOf(title ?? request.prompt ?? "");
  return {
    id,
    orgId,
    slug: slugOf(named, id),
    title: named,
    createdBy: caller.identity.id,
    owner: ownerOf(caller, role, above),
    role: role === null ? null : { name: role.name, version: role.version },
    agent: {
      systemPrompt: [role?.systemPrompt ?? "", systemPrompt].filter((one) => one !== "").join("\n\n"),
      temperature: role?.temperature ?? null,
      tools: role?.tools ?? null,
    },
    model: request.model ?? role?.model ?? await firstModel(options, orgId),
    kind: request.kind ?? "direct",
    parentId: above?.id ?? null,
    spawnedBy: parent,
    forkOf: null,
    workspace,
    limits: withDefaults(tighter(role?.limits ?? NO_LIMITS, limitsOf(request.limits))),
    budget: { ...NO_BUDGET, ...request.budget },
    labels,
    createdAt: options.clock.now(),
  };
}

/** The first words, as a title. */
export function titleOf(text: string): string {
  const line = text.trim().split("\n", 1)[0]?.replace(/\s+/g, " ").trim() ?? "";
  if (line === "") return "New session";
  return line.length <= 80 ? line : `${line.slice(0, 79).trimEnd()}…`;
}

export function checkTitle(title: string): string {
  const text = title.replace(/\s+/g, " ").trim();
  if (text === "" || text.length > MAX_TITLE) {
    throw invalid("/title", `A title has 1 to ${MAX_TITLE} characters, not ${text.length}`);
  }
  return text;
}

export function slugOf(title: string, id: string): string {
  const words = title.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 48);
  return `${words === "" ? "session" : words}-${id.replaceAll("-", "").slice(-12)}`;
}

const MODEL = "model:";
const isOfModel = (scope: string): boolean => scope.startsWith(MODEL);

/**
 * What both may do: of two scopes that cover each other, the narrower one. Who has no scope `model:…` may call every model, so that
 * one side's must not get lost where the other has none; where they have no model in common, none is left.
 */
export function narrowed(scopes: readonly string[], by: readonly string[]): readonly string[] {
  const kept = [
    ...scopes.filter((scope) => coversScope(by, scope)),
    ...by.filter((scope) => coversScope(scopes, scope)),
  ];
  const [mine, theirs] = [scopes.filter(isOfModel), by.filter(isOfModel)];
  if (!kept.some(isOfModel) && mine.length + theirs.length > 0 && !kept.includes("*")) {
    kept.push(...mine.length > 0 && theirs.length > 0 ? [MODEL] : [...mine, ...theirs]);
  }
  return [...new Set(kept)];
}

function ownerOf(caller: Caller, role: SessionRole | null, above: Session | null): SessionOwner {
  const { identity } = caller;
  const scopes = role === null ? identity.scopes : narrowed(identity.scopes, role.scopes);
  return { keyId: caller.keyId ?? above?.owner.keyId ?? null, identity: { ...identity, scopes } };
}

async function parentOf(options: SessionsOptions, { orgId }: Caller, id: string | undefined): Promise<Session | null> {
  if (id === undefined) return null;
  const parent = await options.store.get({ orgId, sessionId: id });
  if (parent === null) throw sessionNotFound(id);
  let depth = 1;
  for (let at = parent; at.parentId !== null; depth++) {
    const next = await options.store.get({ orgId, sessionId: at.parentId });
    if (next === null) break;
    if (depth >= MAX_DEPTH) {
      throw new CallError("DEPTH_EXCEEDED", `Sessions are nested at most ${MAX_DEPTH} deep`, { limit: MAX_DEPTH });
    }
    at = next;
  }
  return parent;
}

async function firstModel({ models }: SessionsOptions, orgId: string): Promise<string> {
  const [first] = await models.models(orgId);
  if (first !== undefined) return first;
  throw invalid("/model", "There is no model: name one, give the role one, or add a client of type llm-provider");
}

function limitsOf(limits: Partial<SessionLimits> = {}): SessionLimits {
  return { ...NO_LIMITS, ...limits };
}

function check({ limits = {}, budget = {}, labels = {}, systemPrompt = "", title }: CreateSession): void {
  if (title !== undefined) checkTitle(title);
  for (const [name, value] of Object.entries(limits)) checkAmount(`/limits/${name}`, value);
  for (const [name, value] of Object.entries(budget) as [keyof SessionBudget, number | null][]) {
    checkAmount(`/budget/${name}`, value);
  }
  if (systemPrompt.length > MAX_PROMPT) {
    throw invalid("/systemPrompt", `At most ${MAX_PROMPT} characters, not ${systemPrompt.length}`);
  }
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) throw invalid("/labels", `At most ${MAX_LABELS} labels, not ${entries.length}`);
  for (const [key, value] of entries) {
    if (!LABEL_KEY.test(key)) throw invalid(`/labels/${key}`, `Label "${key}" must match ${LABEL_KEY.source}`);
    if (value.length > MAX_LABEL_VALUE) throw invalid(`/labels/${key}`, `At most ${MAX_LABEL_VALUE} characters`);
  }
}

function checkAmount(path: string, value: number | null | undefined): void {
  if (value === null || value === undefined || Number.isSafeInteger(value) && value >= 1) return;
  throw invalid(path, `Wanted a whole number from 1 on, or null, not ${value}`);
}
