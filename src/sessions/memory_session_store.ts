import type { Page } from "../runs/mod.ts";
import {
  type NewMessage,
  type SearchHit,
  searchText,
  type SessionKey,
  type SessionQuery,
  type SessionStore,
  type TurnEnd,
} from "./ports.ts";
import { isToolEnded, type Message, type Part, type Session, type SessionTurn, type ToolPart } from "./session.ts";
import { closedPart, excerptOf, newSession, newTurn, statusAfter, statusDuring } from "./transitions.ts";

type Params<Method extends keyof SessionStore> = Parameters<SessionStore[Method]>[0];
type Result<Method extends keyof SessionStore> = ReturnType<SessionStore[Method]>;

interface Kept {
  session: Session;
  readonly idempotencyKey: string | null;
  readonly messages: Message[];
  readonly requestIds: Map<string, string>;
  readonly turns: SessionTurn[];
}

/** Sessions in memory: the store's contract, without a database. */
export class MemorySessionStore implements SessionStore {
  readonly #kept = new Map<string, Kept>();

  create({ session, idempotencyKey }: Params<"create">): Result<"create"> {
    const known = this.#known(session.orgId, session.id, idempotencyKey);
    if (known !== null) return Promise.resolve({ session: known.session, duplicate: true });
    const made = newSession(session);
    this.#kept.set(made.id, { session: made, idempotencyKey, messages: [], requestIds: new Map(), turns: [] });
    return Promise.resolve({ session: made, duplicate: false });
  }

