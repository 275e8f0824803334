import { CallError } from "@alkdev/operations";
import { type TSchema, Type } from "@alkdev/typebox";
import type { Part } from "../session.ts";
import type { ShownTool } from "./shown_step.ts";
import type { KnownSteps } from "./turn_chunks.ts";

const MAX_PARTS = 100;
const MAX_TEXT = 1024 * 1024;
const FILE_URL = /^(https:\/\/|data:[a-z0-9.+-]+\/[a-z0-9.+-]+[;,])/i;

/** What AI SDK's `DefaultChatTransport` sends. */
export const ChatRequestSchema: TSchema = Type.Object({
  id: Type.Optional(Type.String({ description: "The page's own id of the chat: not looked at" })),
  messages: Type.Array(
    Type.Object({
      id: Type.String({ minLength: 1, maxLength: 256 }),
      role: Type.String(),
      parts: Type.Array(Type.Object({ type: Type.String() }, { additionalProperties: true })),
    }, { additionalProperties: true }),
    {
      minItems: 1,
      description: "UIMessages. Only the last one is taken: the hub has the others",
    },
  ),
  trigger: Type.Union([Type.Literal("submit-message"), Type.Literal("regenerate-message")]),
  messageId: Type.Optional(Type.String({ maxLength: 256 })),
}, { additionalProperties: false });

/** The type of {@linkcode ChatRequestSchema}. */
export interface ChatRequest {
  readonly messages: readonly SentMessage[];
  readonly trigger: "submit-message" | "regenerate-message";
  readonly messageId?: string;
}

interface SentMessage {
  readonly id: string;
  readonly role: string;
  readonly parts: readonly { readonly type: string; readonly [name: string]: unknown }[];
}

/** A person's answer to whether a tool may be called. */
export interface ApprovalAnswer {
  readonly toolCallId: string;
  /** As the page was told it. */
  readonly approvalId: string;
  readonly approved: boolean;
  readonly reason: string | null;
}

/** What a page wants with its request. */
export type ChatWish =
  | { readonly kind: "say"; readonly clientId: string; readonly parts: readonly Part[] }
  /** In the place of something that was said, and of all that followed it. */
  | { readonly kind: "replace"; readonly clientId: string; readonly users: number; readonly parts: readonly Part[] }
  | {
    readonly kind: "answer";
    readonly turnId: string;
    readonly answers: readonly ApprovalAnswer[];
    readonly known: KnownSteps;
  };

/** @throws {CallError} VALIDATION_ERROR */
export function readChatRequest({ messages, trigger, messageId }: ChatRequest): ChatWish {
  const last = messages[messages.length - 1]!; // the schema wants one at least
  if (last.role === "assistant" && trigger === "submit-message") {
    const answers = answersOf(last);
    if (answers.length === 0) {
      throw invalid("role", `The last message is the assistant's and answers nothing: wanted a user's message`);
    }
    return { kind: "answer", turnId: last.id, answers, known: knownOf(last) };
  }
  if (last.role !== "user") throw invalid("role", `The last message is of role "${last.role}": wanted "user"`);
  const parts = last.parts.map((part, at) => userPart(part, at));
  if (parts.length === 0) throw invalid("parts", "The last message has no parts");
  if (parts.length > MAX_PARTS) {
    throw invalid("parts", `The last message has ${parts.length} parts: wanted at most ${MAX_PARTS}`);
  }
  const head = { clientId: last.id, parts };
  const users = messages.filter(({ role }) => role === "user").length;
  // A message that is edited is sent under its own id.
  const isEdit = trigger === "submit-message" && messageId === last.id;
  return trigger === "regenerate-message" || isEdit ? { kind: "replace", users, ...head } : { kind: "say", ...head };
}

function userPart(part: SentMessage["parts"][number], at: number): Part {
  const { type, text, url, mediaType, filename } = part;
  if (type === "text") {
    if (typeof text !== "string") throw invalid(`parts/${at}/text`, `Part ${at} has no text`);
    if (text.length > MAX_TEXT) {
      throw new CallError("PAYLOAD_TOO_LARGE", `Part ${at} has ${text.length} characters: wanted at most ${MAX_TEXT}`);
    }
    return { type, text };
  }
  if (type !== "file") throw invalid(`parts/${at}/type`, `Part ${at} is of type "${type}": wanted "text" or "file"`);
  if (typeof url !== "string" || !FILE_URL.test(url)) {
    throw invalid(`parts/${at}/url`, `Part ${at} has no URL that begins with "https://" or "data:"`);
  }
  if (typeof mediaType !== "string") throw invalid(`parts/${at}/mediaType`, `Part ${at} has no media type`);
  return { type, url, mediaType, ...(typeof filename === "string" && { filename: filename.slice(0, 256) }) };
}

function answersOf({ parts }: SentMessage): readonly ApprovalAnswer[] {
  return parts.flatMap((part) => {
    const { state, toolCallId, approval } = part;
    if (state !== "approval-responded" || typeof toolCallId !== "string") return [];
    if (typeof approval !== "object" || approval === null) return [];
    const { id, approved, reason }: Readonly<Record<string, unknown>> = { ...approval };
    if (typeof id !== "string" || typeof approved !== "boolean") return [];
    return [{
      toolCallId,
      approvalId: id,
      approved,
      reason: typeof reason === "string" ? reason.slice(0, 2_000) : null,
    }];
  });
}

/** How far the page has come with each step. */
function knownOf({ parts }: SentMessage): KnownSteps {
  const steps: Map<string, ShownTool>[] = [];
  for (const part of parts) {
    if (part.type === "step-start") steps.push(new Map());
    const { toolCallId, state } = part;
    if (typeof toolCallId === "string") steps.at(-1)?.set(toolCallId, SHOWN[String(state)] ?? "nothing");
  }
  return steps;
}

const SHOWN: Readonly<Record<string, ShownTool>> = {
  "input-available": "input",
  "approval-requested": "asked",
  "approval-responded": "answered",
  "output-available": "ended",
  "output-error": "ended",
  "output-denied": "ended",
};

function invalid(path: string, message: string): CallError {
  return new CallError("VALIDATION_ERROR", message, { errors: [{ path: `/messages/-1/${path}`, message }] });
}
