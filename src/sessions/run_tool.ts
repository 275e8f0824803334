import type { Json } from "@alkdev/flowgraph";
import { CallError, type OperationContext, type ResponseEnvelope } from "@alkdev/operations";
import { timeLeft } from "./limits.ts";
import type { SessionsOptions } from "./options.ts";
import { isToolEnded, type Session, type SessionTurn, type ToolPart } from "./session.ts";
import type { PendingCall } from "./tool_calls.ts";
import { matches } from "./tool_set.ts";

/** What a person has said of a call. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  readonly reason?: string;
}

/** What became of a call, as the run's log has it. */
export interface ToolOutcome {
  readonly toolCallId: string;
  readonly state: ToolPart["state"];
  readonly output?: Json;
  readonly errorText?: string;
}

const LONGEST_MS = 30 * 60_000;
/** Characters of an output that is kept in the session. */
const MAX_KEPT = 1_000_000;
/** Characters of one that is also kept in the run's log. */
const MAX_LOGGED = 64_000;

/** Carries a call of a tool out; whatever goes wrong with it is its result. @throws CallError ABORTED alone */
export async function runTool(
  options: SessionsOptions,
  params: {
    readonly session: Session;
    readonly turn: SessionTurn;
    readonly messageId: string;
    readonly call: PendingCall;
    readonly answer: ApprovalAnswer | null;
    readonly context: OperationContext;
  },
): Promise<ToolOutcome> {
  const { session, turn, messageId, call, answer, context } = params;
  const { store, feed, clock } = options;
  const key = { orgId: session.orgId, sessionId: session.id };
  const tell = async (change: Pick<ToolPart, "state" | "output" | "errorText">): Promise<ToolPart> => {
    const { toolCallId } = call;
    const part = await store.tool({ turnId: turn.id, messageId, toolCallId, change, at: clock.now() });
    if (part === null) throw new CallError("VALIDATION_ERROR", `Message "${messageId}" has no call "${toolCallId}"`);
    feed.publish(key, { type: "tool", turnId: turn.id, messageId, part });
    return part;
  };
  const before = await store.stepOf({ turnId: turn.id, requestId: messageId });
  const known = before?.parts.find((part): part is ToolPart =>
    part.type === "tool" && part.toolCallId === call.toolCallId
  );
  if (known !== undefined && isToolEnded(known)) return outcomeOf(known);
  if (call.approve) {
    if (answer?.approved !== true) {
      return outcomeOf(await tell({ state: "output-denied", ...reasonOf(answer) }));
    }
    await tell({ state: "input-available" });
  }
  return outcomeOf(await tell(await attempt(options, { session, turn, call, context })));
}

async function attempt(
  { tools, clock }: SessionsOptions,
  { session, turn, call, context }: {
    readonly session: Session;
    readonly turn: SessionTurn;
    readonly call: PendingCall;
    readonly context: OperationContext;
  },
): Promise<Pick<ToolPart, "state" | "output" | "errorText">> {
  const left = timeLeft(session, turn, clock.now());
  const timeoutMs = Math.max(1, Math.min(LONGEST_MS, left ?? LONGEST_MS));
  try {
    const { operationId, input } = call;
    const spoke = session.workspace?.spoke ?? null;
    const envelope = await tools.call({ context, operationId, input, timeoutMs, spoke });
    const output = kept(shown(session, operationId, envelope));
    return isFailedMcp(envelope)
      ? { state: "output-error", errorText: typeof output === "string" ? output : JSON.stringify(output) }
      : { state: "output-available", output };
  } catch (error) {
    if (context.signal?.aborted) throw error;
    if (error instanceof CallError) return { state: "output-error", errorText: `${error.code}: ${error.message}` };
    return { state: "output-error", errorText: error instanceof Error ? error.message : String(error) };
  }
}

/** A tool of an MCP server says by itself that it has failed. */
function isFailedMcp({ meta }: ResponseEnvelope): boolean {
  return meta.source === "mcp" && meta.isError === true;
}

/** Lists of operations show what the session may call. */
function shown({ agent: { tools } }: Session, operationId: string, { data }: ResponseEnvelope): unknown {
  if (tools === null || operationId !== "hub.list" && operationId !== "hub.search" || !Array.isArray(data)) return data;
  return (data as readonly unknown[]).filter((one) =>
    typeof one === "object" && one !== null && "id" in one && typeof one.id === "string" &&
    (one.id.startsWith("hub.") || matches(tools.operations, one.id))
  );
}

function kept(data: unknown): Json {
  const text = JSON.stringify(data ?? null);
  if (text.length > MAX_KEPT) return `${text.slice(0, MAX_KEPT)}… (cut: ${text.length} characters in all)`;
  return JSON.parse(text) as Json; // made from JSON
}

function reasonOf(answer: ApprovalAnswer | null): { readonly errorText?: string } {
  return answer?.reason === undefined ? {} : { errorText: answer.reason };
}

function outcomeOf({ toolCallId, state, output, errorText }: ToolPart): ToolOutcome {
  const isSmall = output !== undefined && JSON.stringify(output).length <= MAX_LOGGED;
  return { toolCallId, state, ...(isSmall && { output }), ...(errorText !== undefined && { errorText }) };
}
