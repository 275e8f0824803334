import { CallError } from "@alkdev/operations";
import { type ChatMessage, chatMessages } from "./chat_messages.ts";
import { ChatStream } from "./chat_stream.ts";
import { titleOf } from "./create_session.ts";
import type { SessionsOptions } from "./options.ts";
import type { StepUsage } from "./ports.ts";
import { sessionNotFound } from "./session_error.ts";
import type { Message, Session } from "./session.ts";
import { visible } from "./visible.ts";

const MAX_MESSAGES = 2_000;
const TIMEOUT_MS = 10 * 60_000;
const COMPACT =
  "[hub] Sum up this conversation for yourself, so that you can go on with it from the summary alone: what is wanted, " +
  "what was decided and why, what was done and found out (names, paths, numbers as they are), and what is left to do. Answer with the summary alone.";
const TITLE = "[hub] Give this conversation a title of at most eight words. Answer with the title alone.";

/** What a model says of a session as a whole: beside its turns, and paid for like them. */
export class Summaries {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Adds a summary of all that was said; from it the model goes on. */
  async compact(session: Session): Promise<Message> {
    const { store, clock, ids, feed } = this.#options;
    const key = { orgId: session.orgId, sessionId: session.id };
    const { text: summary, usage, throughSeq } = await this.#ask(session, COMPACT);
    const message = await store.add({
      ...key,
      message: {
        id: ids.runId(),
        role: "system",
        parts: [{ type: "compaction", summary, throughSeq }],
        createdAt: clock.now(),
      },
      requestId: `compact:${throughSeq}`,
      usage,
    });
    if (message === null) throw sessionNotFound(session.id);
    feed.publish(key, { type: "message", message });
    return message;
  }

  /** A title that the model gives. */
  async title(session: Session): Promise<string> {
    const { text } = await this.#ask(session, TITLE);
    return titleOf(text.replace(/^["'“]+|["'”.]+$/g, ""));
  }

  async #ask(
    session: Session,
    what: string,
  ): Promise<
    { readonly text: string; readonly usage: Omit<StepUsage, "malformedCalls">; readonly throughSeq: number }
  > {
    const { store, owners, models } = this.#options;
    const { id: sessionId, orgId, model, owner } = session;
    const standing = await owners.standing({ owner, orgId });
    if (!standing.ok) throw new CallError("ACCESS_DENIED", `Session "${sessionId}" cannot go on: ${standing.reason}`);
    const messages = await store.messages({ orgId, sessionId, limit: MAX_MESSAGES, newest: true });
    const asked: readonly ChatMessage[] = [...chatMessages(session, visible(messages)), {
      role: "user",
      content: what,
    }];
    const answer = await models.stream({
      caller: standing.caller,
      sessionId,
      parent: null,
      body: { model, messages: asked, stream: true, stream_options: { include_usage: true } },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { text } = await new ChatStream().read(answer.body);
    if (text.trim() === "") throw new CallError("PROVIDER_FAILED", "The model has said nothing");
    return { text, usage: await answer.settled(), throughSeq: messages.at(-1)?.seq ?? 0 };
  }
}
