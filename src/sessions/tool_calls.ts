import type { Json } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { WrittenCall } from "./chat_stream.ts";
import type { ToolPart } from "./session.ts";
import type { ResolvedCall, ToolSet } from "./tool_set.ts";

/** A call that is to be carried out. */
export interface PendingCall {
  readonly toolCallId: string;
  readonly operationId: string;
  readonly input: Json;
  readonly approve: boolean;
}

/** The calls of one answer: what is kept of each, and those that can be made. */
export interface ReadCalls {
  readonly parts: readonly ToolPart[];
  readonly pending: readonly PendingCall[];
  /** Calls that could not be read, not even when they were made again. */
  readonly malformed: number;
}

/** Of one answer; further ones are refused. */
const MAX_CALLS = 64;

/** Has the model make a malformed call again; null: it did not. */
export type Repair = (call: WrittenCall, problem: string) => Promise<WrittenCall | null>;

/**
 * Reads the calls of an answer. One that is malformed (no JSON, no such tool, not what its schema says) is made again once; what is
 * malformed then is kept as a failed call, which the model sees.
 *
 * @param approvalKey Key of the node at which the call with this index among the pending ones is approved.
 */
export async function readCalls(
  calls: readonly WrittenCall[],
  params: { readonly tools: ToolSet; readonly repair: Repair; readonly approvalKey: (index: number) => string },
): Promise<ReadCalls> {
  const parts: ToolPart[] = [];
  const pending: PendingCall[] = [];
  let malformed = 0;
  const ids = new Set<string>();
  for (const [at, written] of calls.entries()) {
    const toolCallId = uniqueId(written.id, at, ids);
    const read = at < MAX_CALLS ? await readOrRepair(written, params) : tooMany(written);
    if ("error" in read) {
      malformed += read.isMalformed ? 1 : 0;
      const { name: toolName, input, error: { code, message } } = read;
      const errorText = `${code}: ${message}`;
      parts.push({ type: "tool", toolName, toolCallId, operationId: null, state: "output-error", input, errorText });
      continue;
    }
    const { name: toolName, input, resolved: { operationId, approve } } = read;
    const state = approve ? "approval-requested" : "input-available";
    const approvalKey = approve ? { approvalKey: params.approvalKey(pending.length) } : {};
    parts.push({ type: "tool", toolName, toolCallId, operationId, state, input, ...approvalKey });
    pending.push({ toolCallId, ...read.resolved });
  }
  return { parts, pending, malformed };
}

type Read =
  | { readonly name: string; readonly input: Json; readonly resolved: ResolvedCall }
  | { readonly name: string; readonly input: Json; readonly error: CallError; readonly isMalformed: boolean };

async function readOrRepair(
  written: WrittenCall,
  { tools, repair }: { readonly tools: ToolSet; readonly repair: Repair },
): Promise<Read> {
  const first = read(written, tools);
  if (!("error" in first) || !first.isMalformed) return first;
  const again = await repair(written, first.error.message);
  if (again === null) return first;
  const second = read(again, tools);
  return "error" in second ? { ...first, error: second.error } : second;
}

function read({ name, arguments: text }: WrittenCall, tools: ToolSet): Read {
  let input: Json = text;
  try {
    input = parsed(text);
    return { name, input, resolved: tools.resolve(name, input) };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return { name, input, error, isMalformed: error.code !== "ACCESS_DENIED" };
  }
}

function parsed(text: string): Json {
  const plain = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (plain === "") return {};
  try {
    return JSON.parse(plain) as Json; // parsed from JSON
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CallError("VALIDATION_ERROR", `The arguments are no JSON: ${why}`, undefined, { cause: error });
  }
}

function tooMany({ name, arguments: input }: WrittenCall): Read {
  const error = new CallError("VALIDATION_ERROR", `At most ${MAX_CALLS} calls in one answer`);
  return { name, input, error, isMalformed: true };
}

/** Providers give ids that are unique in an answer, mostly. */
function uniqueId(given: string, at: number, taken: Set<string>): string {
  let id = given === "" ? `call_${at}` : given;
  while (taken.has(id)) id = `${id}_${at}`;
  taken.add(id);
  return id;
}
