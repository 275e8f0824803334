import { CallError } from "@alkdev/operations";
import { failureOf } from "./coordination_error.ts";
import { isEnded, type Mapping } from "./mapping.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Mail } from "./mail.ts";
import type { Notice } from "./notice.ts";
import type { CoordinationPort, Request } from "./operations.ts";
import { CLAIM_MS, type CoordinationOptions } from "./options.ts";
import type { CallPlace } from "./ports.ts";
import { reportsOf, spawnedOf } from "./reports.ts";
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
import { Selections } from "./selections.ts";
import { Spawner } from "./spawner.ts";
import { EndedSignal, waitForEnded } from "./wait_for_ended.ts";
import { AnomalyWatch } from "./watch_anomalies.ts";

const DEFAULT_WAIT_MS = 240_000;
const DEFAULT_PAGE = 50;
/** Looks at mappings under way at once. */
const AT_ONCE = 8;
const MAX_DUE = 100;

/** Sessions that spawn sessions. All that it knows is in the store: any hub goes on where another has ended. */
export class Coordination implements CoordinationPort {
  readonly #options: CoordinationOptions;
  readonly #ended = new EndedSignal();
  readonly #lifecycle: Lifecycle;
  readonly #mail: Mail;
  readonly #anomalies: AnomalyWatch;
  readonly #selections: Selections;
  readonly #spawner: Spawner;

