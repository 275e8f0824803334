/** Coordination over memory, with time that a test moves. */
import assert from "node:assert/strict";
import { VirtualClock } from "../../engine/memory/mod.ts";
import { CallError } from "@alkdev/operations";
import type { Json } from "@alkdev/flowgraph";
import { Coordination } from "./coordination.ts";
import { createMemoryCoordinationStore } from "./memory_coordination_store.ts";
import { MemorySessions } from "./memory_sessions.ts";
import { MemoryWorktrees } from "./memory_worktrees.ts";
import { DEFAULT_TREE_LIMITS, type TreeLimits } from "./options.ts";
import type { Request } from "./operations.ts";
import type { CallPlace, CoordinationStore, SpawnRights } from "./ports.ts";
import type { SpawnInput } from "./requests.ts";

export interface World {
  readonly coordination: Coordination;
  readonly store: CoordinationStore;
  readonly sessions: MemorySessions;
  readonly worktrees: MemoryWorktrees;
  readonly clock: VirtualClock;
  readonly audited: { action: string; details: Readonly<Record<string, unknown>> }[];
  readonly rights: Map<string, SpawnRights["spawn"]>;
  /** Answers by run; a question without one waits. */
  readonly questions: Map<string, PromiseWithResolvers<Json>>;
  /** Runs that were aborted. */
  readonly aborted: Set<string>;
  readonly warnings: string[];
  /** As after a kill: another one over the same store, sessions and worktrees. */
  restart(): Coordination;
  /** Lets time pass and what is due be done. */
  pass(ms: number): Promise<void>;
}

let calls = 0;

/** A call in a turn of a session; `key` as the call graph gives it. */
export function placeIn(sessionId: string | null, more: Partial<CallPlace> = {}): CallPlace {
  return {
    caller: { identity: { id: "me", scopes: ["*"] }, orgId: "a" },
    parent: sessionId === null ? null : { runId: `turn-of-${sessionId}`, requestId: "request", rootRunId: "root" },
    key: `call-${++calls}`,
    sessionId,
    ...more,
  };
}

export function request<Input>(
  place: CallPlace,
  input: Input,
  signal: AbortSignal = new AbortController().signal,
): Request<Input> {
  return { place, input, signal };
}

export function world(limits: Partial<TreeLimits> = {}): World {
  const clock = new VirtualClock(1_000_000);
  const store = createMemoryCoordinationStore();
  const sessions = new MemorySessions(() => clock.now());
  const worktrees = new MemoryWorktrees(["dev-1", "dev-2"]);
  const audited: World["audited"] = [];
  const rights: World["rights"] = new Map();
  const questions: World["questions"] = new Map();
  const aborted = new Set<string>();
  const warnings: string[] = [];
  let fresh = 0;
  const make = () =>
    new Coordination({
      store,
      sessions,
      worktrees,
      clock,
      roles: {
        rights: ({ role }) => {
          const spawn = rights.get(role.split("@", 1)[0] ?? "");
          if (spawn === undefined) throw new CallError("ROLE_NOT_FOUND", `There is no role "${role}"`);
          return Promise.resolve({ role, spawn });
        },
      },
      graph: {
        place: () => Promise.reject(new Error("not called from here")),
        current: () => Promise.resolve([]),
        wasAborted: ({ runId }) => Promise.resolve(aborted.has(runId)),
        ask({ key }) {
          const runId = `question-${key}`;
          if (!questions.has(runId)) questions.set(runId, Promise.withResolvers());
          return Promise.resolve({ runId });
        },
        answerOf({ runId, signal }) {
          const { promise, reject } = questions.get(runId)!;
          signal.addEventListener("abort", () => reject(new CallError("ABORTED", "Aborted")), { once: true });
          return promise;
        },
        answer({ runId, payload }) {
          questions.get(runId)?.resolve(payload);
          return Promise.resolve(questions.has(runId));
        },
      },
      audit: {
        acted({ action, details }) {
          audited.push({ action, details });
          return Promise.resolve();
        },
      },
      // A name is as good an id as any that is made of it.
      ids: { fresh: () => `fresh-${++fresh}`, of: idOf },
      limits: { ...DEFAULT_TREE_LIMITS, ...limits },
      log: { warn: (message, { error }) => void warnings.push(`${message} ${error}`) },
    });
  let coordination = make();
  return {
    get coordination() {
      return coordination;
    },
    ...{ store, sessions, worktrees, clock, audited, rights, questions, aborted, warnings },
    restart: () => coordination = make(),
    async pass(ms) {
      for (const end = clock.now() + ms; clock.now() < end;) {
        clock.advance(Math.min(1_000, end - clock.now()));
        await settled();
        await coordination.sweep();
      }
    },
  };
}

/** Looks like a UUID: pieces of ids end up in names of branches. */
function idOf(name: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  const hex = hash.toString(16).padStart(16, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`;
}

/** What was woken has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Whether it is a CallError with a code, and these among its details. */
export const hasCode = (code: string, details: Record<string, unknown> = {}) => (error: unknown): boolean => {
  assert.ok(error instanceof CallError, `wanted a CallError, got ${error}`);
  assert.equal(error.code, code);
  const given = error.details as Record<string, unknown>;
  for (const [name, value] of Object.entries(details)) assert.equal(given[name], value);
  return true;
};

export const THREE: SpawnInput = {
  tasks: [{ task: "Fix the login" }, { task: "Write docs", prompt: "Write them" }, { task: "Test" }],
  prompt: "Please do: {{task}}",
  workspace: {},
};
