import type { Principal, RatedKey, RateKind, RateState } from "../auth/mod.ts";

/** What stands before every edge: who tries wrong keys too often, who does too much, and what is written down of it. */
export interface Gate {
  /** Called with a key that is not remembered. @throws {CallError} `RATE_LIMITED` */
  assertMayTry(request: Request, key: string): void;
  /** The key was wrong. */
  wrong(request: Request, key: string): void;
  /** Takes one of the key's minute; null: it has no limit. @throws {CallError} `RATE_LIMITED` */
  admit(key: RatedKey, kind: RateKind): Promise<RateState | null>;
  /** Notes a refusal, soon: nobody waits for it. */
  refused(refusal: Refusal): void;
  /** Notes an administrative act that was done. Never rejects. */
  acted(act: Act): Promise<void>;
}

/** A request that was answered 401 or 403; over MCP or a socket, a message that was answered as one would be. */
export interface Refusal {
  /** What came in; for a message of a socket, the request that opened it. */
  readonly request: Request | ClientRequest;
  /** The declared path, or what stands for it. */
  readonly route: string;
  /** What the message asked for: a method of MCP and what it was about, or an operation. Absent: the route says it. */
  readonly asked?: string;
  /** Null: nobody was behind it. */
  readonly principal: Principal | null;
  readonly code: string;
}

/** What is kept of a request where the request itself is not. */
export interface ClientRequest {
  readonly method: string;
  /** Null: not known. */
  readonly address: string | null;
}

/** An administrative act. */
export interface Act {
  readonly request: Request;
  readonly principal: Principal;
  /** Name of the route. */
  readonly name: string;
  readonly route: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Scopes whose use is everybody's daily work: what they change is in the logs of runs. Keys and coordination have entries of their own. */
const DAILY: ReadonlySet<string> = new Set([
  "workflow:run",
  "run:write",
  "operation:call",
  "keys:write",
  "inference:call",
  "coord:read",
  "coord:write",
  "coord:notify",
]);

/** Whether what a route does is written down. */
export function isAdministrative(
  { method, scope, name }: {
    readonly method: string;
    readonly scope: string | readonly string[] | null;
    readonly name: string;
  },
): boolean {
  if (method === "GET" || scope === null || name.startsWith("validate") || name.startsWith("dryRun")) return false;
  return ![scope].flat().some((one) => DAILY.has(one));
}

/** Routes that start a run. */
export const STARTS: ReadonlySet<string> = new Set([
  "startRun",
  "rerunRun",
  "forkRun",
  "runSchedule",
  "createChatCompletion",
  "createResponse",
  "createEmbedding",
]);

/** Says in an answer how much of the key's minute is left. */
export function showRate(headers: Headers, rate: RateState | null): void {
  if (rate === null) return;
  for (const [name, value] of Object.entries(rateHeaders(rate))) headers.set(name, value);
}

/** Whole seconds until the minute is over. */
export function rateHeaders({ limit, remaining, resetMs }: RateState): Record<string, string> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.ceil(resetMs / 1000)),
  };
}
