import { type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import type { TObject } from "@alkdev/typebox";
import type { CallGraphPort, CallPlace } from "./ports.ts";
import type {
  AbortInput,
  AbortOutput,
  DetectInput,
  DetectOutput,
  MessageInput,
  MessageOutput,
  NotifyInput,
  NotifyOutput,
  SpawnInput,
  SpawnOutput,
  StatusInput,
  StatusOutput,
  WaitInput,
  WaitOutput,
} from "./requests.ts";
import {
  AbortInputSchema,
  AbortOutputSchema,
  DetectInputSchema,
  DetectOutputSchema,
  MessageInputSchema,
  MessageOutputSchema,
  NotifyInputSchema,
  NotifyOutputSchema,
  SpawnInputSchema,
  SpawnOutputSchema,
  StatusInputSchema,
  StatusOutputSchema,
  WaitInputSchema,
  WaitOutputSchema,
} from "./schemas.ts";

/** One request: who asks from where, what, and how long it is wanted. */
export interface Request<Input> {
  readonly place: CallPlace;
  readonly input: Input;
  readonly signal: AbortSignal;
}

/** The use cases of coordination. All show and touch what is of the caller's organization only. */
export interface CoordinationPort {
  /** @throws {CallError} SPAWN_DENIED, SPAWN_LIMIT, ROLE_NOT_FOUND, SESSION_NOT_FOUND, VALIDATION_ERROR */
  spawn(request: Request<SpawnInput>): Promise<SpawnOutput>;
  status(request: Request<StatusInput>): Promise<StatusOutput>;
  /** @throws {CallError} MAPPING_NOT_FOUND, MAPPING_ENDED */
  message(request: Request<MessageInput>): Promise<MessageOutput>;
  /** @throws {CallError} NOT_COORDINATED; ABORTED while it waits for an answer */
  notify(request: Request<NotifyInput>): Promise<NotifyOutput>;
  /** @throws {CallError} MAPPING_NOT_FOUND */
  abort(request: Request<AbortInput>): Promise<AbortOutput>;
  /** @throws {CallError} MAPPING_NOT_FOUND */
  wait(request: Request<WaitInput>): Promise<WaitOutput>;
  detect(request: Request<DetectInput>): Promise<DetectOutput>;
}

export type CoordinationScope = "coord:read" | "coord:write" | "coord:notify";

/** What an operation of coordination is, without its handler: routes and documents are made of it too. */
export interface CoordinationSpec {
  readonly name: keyof CoordinationPort;
  readonly type: OperationRegistration["type"];
  readonly title: string;
  readonly description: string;
  readonly scope: CoordinationScope;
  readonly input: TObject;
  readonly output: TObject;
}

export const COORDINATION_SPECS: readonly CoordinationSpec[] = [
  {
    name: "spawn",
    type: OperationType.MUTATION,
    title: "Spawn sessions",
    description:
      "Sets sessions to work on tasks, each with a role, a prompt and, if wanted, a git worktree on a dev spoke. " +
      "Gives their ids at once; wait for them with coord.wait.",
    scope: "coord:write",
    input: SpawnInputSchema,
    output: SpawnOutputSchema,
  },
  {
    name: "status",
    type: OperationType.QUERY,
    title: "What spawned sessions do",
    description: "Tells of spawned sessions: state, current step, last message, cost, anomalies, open questions. " +
      "Without a selection: of the caller's own children.",
    scope: "coord:read",
    input: StatusInputSchema,
    output: StatusOutputSchema,
  },
  {
    name: "message",
    type: OperationType.MUTATION,
    title: "Message a spawned session",
    description:
      "Says something to a spawned session: it sees it at its next step. Answers its question if it waits for an " +
      "answer; sets it to work again if it has ended.",
    scope: "coord:write",
    input: MessageInputSchema,
    output: MessageOutputSchema,
  },
  {
    name: "notify",
    type: OperationType.MUTATION,
    title: "Tell the parent",
    description:
      "Tells whoever has spawned this session something. With level blocking it waits for their answer, or a " +
      "person's, and gives it.",
    scope: "coord:notify",
    input: NotifyInputSchema,
    output: NotifyOutputSchema,
  },
  {
    name: "abort",
    type: OperationType.MUTATION,
    title: "Abort spawned sessions",
    description:
      "Ends spawned sessions with all they have spawned, their runs, calls and processes, and removes their " +
      "worktrees where nothing is lost by it. Branches stay.",
    scope: "coord:write",
    input: AbortInputSchema,
    output: AbortOutputSchema,
  },
  {
    name: "wait",
    type: OperationType.QUERY,
    title: "Wait for spawned sessions",
    description:
      "Waits until all, any or n of the selected sessions have ended, or timeoutMs is over, and gives what they said.",
    scope: "coord:read",
    input: WaitInputSchema,
    output: WaitOutputSchema,
  },
  {
    name: "detect",
    type: OperationType.MUTATION,
    title: "Look for anomalies",
    description:
      "Looks for anomalies of spawned sessions now, and records those that are new. Nothing is done about them.",
    scope: "coord:read",
    input: DetectInputSchema,
    output: DetectOutputSchema,
  },
];

/** `coord.spawn`, `.status`, `.message`, `.notify`, `.abort`, `.wait` and `.detect`. */
export function coordinationOperations(
  coordination: CoordinationPort,
  graph: Pick<CallGraphPort, "place">,
): readonly OperationRegistration[] {
  return COORDINATION_SPECS.map(({ name, type, title, description, scope, input, output }) => ({
    namespace: "coord",
    name,
    version: "1.0.0",
    type,
    title,
    description,
    tags: ["coordination"],
    inputSchema: input,
    outputSchema: output,
    accessControl: { requiredScopes: [scope] },
    handler: async (given: unknown, context: OperationContext) => {
      const place = await graph.place(context);
      // The registry has checked the input against the schema of this very operation.
      const request = { place, input: given as never, signal: context.signal ?? new AbortController().signal };
      return await coordination[name](request);
    },
  }));
}