  get(key: SessionKey): Result<"get"> {
    return Promise.resolve(this.#find(key)?.session ?? null);
  }

  list({ limit, cursor, ...query }: SessionQuery): Promise<Page<Session>> {
    const all = [...this.#kept.values()].map(({ session }) => session).filter((session) => fits(session, query))
      .sort(lastActiveFirst);
    const from = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
    const items = all.slice(from, from + limit);
    const more = from + limit < all.length;
    return Promise.resolve({ items, nextCursor: more ? items.at(-1)?.id ?? null : null });
  }

  update({ title, labels, workspace, at, ...key }: Params<"update">): Result<"update"> {
    const kept = this.#find(key);
    if (kept === null) return Promise.resolve(null);
    kept.session = {
      ...kept.session,
      ...(title !== undefined && { title }),
      ...(labels !== undefined && { labels }),
      ...(workspace !== undefined && { workspace }),
      updatedAt: at,
    };
    return Promise.resolve(kept.session);
  }

  messages({ after = 0, limit, newest = false, ...key }: Params<"messages">): Result<"messages"> {
    const found = (this.#find(key)?.messages ?? []).filter(({ seq }) => seq > after);
    return Promise.resolve(newest ? found.slice(-limit) : found.slice(0, limit));
  }

  prompt({ message, idempotencyKey, turn, ...key }: Params<"prompt">): Result<"prompt"> {
    const kept = this.#find(key);
    if (kept === null) return Promise.resolve(null);
    const requestId = idempotencyKey === null ? null : `prompt:${idempotencyKey}`;
    const known = requestId === null ? null : messageOf(kept, requestId);
    if (known !== null) {
      const of = kept.turns.find(({ id }) => id === known.turnId)!;
      const steered = kept.messages.some(({ turnId, seq }) => turnId === of.id && seq < known.seq);
      return Promise.resolve({ message: known, turn: of, steered, duplicate: true });
    }
    const open = kept.turns.find(({ id }) => id === kept.session.turnId) ?? null;
    const current = open ?? newTurn({ ...turn, session: kept.session, at: message.createdAt });
    if (open === null) {
      kept.turns.push(current);
      const { usage } = kept.session;
      kept.session = {
        ...kept.session,
        turnId: current.id,
        runId: null,
        status: "busy",
        error: null,
        usage: { ...usage, turns: usage.turns + 1 },
      };
    }
    const added = append(kept, message, { turnId: current.id, runId: current.runId, step: null, requestId });
    return Promise.resolve({ message: added, turn: current, steered: open !== null, duplicate: false });
  }

  add({ message, requestId, usage, ...key }: Params<"add">): Result<"add"> {
    const kept = this.#find(key);
    if (kept === null) return Promise.resolve(null);
    const known = messageOf(kept, requestId);
    if (known !== null) return Promise.resolve(known);
    const so = kept.session.usage;
    if (usage !== undefined) {
      const { inputTokens, outputTokens, costMicros } = usage;
      kept.session = {
        ...kept.session,
        usage: {
          ...so,
          inputTokens: so.inputTokens + inputTokens,
          outputTokens: so.outputTokens + outputTokens,
          costMicros: so.costMicros + costMicros,
        },
      };
    }
    return Promise.resolve(append(kept, message, { turnId: null, runId: null, step: null, requestId }));
  }

  turn({ orgId, turnId }: Params<"turn">): Result<"turn"> {
    const found = this.#ofTurn(turnId);
    return Promise.resolve(found?.turn.orgId === orgId ? found.turn : null);
  }

  turns({ limit, ...key }: Params<"turns">): Result<"turns"> {
    return Promise.resolve((this.#find(key)?.turns ?? []).toReversed().slice(0, limit));
  }

  started({ turnId, runId }: Params<"started">): Promise<void> {
    const found = this.#ofTurn(turnId);
    if (found === null || found.turn.runId !== null) return Promise.resolve();
    const { kept } = found;
    change(kept, { ...found.turn, runId });
    kept.messages.forEach((message, at) => {
      if (message.turnId === turnId && message.runId === null) kept.messages[at] = { ...message, runId };
    });
    if (kept.session.turnId === turnId) kept.session = { ...kept.session, runId };
    return Promise.resolve();
  }

  step({ turnId, requestId, message, usage, status }: Params<"step">): Result<"step"> {
    const found = this.#ofTurn(turnId);
    if (found === null) return Promise.resolve(null);
    const { kept, turn } = found;
    const known = messageOf(kept, requestId);
    if (known !== null) return Promise.resolve({ message: known, duplicate: true });
    if (turn.status !== "open") return Promise.resolve(null);
    const { inputTokens, outputTokens, costMicros, malformedCalls } = usage;
    const step = turn.steps + 1;
    change(kept, {
      ...turn,
      steps: step,
      inputTokens: turn.inputTokens + inputTokens,
      outputTokens: turn.outputTokens + outputTokens,
      costMicros: turn.costMicros + costMicros,
    });
    const so = kept.session.usage;
    const tools = message.parts.filter(({ type }) => type === "tool") as readonly ToolPart[];
    kept.session = {
      ...kept.session,
      status,
      usage: {
        ...so,
        inputTokens: so.inputTokens + inputTokens,
        outputTokens: so.outputTokens + outputTokens,
        costMicros: so.costMicros + costMicros,
        steps: so.steps + 1,
        toolCalls: so.toolCalls + tools.length,
        toolErrors: so.toolErrors + tools.filter(({ state }) => state === "output-error").length,
        malformedCalls: so.malformedCalls + malformedCalls,
      },
    };
    const added = append(kept, message, { turnId, runId: turn.runId, step, requestId });
    return Promise.resolve({ message: added, duplicate: false });
  }

  stepOf({ turnId, requestId }: Params<"stepOf">): Result<"stepOf"> {
    const found = this.#ofTurn(turnId);
    return Promise.resolve(found === null ? null : messageOf(found.kept, requestId));
  }

  tool({ turnId, messageId, toolCallId, change: to, at }: Params<"tool">): Result<"tool"> {
    const found = this.#ofTurn(turnId);
    const index = found?.kept.messages.findIndex(({ id }) => id === messageId) ?? -1;
    if (found === null || index < 0) return Promise.resolve(null);
    const { kept, turn } = found;
    const message = kept.messages[index]!;
    const part = message.parts.find((one): one is ToolPart => one.type === "tool" && one.toolCallId === toolCallId);
    if (part === undefined) return Promise.resolve(null);
    if (turn.status !== "open" || isToolEnded(part)) return Promise.resolve(part);
    const changed: ToolPart = { ...part, ...to };
    const parts = message.parts.map((one): Part => one === part ? changed : one);
    kept.messages[index] = { ...message, parts };
    const { usage } = kept.session;
    kept.session = {
      ...kept.session,
      status: statusDuring(parts),
      usage: { ...usage, toolErrors: usage.toolErrors + (changed.state === "output-error" ? 1 : 0) },
      lastActivityAt: Math.max(at, kept.session.lastActivityAt),
      updatedAt: at,
    };
    return Promise.resolve(changed);
  }

  end({ turnId, status, error, at, seenSeq, unfinished }: TurnEnd): Result<"end"> {
    const found = this.#ofTurn(turnId);
    if (found === null) return Promise.resolve(null);
    const { kept, turn } = found;
    if (turn.status !== "open") return Promise.resolve(turn);
    if (seenSeq !== undefined && kept.messages.some(({ role, seq }) => role === "user" && seq > seenSeq)) {
      return Promise.resolve(turn);
    }
    const ended: SessionTurn = { ...turn, status, error, endedAt: at };
    change(kept, ended);
    closeParts(kept.messages, (message) => message.turnId === turnId, unfinished);
    const { usage } = kept.session;
    kept.session = {
      ...kept.session,
      status: statusAfter(status),
      turnId: null,
      error,
      usage: { ...usage, turnMs: usage.turnMs + Math.max(0, at - turn.startedAt) },
      lastActivityAt: Math.max(at, kept.session.lastActivityAt),
      updatedAt: at,
    };
    return Promise.resolve(ended);
  }

  partial({ turnId, requestId, message }: Params<"partial">): Promise<void> {
    const found = this.#ofTurn(turnId);
    if (found?.turn.status !== "stopped") return Promise.resolve();
    const { kept, turn } = found;
    if (messageOf(kept, requestId) !== null || kept.messages.at(-1)?.turnId !== turnId) return Promise.resolve();
    append(kept, message, { turnId, runId: turn.runId, step: null, requestId });
    return Promise.resolve();
  }

  openTurns({ before, limit }: Params<"openTurns">): Result<"openTurns"> {
    const open = [...this.#kept.values()].flatMap(({ turns }) => turns)
      .filter(({ status, startedAt }) => status === "open" && startedAt < before)
      .sort((a, b) => a.startedAt - b.startedAt);
    return Promise.resolve(open.slice(0, limit));
  }

  fork({ from, throughSeq, session, idempotencyKey, unfinished }: Params<"fork">): Result<"fork"> {
    const known = this.#known(session.orgId, session.id, idempotencyKey);
    if (known !== null) return Promise.resolve({ session: known.session, duplicate: true });
    const messages = (this.#find(from)?.messages ?? []).filter(({ seq }) => seq <= throughSeq).map((message) => ({
      ...message,
      id: crypto.randomUUID(),
      sessionId: session.id,
      turnId: null,
    }));
    closeParts(messages, () => true, unfinished);
    const made = { ...newSession(session), lastSeq: messages.at(-1)?.seq ?? 0 };
    this.#kept.set(made.id, { session: made, idempotencyKey, messages, requestIds: new Map(), turns: [] });
    return Promise.resolve({ session: made, duplicate: false });
  }

  search({ orgId, text, limit, perSession }: Params<"search">): Promise<readonly SearchHit[]> {
    const has = (hay: string) => hay.toLowerCase().includes(text.toLowerCase());
    const hits = [...this.#kept.values()].filter(({ session }) => session.orgId === orgId).flatMap((kept) => {
      const { session, messages } = kept;
      const matches = messages.toReversed().map((message) => ({ ...message, text: searchText(message.parts) }))
        .filter((message) => has(message.text)).slice(0, perSession)
        .map(({ id, seq, text: hay }) => ({ messageId: id, seq, excerpt: excerptOf(hay, text) }));
      return matches.length > 0 || has(session.title) ? [{ session, matches }] : [];
    });
    return Promise.resolve(hits.sort((a, b) => lastActiveFirst(a.session, b.session)).slice(0, limit));
  }

  #find({ orgId, sessionId }: SessionKey): Kept | null {
    const kept = this.#kept.get(sessionId);
    return kept?.session.orgId === orgId ? kept : null;
  }

  #known(orgId: string, id: string, key: string | null): Kept | null {
    for (const kept of this.#kept.values()) {
      if (kept.session.orgId !== orgId) continue;
      if (kept.session.id === id || key !== null && kept.idempotencyKey === key) return kept;
    }
    return null;
  }

  #ofTurn(turnId: string): { readonly kept: Kept; readonly turn: SessionTurn } | null {
    for (const kept of this.#kept.values()) {
      const turn = kept.turns.find(({ id }) => id === turnId);
      if (turn !== undefined) return { kept, turn };
    }
    return null;
  }
}

