import { CallError } from "@alkdev/operations";
import { coversScope } from "../auth/mod.ts";
import type { Caller, Page } from "../runs/mod.ts";
import { checkTitle, narrowed, newSessionOf, slugOf, titleOf } from "./create_session.ts";
import type { SessionsOptions } from "./options.ts";
import type { SearchHit, SessionKey, SessionQuery } from "./ports.ts";
import { readParts } from "./read_parts.ts";
import { messageNotFound, sessionBusy, sessionNotFound } from "./session_error.ts";
import type { CreateSession, ForkSession, Prompted, PromptSession } from "./session_requests.ts";
import type { Message, Session, SessionTurn } from "./session.ts";
import { Summaries } from "./summaries.ts";
import { TurnKeeper } from "./turn_keeper.ts";
import { type TurnParams, Turns } from "./turns.ts";

/** Label of a run: the session whose turn it is. The hub's own. */
export const SESSION_LABEL = "hub.session";

/** How often a turn that another hub may end is looked at. */
const LOOK_EVERY_MS = 1_000;
const MAX_FORKED = 10_000;

/** Params with who asks: every method shows a caller its own organization's sessions only. */
interface Asked {
  readonly caller: Caller;
  readonly sessionId: string;
}

/** The use cases of agent sessions. What a caller may not see does not exist (`SESSION_NOT_FOUND`). */
export class Sessions {
  readonly keeper: TurnKeeper;
  readonly #options: SessionsOptions;
  readonly #turns: Turns;
  readonly #summaries: Summaries;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.keeper = new TurnKeeper(options);
    this.#turns = new Turns(options, this.keeper);
    this.#summaries = new Summaries(options);
  }

  /** The steps of `workflows/agent_turn.tsx`. */
  get steps(): Pick<Turns, "generate" | "tool" | "advance"> {
    return this.#turns;
  }

  /**
   * Durable when it resolves, and with a prompt its first turn begun; once for an idempotency key.
   *
   * @throws CallError ROLE_NOT_FOUND, SESSION_NOT_FOUND (of the parent), VALIDATION_ERROR
   */
  async create(request: CreateSession): Promise<{ readonly session: Session; readonly duplicate: boolean }> {
    const { caller, prompt, idempotencyKey = null } = request;
    if (prompt !== undefined) readParts({ text: prompt });
    const made = await this.#options.store.create({
      session: await newSessionOf(this.#options, request),
      idempotencyKey,
    });
    await this.#limit(made.session);
    if (prompt === undefined) return made;
    // A start that was cut short is finished when it is asked for again.
    await this.prompt({ caller, sessionId: made.session.id, text: prompt, idempotencyKey: "hub.create" });
    return { ...made, session: await this.get({ caller, sessionId: made.session.id }) };
  }

  /**
   * Says something: a turn that is under way sees it at its next step, else one begins. Durable when it resolves.
   *
   * @throws CallError ACCESS_DENIED when the session may do more than the caller, VALIDATION_ERROR, OVERLOADED
   */
  async prompt(request: PromptSession): Promise<Prompted> {
    const { caller, sessionId, idempotencyKey = null } = request;
    const parts = readParts(request);
    let session = await this.get({ caller, sessionId });
    if (request.isTrusted !== true) assertMayPrompt(caller, session);
    await this.#settle(session);
    const { store, ids, clock, feed } = this.#options;
    const key = keyOf(session);
    const prompted = await store.prompt({
      ...key,
      message: { id: ids.runId(), role: "user", parts, createdAt: clock.now() },
      idempotencyKey,
      turn: { id: ids.runId(), parent: session.spawnedBy },
    });
    if (prompted === null) throw sessionNotFound(sessionId);
    const { message, turn, steered, duplicate } = prompted;
    if (!duplicate) feed.publish(key, { type: "message", message });
    if (message.seq === 1 && session.title === titleOf("")) {
      session = await store.update({ ...key, title: titleOf(textOf(parts)), at: clock.now() }) ?? session;
    }
    const runId = turn.runId ?? await this.#start(session, turn);
    return { message, turnId: turn.id, runId, steered };
  }

  /** Ends the turn under way, with its run and all below that; without one nothing happens. */
  async stop(
    { caller, sessionId, reason = "Stopped by request" }: Asked & { readonly reason?: string },
  ): Promise<Session> {
    const session = await this.get({ caller, sessionId });
    const turn = await this.#openTurn(session);
    if (turn !== null) {
      const { orgId } = caller;
      await this.keeper.end(turn, { status: "stopped", error: { code: "ABORTED", message: reason } });
      const { runId } = await this.#options.store.turn({ orgId, turnId: turn.id }) ?? turn;
      if (runId !== null) await this.#options.runs.abort({ caller, runId, reason });
    }
    return await this.get({ caller, sessionId });
  }

  /** A new session with what was said up to a message: of the caller, and with no more rights than both have. */
  async fork(request: ForkSession): Promise<{ readonly session: Session; readonly duplicate: boolean }> {
    const { caller, sessionId, messageId = null, idempotencyKey = null } = request;
    const from = await this.get({ caller, sessionId });
    const throughSeq = messageId === null ? from.lastSeq : await this.#seqOf(from, messageId);
    const { ids, clock, store } = this.#options;
    const id = ids.runId();
    const title = request.title === undefined ? from.title : checkTitle(request.title);
    const { identity, keyId = null } = caller;
    const scopes = narrowed(identity.scopes, from.owner.identity.scopes);
    const { agent, role, model, workspace, limits, budget, labels } = from;
    const made = await store.fork({
      from: keyOf(from),
      throughSeq,
      session: {
        id,
        orgId: from.orgId,
        slug: slugOf(title, id),
        title,
        createdBy: identity.id,
        owner: { keyId, identity: { ...identity, scopes } },
        ...{ agent, role, model, workspace, limits, budget, labels },
        kind: from.kind,
        parentId: null,
        spawnedBy: null,
        forkOf: { sessionId: from.id, messageId },
        createdAt: clock.now(),
      },
      idempotencyKey,
      unfinished: "The session was forked before this had ended",
    });
    await this.#limit(made.session);
    return made;
  }

  /**
   * Has the model sum up what was said; from then on it is given that in place of it. What was said stays.
   *
   * @throws CallError SESSION_BUSY, what the proxy throws
   */
  async compact({ caller, sessionId }: Asked): Promise<Message> {
    const session = await this.#idle({ caller, sessionId }, "compact");
    return await this.#summaries.compact(session);
  }

  /** Takes back all messages from a seq on: nobody reads them any more. @throws CallError SESSION_BUSY */
  async retract(
    { caller, sessionId, fromSeq, requestId }: Asked & { readonly fromSeq: number; readonly requestId: string },
  ): Promise<void> {
    const session = await this.#idle({ caller, sessionId }, "take back what was said in");
    const { store, ids, clock, feed } = this.#options;
    const key = keyOf(session);
    const message = await store.add({
      ...key,
      message: { id: ids.runId(), role: "system", parts: [{ type: "retraction", fromSeq }], createdAt: clock.now() },
      requestId: `retract:${requestId}`,
    });
    if (message !== null) feed.publish(key, { type: "message", message });
  }

  /** Names it; without a title the model finds one. @throws CallError SESSION_BUSY without a title */
  async retitle({ caller, sessionId, title }: Asked & { readonly title?: string }): Promise<Session> {
    const found = title === undefined
      ? await this.#summaries.title(await this.#idle({ caller, sessionId }, "title"))
      : checkTitle(title);
    const { orgId } = caller;
    const updated = await this.#options.store.update({ orgId, sessionId, title: found, at: this.#options.clock.now() });
    if (updated === null) throw sessionNotFound(sessionId);
    return updated;
  }

  async get({ caller: { orgId }, sessionId }: Asked): Promise<Session> {
    const found = await this.#options.store.get({ orgId, sessionId });
    if (found === null) throw sessionNotFound(sessionId);
    return found;
  }

  list({ caller, ...query }: Omit<SessionQuery, "orgId"> & { readonly caller: Caller }): Promise<Page<Session>> {
    return this.#options.store.list({ ...query, orgId: caller.orgId });
  }

  async messages(
    { caller, sessionId, ...window }: Asked & {
      readonly after?: number;
      readonly limit: number;
      readonly newest?: boolean;
    },
  ): Promise<readonly Message[]> {
    const session = await this.get({ caller, sessionId });
    return await this.#options.store.messages({ ...keyOf(session), ...window });
  }

  async turns({ caller, sessionId, limit }: Asked & { readonly limit: number }): Promise<readonly SessionTurn[]> {
    const session = await this.get({ caller, sessionId });
    return await this.#options.store.turns({ ...keyOf(session), limit });
  }

  search(
    { caller, text, limit }: { readonly caller: Caller; readonly text: string; readonly limit: number },
  ): Promise<readonly SearchHit[]> {
    return this.#options.store.search({ orgId: caller.orgId, text, limit, perSession: 3 });
  }

  /** Resolves when a turn has ended, with the turn; null: the signal came first. @throws CallError SESSION_NOT_FOUND */
  async ended({ caller: { orgId }, turnId, signal }: TurnParams): Promise<SessionTurn | null> {
    const { store, feed, clock } = this.#options;
    const look = async (): Promise<SessionTurn> => {
      const turn = await store.turn({ orgId, turnId });
      if (turn === null) throw new CallError("SESSION_NOT_FOUND", `There is no turn "${turnId}"`, { turnId });
      return turn;
    };
    let turn = await look();
    let wake: () => void = () => {};
    const leave = feed.watch({ orgId, sessionId: turn.sessionId }, ({ type }) => type === "turn-end" && wake());
    try {
      for (turn = await look(); turn.status === "open" && !signal.aborted; turn = await look()) {
        const slept = Promise.withResolvers<void>();
        wake = slept.resolve;
        const cancel = clock.at(clock.now() + LOOK_EVERY_MS, wake);
        signal.addEventListener("abort", wake, { once: true });
        await slept.promise;
        cancel();
        signal.removeEventListener("abort", wake);
      }
      return turn.status === "open" ? null : turn;
    } finally {
      leave();
    }
  }

  async #idle(asked: Asked, what: string): Promise<Session> {
    const session = await this.get(asked);
    assertMayPrompt(asked.caller, session);
    await this.#settle(session);
    const now = await this.get(asked);
    if (now.turnId !== null) throw sessionBusy(now, what);
    return now;
  }

  /** A turn that its hub has left behind holds nobody up. */
  async #settle(session: Session): Promise<void> {
    const turn = await this.#openTurn(session);
    if (turn !== null && turn.runId !== null) await this.keeper.settle(turn);
  }

  async #openTurn({ orgId, turnId }: Session): Promise<SessionTurn | null> {
    return turnId === null ? null : await this.#options.store.turn({ orgId, turnId });
  }

  async #start(session: Session, turn: SessionTurn): Promise<string | null> {
    if (turn.status !== "open") return turn.runId;
    try {
      return await this.keeper.start(session, turn);
    } catch (error) {
      if (error instanceof CallError) {
        await this.keeper.end(turn, { status: "failed", error: { code: error.code, message: error.message } });
      }
      throw error;
    }
  }

  async #seqOf(session: Session, messageId: string): Promise<number> {
    const messages = await this.#options.store.messages({ ...keyOf(session), limit: MAX_FORKED });
    const found = messages.find(({ id }) => id === messageId);
    if (found === undefined) throw messageNotFound(session.id, messageId);
    return found.seq;
  }

  /** Calls of models are held to it exactly, before they are made. */
  async #limit(session: Session): Promise<void> {
    const { tokens, costMicros } = session.budget;
    if (tokens === null && costMicros === null) return;
    await this.#options.ledger.limit({ ...keyOf(session), tokens, costMicros });
  }
}

function keyOf({ orgId, id }: Session): SessionKey {
  return { orgId, sessionId: id };
}

function textOf(parts: Message["parts"]): string {
  return parts.find((part) => part.type === "text")?.text ?? "";
}

/** What a session may do is lent to nobody: who makes it act must be able to do as much. */
function assertMayPrompt({ identity }: Caller, { id, owner }: Session): void {
  const missing = owner.identity.scopes.filter((scope) => !coversScope(identity.scopes, scope));
  if (missing.length === 0) return;
  throw new CallError(
    "ACCESS_DENIED",
    `Cannot prompt session "${id}" as "${identity.id}": it may do what you may not (${missing.slice(0, 5).join(", ")})`,
    { sessionId: id, requiredScopes: missing },
  );
}