  constructor(options: CoordinationOptions) {
    this.#options = options;
    this.#lifecycle = new Lifecycle(options, (mapping) => {
      this.#anomalies.forget(mapping);
      this.#ended.ended();
    });
    this.#mail = new Mail(options, this.#lifecycle);
    this.#anomalies = new AnomalyWatch(options, this.#mail);
    this.#selections = new Selections(options.store);
    this.#spawner = new Spawner(options, this.#lifecycle, this.#selections);
  }

  async spawn({ place, input }: Request<SpawnInput>): Promise<SpawnOutput> {
    const mappings = await this.#spawner.spawn(place, input);
    const spawned = mappings.map(spawnedOf);
    await this.#acted(place, "coord.spawn", {
      spawned: spawned.map(({ id, task, sessionId, branch }) => ({ id, task, sessionId, branch })),
    });
    return { spawned };
  }

  async status({ place, input }: Request<StatusInput>): Promise<StatusOutput> {
    const { status, limit = DEFAULT_PAGE, after, ...selection } = input;
    const page = {
      limit: limit + 1,
      ...(status !== undefined && { status }),
      ...(after !== undefined && { after }),
    };
    const found = await this.#selections.select(place, selection, page);
    const shown = found.slice(0, limit);
    const sessions = await reportsOf(this.#options, place.caller, shown);
    return { sessions, after: found.length > limit ? shown.at(-1)?.id ?? null : null };
  }

  async message({ place, input }: Request<MessageInput>): Promise<MessageOutput> {
    const mapping = await this.#selections.one(place, input);
    const { id, sessionId, orgId } = mapping;
    if (mapping.status === "aborted" || (isEnded(mapping) && sessionId === null)) {
      throw new CallError("MAPPING_ENDED", `Cannot send a message to session "${sessionId ?? id}": it has ended`, {
        mapping: id,
        status: mapping.status,
      });
    }
    if (sessionId !== null) await this.#options.sessions.assertMayPrompt({ caller: place.caller, sessionId });
    const noticeId = this.#noticeId(place, "message", input.key);
    const answered = await this.#answer(place, mapping, input.message);
    if (answered !== null) return { noticeId: answered, id, sessionId, outcome: "answered" };
    const notice = this.#notice({ id: noticeId, mapping, place, recipient: sessionId, text: input.message });
    const isDelivered = await this.#mail.send({ ...notice, kind: "message", dueAt: this.#claim() }, mapping);
    await this.#acted(place, "coord.message", { mapping: id, session: sessionId, notice: noticeId, orgId });
    return { noticeId, id, sessionId, outcome: isDelivered ? "delivered" : "queued" };
  }

  async notify({ place, input, signal }: Request<NotifyInput>): Promise<NotifyOutput> {
    const { message, level = "info" } = input;
    const mapping = await this.#own(place, input.sessionId);
    const noticeId = this.#noticeId(place, "notify", input.key);
    const { id, sessionId, parentSessionId } = mapping;
    const runId = level === "blocking" ? await this.#ask(place, { mapping, noticeId, ask: message }) : null;
    const notice = {
      ...this.#notice({ id: noticeId, mapping, place, recipient: parentSessionId, text: message }),
      ...{ level, runId, dueAt: parentSessionId === null ? null : this.#claim() },
    };
    await this.#mail.send(notice, mapping);
    await this.#acted(place, "coord.notify", { mapping: id, session: sessionId, notice: noticeId, level });
    if (runId === null) return { noticeId, answer: null };
    const { store, graph, clock } = this.#options;
    const answer = await graph.answerOf({ caller: place.caller, runId, signal });
    const now = clock.now();
    const { orgId } = mapping;
    await store.changeNotice({ orgId, id: noticeId, change: { answer, answeredAt: now, dueAt: null }, now });
    return { noticeId, answer };
  }

  async abort({ place, input }: Request<AbortInput>): Promise<AbortOutput> {
    const { reason = "It was aborted by whoever spawned it", remove, ...selection } = input;
    const done = new Map<string, Mapping>();
    const params = remove === undefined ? { reason } : { reason, remove };
    let wanted = await this.#selections.select(place, selection);
    // What is still spawned while this goes on is found the next time round.
    while (wanted.length > 0) {
      const all = await this.#selections.withDescendants(wanted);
      const left = all.filter((one) => !done.has(one.id));
      for (const one of left) done.set(one.id, one);
      await inBatches(left, async (one) => done.set(one.id, await this.#lifecycle.abort(one, params)));
      wanted = left;
    }
    const aborted = [...done.values()].map(({ id, sessionId, task, status, worktree }) => ({
      ...{ id, sessionId, task, status, worktree },
    }));
    await this.#acted(place, "coord.abort", { mappings: aborted.map(({ id }) => id), reason });
    return { aborted };
  }

  async wait({ place, input, signal }: Request<WaitInput>): Promise<WaitOutput> {
    const { until = "all", timeoutMs = DEFAULT_WAIT_MS, ...selection } = input;
    const first = await this.#selections.select(place, selection);
    const { orgId } = place.caller;
    const ids = first.map(({ id }) => id);
    const { done, mappings } = await waitForEnded({
      read: async () => {
        const now = await this.#options.store.list({ orgId, ids, limit: ids.length });
        return await Promise.all(now.map((one) => this.#lifecycle.settle(one)));
      },
      ...{ until, timeoutMs, signal, ended: this.#ended, clock: this.#options.clock },
    });
    const order = new Map(ids.map((id, index) => [id, index]));
    const sorted = mappings.toSorted((a, b) => order.get(b.id)! - order.get(a.id)!);
    const sessions = sorted.map((one) => ({ ...spawnedOf(one), result: one.result, round: one.round }));
    return { done, ended: mappings.filter(isEnded).length, at: this.#options.clock.now(), sessions };
  }

  async detect({ place, input }: Request<DetectInput>): Promise<DetectOutput> {
    const anomalies = [];
    for (const mapping of await this.#selections.select(place, input)) {
      for (const one of await this.#anomalies.look(mapping)) {
        const { id, sessionId, type, severity, occurrence, suggestion, details, isNew } = one;
        anomalies.push({ id, sessionId, type, severity, occurrence, suggestion, details, isNew });
      }
    }
    return { anomalies };
  }

  /** Does what is due: for a timer. What one look fails at is tried again, and keeps the others from nothing. */
  async sweep(): Promise<void> {
    const { store, clock, log } = this.#options;
    const due = { now: clock.now(), forMs: CLAIM_MS, limit: MAX_DUE };
    const [mappings, notices] = await Promise.all([store.takeDue(due), store.takeDueNotices(due)]);
    await inBatches(mappings, async (mapping) => {
      try {
        const now = await this.#lifecycle.look(mapping);
        if (!isEnded(now)) await this.#anomalies.check(now);
      } catch (error) {
        log.warn("A spawned session could not be looked after: {error}", { mapping: mapping.id, ...failureOf(error) });
      }
    });
    await inBatches(notices, (notice) => this.#mail.deliver(notice));
  }

  /** The mapping of the session that calls. @throws {CallError} NOT_COORDINATED */
  async #own({ sessionId, caller }: CallPlace, named: string | undefined): Promise<Mapping> {
    if (sessionId !== null && named !== undefined && named !== sessionId) {
      throw new CallError("ACCESS_DENIED", `Session "${sessionId}" cannot speak for session "${named}"`);
    }
    const id = sessionId ?? named;
    const mapping = id === undefined ? null : await this.#selections.ofSession(caller.orgId, id);
    if (mapping !== null) return mapping;
    const what = id === undefined ? "The caller is no session" : `Session "${id}" was not spawned`;
    throw new CallError("NOT_COORDINATED", `${what}: there is nobody to notify`, { session: id ?? null });
  }

  /** Parks the session: a question to people, in a run below the session's own. */
  async #ask(
    { caller, parent }: CallPlace,
    { mapping, noticeId, ask }: { readonly mapping: Mapping; readonly noticeId: string; readonly ask: string },
  ): Promise<string> {
    const { task, workspace, sessionId } = mapping;
    const question = { ask, task, branch: workspace?.branch ?? null, sessionId, noticeId };
    const { runId } = await this.#options.graph.ask({ caller, parent, key: noticeId, question });
    return runId;
  }

  /** Answers what the session waits for; null: it waits for nothing. */
  async #answer({ caller }: CallPlace, { orgId, id }: Mapping, text: string): Promise<string | null> {
    const { store, graph, clock } = this.#options;
    const [open] = await store.notices({ orgId, mappingIds: [id], open: true, limit: 1 });
    if (open === undefined || open.runId === null) return null;
    const answer = { text };
    if (!await graph.answer({ caller, runId: open.runId, payload: answer })) return null;
    const now = clock.now();
    await store.changeNotice({ orgId, id: open.id, change: { answer, answeredAt: now }, now });
    return open.id;
  }

  #notice(
    { id, mapping, place, recipient, text }: {
      readonly id: string;
      readonly mapping: Mapping;
      readonly place: CallPlace;
      readonly recipient: string | null;
      readonly text: string;
    },
  ): Notice {
    return {
      id,
      orgId: mapping.orgId,
      mappingId: mapping.id,
      kind: "notice",
      level: "info",
      recipient,
      text,
      sender: place.sessionId === null ? place.caller.identity.id : `session:${place.sessionId}`,
      runId: null,
      answer: null,
      answeredAt: null,
      deliveredAt: null,
      dueAt: null,
      createdAt: this.#options.clock.now(),
    };
  }

  #noticeId(place: CallPlace, what: string, key: string | undefined): string {
    const { ids } = this.#options;
    const { identity, orgId } = place.caller;
    const own = place.key ?? (key === undefined ? null : `${identity.id} ${key}`);
    return own === null ? ids.fresh() : ids.of(`${what} ${orgId} ${own}`);
  }

  #claim(): number {
    return this.#options.clock.now() + CLAIM_MS;
  }

  async #acted({ caller, sessionId }: CallPlace, action: string, details: Record<string, unknown>): Promise<void> {
    const by = sessionId === null ? {} : { bySession: sessionId };
    await this.#options.audit.acted({ caller, action, details: { ...details, ...by } });
  }
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(work));
}
