import { CallError, hasScope } from "@alkdev/operations";
import type { SessionTrace } from "./detect/session_trace.ts";
import type { SessionsPort, SessionState } from "./ports.ts";

type Created = Parameters<SessionsPort["create"]>[0];

interface Entry {
  readonly id: string;
  readonly created: Created | null;
  state: SessionState;
  trace: SessionTrace;
  /** What was said to it, in order. */
  readonly said: string[];
}

const NO_USAGE = {
  inputTokens: 0,
  outputTokens: 0,
  costMicros: 0,
  steps: 0,
  turns: 0,
  toolCalls: 0,
  toolErrors: 0,
  malformedCalls: 0,
};

/** Sessions in memory, whose models are whoever calls {@linkcode MemorySessions.end}: the reference. */
export class MemorySessions implements SessionsPort {
  readonly #sessions = new Map<string, Entry>();
  /** Session by the key of its creation. */
  readonly #byKey = new Map<string, string>();
  readonly #prompts = new Set<string>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get ids(): readonly string[] {
    return [...this.#sessions.keys()];
  }

  /** A session that nobody has spawned. */
  lead(role: string | null = null): string {
    return this.#add(null, role, "idle").id;
  }

  createdAs(id: string): Created | null {
    return this.#entry(id).created;
  }

  said(id: string): readonly string[] {
    return this.#entry(id).said;
  }

  /** Its turn ends. */
  end(id: string, status: "idle" | "failed" | "stopped", text?: string): void {
    const entry = this.#entry(id);
    const { state } = entry;
    entry.state = {
      ...state,
      status,
      runId: null,
      lastMessage: text === undefined ? state.lastMessage : { role: "assistant", text },
      error: status === "failed" ? { code: "PROVIDER_FAILED", message: text ?? "It failed" } : null,
      usage: { ...state.usage, turns: state.usage.turns + 1 },
      lastActivityAt: this.#now(),
    };
  }

  set(id: string, change: Partial<SessionState>, trace: Partial<SessionTrace> = {}): void {
    const entry = this.#entry(id);
    entry.state = { ...entry.state, ...change };
    entry.trace = { ...entry.trace, ...trace };
  }

  forget(id: string): void {
    this.#sessions.delete(id);
  }

  create(params: Created): ReturnType<SessionsPort["create"]> {
    const known = this.#byKey.get(params.key);
    if (known !== undefined) return Promise.resolve({ sessionId: known });
    const { id } = this.#add(params, params.role, "busy");
    this.#byKey.set(params.key, id);
    return Promise.resolve({ sessionId: id });
  }

  prompt({ sessionId, key, text }: Parameters<SessionsPort["prompt"]>[0]): Promise<void> {
    const entry = this.#sessions.get(sessionId);
    if (entry === undefined) return Promise.reject(notFound(sessionId));
    if (this.#prompts.has(key)) return Promise.resolve();
    this.#prompts.add(key);
    entry.said.push(text);
    const { state } = entry;
    const lastMessage = { role: "user", text } as const;
    entry.state = { ...state, status: "busy", runId: state.runId ?? `run-${key}`, lastMessage, error: null };
    return Promise.resolve();
  }

  assertMayPrompt({ caller, sessionId }: Parameters<SessionsPort["assertMayPrompt"]>[0]): Promise<void> {
    const owner = this.#sessions.get(sessionId)?.created?.caller.identity;
    const { scopes } = caller.identity;
    const missing = (owner?.scopes ?? []).filter((scope) => !hasScope(scopes, scope));
    if (missing.length === 0) return Promise.resolve();
    return Promise.reject(new CallError("ACCESS_DENIED", `Cannot prompt session "${sessionId}"`, { missing }));
  }

  stop({ sessionId }: Parameters<SessionsPort["stop"]>[0]): Promise<void> {
    const status = this.#sessions.get(sessionId)?.state.status;
    if (status === "busy" || status === "waiting") this.end(sessionId, "stopped");
    return Promise.resolve();
  }

  state({ sessionId }: Parameters<SessionsPort["state"]>[0]): Promise<SessionState | null> {
    return Promise.resolve(this.#sessions.get(sessionId)?.state ?? null);
  }

  trace({ sessionId }: Parameters<SessionsPort["trace"]>[0]): Promise<SessionTrace | null> {
    const entry = this.#sessions.get(sessionId);
    if (entry === undefined) return Promise.resolve(null);
    const { status, runId, lastActivityAt, usage: { costMicros } } = entry.state;
    return Promise.resolve({ ...entry.trace, status, runId, lastActivityAt, costMicros });
  }

  #add(created: Created | null, role: string | null, status: "idle" | "busy"): Entry {
    const id = `session-${this.#sessions.size + 1}`;
    const now = this.#now();
    const entry: Entry = {
      id,
      created,
      said: created === null ? [] : [created.prompt],
      state: {
        status,
        role: role === null ? null : role.includes("@") ? role : `${role}@1`,
        runId: status === "busy" ? `run-${id}` : null,
        lastMessage: created === null ? null : { role: "user", text: created.prompt },
        error: null,
        usage: NO_USAGE,
        lastActivityAt: now,
      },
      trace: {
        status,
        runId: null,
        lastActivityAt: now,
        toolErrors: 0,
        malformedCalls: 0,
        costMicros: 0,
        steps: [],
      },
    };
    this.#sessions.set(id, entry);
    return entry;
  }

  #entry(id: string): Entry {
    const found = this.#sessions.get(id);
    if (found === undefined) throw notFound(id);
    return found;
  }
}

function notFound(sessionId: string): CallError {
  return new CallError("SESSION_NOT_FOUND", `There is no session "${sessionId}"`, { session: sessionId });
}
