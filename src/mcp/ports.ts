/** What the MCP edge needs beside the run use cases. */
import type { OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Principal } from "../auth/mod.ts";
import type { Caller, Runs, WorkflowCatalog } from "../runs/mod.ts";

/** Operations as one caller may see and call them. Errors are `CallError`s. */
export interface OperationsPort {
  list(caller: Caller): readonly OperationSpec[];
  spec(caller: Caller, operationId: string): OperationSpec | undefined;
  call(
    request: {
      readonly caller: Caller;
      readonly operationId: string;
      readonly input: unknown;
      readonly signal: AbortSignal;
    },
  ): Promise<ResponseEnvelope>;
}

/** A prompt of one role, or of another source that has texts ready. */
export interface PromptText {
  /** Unique among the prompts of a caller. */
  readonly name: string;
  readonly title: string | null;
  readonly description: string | null;
  /** The text. `{{name}}` stands for the argument of that name; each is then an argument of the prompt. */
  readonly text: string;
}

/** Texts that are offered as prompts to whoever may see roles: those of roles. */
export interface PromptSource {
  list(caller: Caller): Promise<readonly PromptText[]>;
}

/** What a request may ask for. */
export interface McpLimits {
  /** Of a whole body; larger is 413. */
  readonly bodyBytes: number;
  /** Of a tool's arguments, as JSON. */
  readonly inputBytes: number;
  /** Nesting of JSON; deeper is refused. */
  readonly jsonDepth: number;
  /** How long a body may take to come in. */
  readonly bodySeconds: number;
}

/** Everything the edge is made of. */
export interface McpDeps {
  readonly runs: Runs;
  readonly workflows: WorkflowCatalog;
  readonly operations: OperationsPort;
  /** Absent: only workflows with `expose: "prompt"` are prompts. */
  readonly prompts?: PromptSource;
  /** Before a run is started; a throw refuses it. */
  readonly onStart?: (principal: Principal) => Promise<unknown>;
  /** Told of each message that was refused for want of a scope, and what it asked for: `tools/call hub.call`. */
  readonly onRefused?: (
    refusal: {
      readonly request: Request;
      readonly principal: Principal;
      readonly asked: string;
      readonly code: string;
    },
  ) => void;
  readonly version: string;
  readonly limits: McpLimits;
  /**
   * For what clients hand back between rounds, at least 32 bytes each, the same on every hub: the first signs, and what any of
   * them has signed is taken. Null: one of this process.
   */
  readonly stateKeys: readonly [Uint8Array, ...Uint8Array[]] | null;
  /** Host names (no ports) that `Host` and `Origin` may have; null: any `Host`, and an `Origin` of the same name. */
  readonly allowedHosts: readonly string[] | null;
  readonly log: { error(message: string, properties: Record<string, unknown>): void };
  /** Default: {@linkcode DEFAULT_TIMES}. */
  readonly times?: Partial<McpTimes>;
}

/** In ms. */
export interface McpTimes {
  /** A call that takes longer becomes a task, where its client knows tasks. */
  readonly taskAfter: number;
  /** A run that asks is given this long to ask the rest. */
  readonly settle: number;
  /** How often lists are compared while somebody listens to their changes. */
  readonly listPoll: number;
  /** A session of the 2025 revisions that is not used for this long ends. */
  readonly sessionIdle: number;
  /** Between two looks that a client should take at a task. */
  readonly taskPoll: number;
}

export const DEFAULT_TIMES: McpTimes = {
  taskAfter: 500,
  settle: 25,
  listPoll: 500,
  sessionIdle: 30 * 60_000,
  taskPoll: 500,
};

/** What answers at `/mcp`. */
export interface Mcp {
  /** Never rejects for what a client sent. */
  handle(request: Request, principal: Principal): Promise<Response>;
  /** Ends every session and stream. Idempotent. */
  close(): Promise<void>;
}
