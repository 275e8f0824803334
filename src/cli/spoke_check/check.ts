import type { CheckHub } from "./check_hub.ts";
import { type CheckSession, isRecord, quote, type SeenMessage } from "./check_session.ts";
import type { SpokeProcess } from "./spoke_process.ts";

/** What a check has to work with. */
export interface CheckWorld {
  readonly hub: CheckHub;
  /** The socket on which the spoke is registered now. */
  session: CheckSession;
  /** Null: the spoke was started by somebody else. */
  process: SpokeProcess | null;
}

/** One requirement of docs/protocol.md. */
export interface Check {
  /** Heading of the document. */
  readonly section: string;
  readonly name: string;
  /** What the document wants, in a line. */
  readonly wanted: string;
  /** Operations of the namespace `check` that it calls: without them it is skipped. */
  readonly needs?: readonly string[];
  /** It sends the spoke signals: skipped where this program has not started it. */
  readonly needsProcess?: boolean;
  /** Gives what was seen; throws {@linkcode Failed} when that is not what is wanted, {@linkcode Skipped} when it cannot be told. */
  run(world: CheckWorld): Promise<string>;
}

/** The spoke does something else: the message says what was seen. */
export class Failed extends Error {}

/** The check does not apply to this spoke: the message says why. */
export class Skipped extends Error {}

/** How long an answer may take that needs no work. */
export const PATIENCE_MS = 3_000;
/** How long is listened for what must not come. */
export const SILENCE_MS = 400;

/** The first answer to a call. @throws {Failed} when none comes */
export async function answerTo(
  session: CheckSession,
  requestId: string,
  withinMs: number = PATIENCE_MS,
): Promise<SeenMessage> {
  const answer = await session.until(
    () => session.answersTo(requestId)[0] ?? (session.closed === null ? null : "closed"),
    withinMs,
  );
  if (answer === null) throw new Failed(`no answer within ${withinMs} ms`);
  if (answer === "closed") throw new Failed(`the socket was closed, with code ${session.closed?.code}`);
  return answer;
}

/** The data of an answer. @throws {Failed} when it is not `call.responded` */
export function dataOf(answer: SeenMessage): unknown {
  const { output } = answer.payload;
  if (answer.type === "call.responded" && isRecord(output)) return output["data"] ?? null;
  throw new Failed(show(answer));
}

export async function ask(session: CheckSession, operationId: string, input: unknown): Promise<unknown> {
  return dataOf(await answerTo(session, session.request(operationId, input)));
}

/** An answer in a line. */
export function show({ type, payload }: SeenMessage): string {
  if (type === "call.error") return `call.error ${String(payload["code"])}: ${quote(String(payload["message"]))}`;
  return `${type} ${quote(JSON.stringify(payload["output"] ?? null))}`;
}

export interface WaitState {
  readonly started: number;
  readonly running: number;
}

/** What `check.state` tells of the handlers of `check.wait`. */
export async function waitState(session: CheckSession): Promise<WaitState> {
  const data = await ask(session, "check.state", {});
  if (isRecord(data) && typeof data["started"] === "number" && typeof data["running"] === "number") {
    return { started: data["started"], running: data["running"] };
  }
  throw new Failed(`check.state answered ${quote(JSON.stringify(data))}: wanted {started, running}`);
}

/** Asks for the state until it fits; gives the last one. */
export async function stateWhen(
  session: CheckSession,
  fits: (state: WaitState) => boolean,
  withinMs: number = PATIENCE_MS,
): Promise<WaitState> {
  const end = Date.now() + withinMs;
  while (true) {
    const state = await waitState(session);
    if (fits(state) || Date.now() > end) return state;
    await silence(20);
  }
}

/** @param signal ends the wait early */
export function silence(ms: number = SILENCE_MS, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

export function demand(holds: boolean, seen: string): void {
  if (!holds) throw new Failed(seen);
}
