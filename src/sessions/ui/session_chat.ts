import { CallError } from "@alkdev/operations";
import type { Caller } from "../../runs/mod.ts";
import type { Message, Part, Session, SessionTurn, ToolPart } from "../session.ts";
import { visible } from "../visible.ts";
import { approvalId } from "./approval_id.ts";
import { type ApprovalAnswer, type ChatRequest, type ChatWish, readChatRequest } from "./chat_request.ts";
import { turnMessages } from "./turn_messages.ts";
import type { UiChunk, UiMessage } from "./ui_chunk.ts";
import { uiMessages } from "./ui_messages.ts";
import { type WatchedTurn, type WatchPorts, watchTurn } from "./watch_turn.ts";

/** Messages of a page of history. */
const HISTORY = 1_000;

/** What the chat needs of the use cases. */
export interface ChatSessions {
  /** @throws {CallError} SESSION_NOT_FOUND */
  get(params: { readonly caller: Caller; readonly sessionId: string }): Promise<Session>;
  prompt(
    params: {
      readonly caller: Caller;
      readonly sessionId: string;
      readonly parts: readonly Part[];
      readonly idempotencyKey: string;
    },
  ): Promise<{ readonly message: Message }>;
  /** Takes back all messages from `fromSeq` on. @throws {CallError} SESSION_BUSY while a turn is under way */
  retract(
    params: {
      readonly caller: Caller;
      readonly sessionId: string;
      readonly fromSeq: number;
      readonly requestId: string;
    },
  ): Promise<void>;
  /** Answers the Approval of a call. @throws {CallError} as `runs.signal` */
  answer(
    params: {
      readonly caller: Caller;
      readonly turn: SessionTurn;
      readonly part: ToolPart;
      readonly approved: boolean;
      readonly reason: string | null;
    },
  ): Promise<void>;
}

export interface SessionChatOptions extends WatchPorts {
  readonly sessions: ChatSessions;
}

interface Place {
  readonly caller: Caller;
  readonly sessionId: string;
}

/** Sessions as a chat page uses them: what AI SDK's `useChat` sends, and the stream that it reads. */
export class SessionChat {
  readonly #options: SessionChatOptions;

  constructor(options: SessionChatOptions) {
    this.#options = options;
  }

  /**
   * Does what a page wants, and tells of the turn that comes of it. What can be refused is refused before it resolves.
   *
   * @throws {CallError}
   */
  async send(params: Place & { readonly request: ChatRequest; readonly stays: boolean }): Promise<ChatStream> {
    const { caller, sessionId, request, stays } = params;
    const wish = readChatRequest(request);
    await this.#options.sessions.get(params);
    const place = { caller, sessionId };
    if (wish.kind === "answer") return this.#stream(place, { ...await this.#answer(place, wish), stays });
    if (wish.kind === "replace") await this.#retract(place, wish);
    const { message } = await this.#options.sessions.prompt({
      ...place,
      parts: wish.parts,
      // A page that sends again after a lost answer has said it once. What replaces something is said anew.
      idempotencyKey: wish.kind === "say" ? `ui:${wish.clientId}` : `ui:${wish.clientId}:${crypto.randomUUID()}`,
    });
    const turn = await this.#turn(place, message.turnId);
    return this.#stream(place, { turn, known: [], answered: [], stays });
  }

  /** The turn that is under way, from its beginning; null: none is. */
  async resume(params: Place & { readonly stays: boolean }): Promise<ChatStream | null> {
    const { turnId } = await this.#options.sessions.get(params);
    if (turnId === null) return null;
    const turn = await this.#turn(params, turnId);
    return turn.status === "open" ? this.#stream(params, { turn, known: [], answered: [], stays: params.stays }) : null;
  }

  /** The newest messages as UIMessages: what a page begins with. */
  async history(params: Place): Promise<readonly UiMessage[]> {
    const { caller: { orgId }, sessionId } = params;
    await this.#options.sessions.get(params);
    const messages = await this.#options.store.messages({ orgId, sessionId, limit: HISTORY, newest: true });
    const ids = [...new Set(messages.flatMap(({ turnId }) => turnId === null ? [] : [turnId]))];
    const turns = await Promise.all(ids.map((turnId) => this.#options.store.turn({ orgId, turnId })));
    return uiMessages(messages, turns.filter((turn) => turn !== null));
  }

  #stream({ caller: { orgId }, sessionId }: Place, watched: Omit<WatchedTurn, "orgId" | "sessionId" | "signal">) {
    const stopped = new AbortController();
    const chunks = watchTurn(this.#options, { orgId, sessionId, ...watched, signal: stopped.signal });
    return { chunks, stop: () => stopped.abort() };
  }

  async #turn({ caller: { orgId }, sessionId }: Place, turnId: string | null): Promise<SessionTurn> {
    const turn = turnId === null ? null : await this.#options.store.turn({ orgId, turnId });
    if (turn?.sessionId === sessionId) return turn;
    throw new CallError("VALIDATION_ERROR", `Session "${sessionId}" has no turn "${turnId}": load its messages anew`, {
      errors: [{ path: "/messages/-1/id", message: "is no turn of the session" }],
    });
  }

  async #answer(place: Place, { turnId, answers, known }: Extract<ChatWish, { readonly kind: "answer" }>) {
    const turn = await this.#turn(place, turnId);
    const messages = await turnMessages(
      this.#options.store,
      { orgId: place.caller.orgId, sessionId: place.sessionId },
      turnId,
    );
    const answered: { messageId: string; toolCallId: string }[] = [];
    for (const answer of answers) {
      const found = askedBy(messages, answer);
      if (found === null) continue; // of an earlier step, or answered by somebody else
      const { approved, reason } = answer;
      if (found.part.state === "approval-requested") {
        await this.#options.sessions.answer({ caller: place.caller, turn, part: found.part, approved, reason });
      }
      answered.push({ messageId: found.messageId, toolCallId: answer.toolCallId });
    }
    return { turn, known, answered };
  }

  /** Takes back what the page has cut off: the user's message that stands where the last of its own does, and all after it. */
  async #retract(place: Place, { clientId, users }: Extract<ChatWish, { readonly kind: "replace" }>): Promise<void> {
    const { caller: { orgId }, sessionId } = place;
    const newest = await this.#options.store.messages({ orgId, sessionId, limit: HISTORY, newest: true });
    const said = visible(newest).filter(({ role }) => role === "user");
    const found = said.find(({ id }) => id === clientId) ?? (newest.length < HISTORY ? said[users - 1] : undefined);
    if (found === undefined) {
      throw new CallError(
        "VALIDATION_ERROR",
        `Session "${sessionId}" has no message to replace: load its messages anew`,
        {
          errors: [{ path: "/messages", message: "are not those of the session" }],
        },
      );
    }
    await this.#options.sessions.retract({ ...place, fromSeq: found.seq, requestId: `ui:${crypto.randomUUID()}` });
  }
}

/** A stream of chunks; `stop` ends it from outside. */
export interface ChatStream {
  readonly chunks: AsyncGenerator<readonly UiChunk[], void, undefined>;
  readonly stop: () => void;
}

function askedBy(
  messages: readonly Message[],
  answer: ApprovalAnswer,
): { readonly messageId: string; readonly part: ToolPart } | null {
  for (const { id, parts } of messages) {
    for (const part of parts) {
      if (part.type === "tool" && approvalId(id, part) === answer.approvalId) return { messageId: id, part };
    }
  }
  return null;
}
