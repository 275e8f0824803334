import { CallError } from "@alkdev/operations";
import type { EventError, RunEvent } from "../runs/mod.ts";
import type { SessionsOptions } from "./options.ts";
import type { Session, SessionTurn } from "./session.ts";

/** Turns that began less than this long ago are left to whoever began them. */
const GRACE_MS = 5_000;
const BATCH = 200;

export interface TurnKey {
  readonly orgId: string;
  readonly turnId: string;
}

/**
 * Keeps turns and their runs together: a turn's run is started, also when the hub that was to do it has gone; and a turn is ended
 * when its run has, however that ended.
 */
export class TurnKeeper {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Starts the run of a turn, once whoever asks and how often. @throws CallError as a start of a run does */
  async start(session: Session, turn: SessionTurn): Promise<string> {
    const { owners, runs, store, feed } = this.#options;
    const { orgId } = session;
    const standing = await owners.standing({ owner: session.owner, orgId });
    if (!standing.ok) {
      throw new CallError("ACCESS_DENIED", `Session "${session.id}" cannot go on: ${standing.reason}`);
    }
    const { runId } = await runs.start({ caller: standing.caller, turn, session });
    await store.started({ turnId: turn.id, runId });
    feed.publish({ orgId, sessionId: session.id }, { type: "turn-start", turnId: turn.id, runId });
    return runId;
  }

  /** Ends a turn. Null: there is none, or something was said that nobody has seen yet. */
  async end(
    turn: Pick<SessionTurn, "id" | "orgId" | "sessionId">,
    how: {
      readonly status: "done" | "stopped" | "failed";
      readonly error: EventError | null;
      readonly seenSeq?: number;
    },
  ): Promise<SessionTurn | null> {
    const { store, feed, clock } = this.#options;
    const unfinished = how.status === "stopped"
      ? "The turn was stopped before it had ended"
      : "The turn ended before it";
    const ended = await store.end({ turnId: turn.id, ...how, at: clock.now(), unfinished });
    if (ended === null || ended.status === "open") return null;
    feed.publish({ orgId: turn.orgId, sessionId: turn.sessionId }, { type: "turn-end", turn: ended });
    return ended;
  }

  /** Told what has become durable. `turnOf` gives the turn whose run it is; null: of none. */
  committed(events: readonly RunEvent[], turnOf: (runId: string) => TurnKey | null): void {
    for (const event of events) {
      if (event.type !== "run.failed" && event.type !== "run.aborted" && event.type !== "run.completed") continue;
      const key = turnOf(event.runId);
      if (key !== null) this.#ended(key, event).catch((error: unknown) => this.#warn(error));
    }
  }

  /** Starts and ends what a crash has left; gives how many turns. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#options;
    const open = await store.openTurns({ before: clock.now() - GRACE_MS, limit: BATCH });
    let changed = 0;
    for (const turn of open) {
      try {
        if (await this.settle(turn)) changed++;
      } catch (error) {
        this.#warn(error);
      }
    }
    return changed;
  }

  /** Starts an open turn that has no run, and ends one whose run has ended. False: it is as it should be. */
  async settle(turn: SessionTurn): Promise<boolean> {
    const { store, runs } = this.#options;
    const { orgId, sessionId, runId } = turn;
    if (turn.status !== "open") return false;
    if (runId === null) {
      const session = await store.get({ orgId, sessionId });
      if (session === null) return false;
      try {
        await this.start(session, turn);
      } catch (error) {
        if (!(error instanceof CallError) || error.code === "OVERLOADED") throw error;
        await this.end(turn, { status: "failed", error: { code: error.code, message: error.message } });
      }
      return true;
    }
    const state = await runs.state({ orgId, runId });
    if (state !== null && state.ended === null) return false;
    const lost = { code: "RUN_NOT_FOUND", message: "The run of the turn is gone" };
    const status = state?.ended === "aborted" ? "stopped" : state?.ended === "completed" ? "done" : "failed";
    await this.end(turn, { status, error: state === null ? lost : state.error });
    return true;
  }

  async #ended(
    key: TurnKey,
    event: Extract<RunEvent, { type: "run.failed" | "run.aborted" | "run.completed" }>,
  ): Promise<void> {
    const turn = await this.#options.store.turn(key);
    if (turn?.status !== "open") return;
    if (event.type === "run.completed") return void await this.end(turn, { status: "done", error: null });
    if (event.type === "run.failed") {
      const { nodeKey: _nodeKey, ...error } = event.error;
      return void await this.end(turn, { status: "failed", error });
    }
    const { code = "ABORTED", reason } = event;
    const status = code === "ABORTED" ? "stopped" : "failed";
    await this.end(turn, { status, error: { code, message: reason } });
  }

  #warn(error: unknown): void {
    this.#options.log.warn("A turn of a session was not looked after: {error}", { error: String(error) });
  }
}
