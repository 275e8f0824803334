import type { Clock } from "../../engine/mod.ts";
import { LiveRelay } from "../peers/mod.ts";
import type { Runs } from "../runs/mod.ts";
import { type Route, type ServerDeps, sessionStreamRoutes } from "../server/mod.ts";
import { SessionChat } from "../sessions/ui/mod.ts";
import type { Peers } from "./peers.ts";
import type { HubSessions } from "./sessions.ts";
import type { Startup } from "./startup.ts";

export interface SessionChatParts {
  readonly sessions: HubSessions;
  readonly runs: Pick<Runs, "signal">;
  readonly clock: Clock;
  /** Null: this hub is alone. */
  readonly peers: Peers | null;
  readonly deps: Pick<ServerDeps, "log" | "closing" | "onStream">;
}

/** Sessions as chat pages use them, and what is said in them carried to the hubs on which it is read. */
export function openSessionChat(startup: Startup, parts: SessionChatParts): readonly Route[] {
  const { sessions: { sessions, store, feed }, runs, clock, peers, deps } = parts;
  if (peers !== null) {
    const relay = new LiveRelay({ bus: peers.bus, clock, name: "session", source: feed });
    feed.relay = relay;
    startup.onStop(() => relay.close());
  }
  const chat = new SessionChat({
    store,
    feed,
    clock,
    sessions: {
      get: (params) => sessions.get(params),
      prompt: (params) => sessions.prompt(params),
      retract: (params) => sessions.retract(params),
      async answer({ caller, turn: { runId }, part: { approvalKey }, approved, reason }) {
        if (runId === null || approvalKey === undefined) return; // a runner's tools ask nobody
        const payload = { approved, ...(reason !== null && { reason }) };
        await runs.signal({ caller, runId, name: approvalKey, payload });
      },
    },
  });
  return sessionStreamRoutes(chat, deps);
}