function append(
  kept: Kept,
  message: NewMessage,
  { requestId, ...place }: Pick<Message, "turnId" | "runId" | "step"> & { readonly requestId: string | null },
): Message {
  const added: Message = { ...message, ...place, sessionId: kept.session.id, seq: kept.session.lastSeq + 1 };
  kept.messages.push(added);
  if (requestId !== null) kept.requestIds.set(requestId, added.id);
  const at = message.createdAt;
  kept.session = {
    ...kept.session,
    lastSeq: added.seq,
    lastActivityAt: Math.max(at, kept.session.lastActivityAt),
    updatedAt: at,
  };
  return added;
}

function messageOf(kept: Kept, requestId: string): Message | null {
  const id = kept.requestIds.get(requestId);
  return kept.messages.find((message) => message.id === id) ?? null;
}

function change(kept: Kept, turn: SessionTurn): void {
  kept.turns[kept.turns.findIndex(({ id }) => id === turn.id)] = turn;
}

function closeParts(messages: Message[], wanted: (message: Message) => boolean, why: string): void {
  messages.forEach((message, at) => {
    if (wanted(message)) messages[at] = { ...message, parts: message.parts.map((part) => closedPart(part, why)) };
  });
}

function lastActiveFirst(a: Session, b: Session): number {
  return b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? 1 : -1);
}

function fits(session: Session, query: Omit<SessionQuery, "limit" | "cursor">): boolean {
  const { orgId, status, parentId, role, createdBy, label = [] } = query;
  return session.orgId === orgId && (status === undefined || status.includes(session.status)) &&
    (parentId === undefined || session.parentId === parentId) &&
    (role === undefined || session.role?.name === role) &&
    (createdBy === undefined || session.createdBy === createdBy) &&
    label.every((one) => {
      const at = one.indexOf("=");
      return at < 0 ? Object.hasOwn(session.labels, one) : session.labels[one.slice(0, at)] === one.slice(at + 1);
    });
}
