import type { SignalNode } from "@alkdev/flowgraph";
import { nearestName } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { Engine, NodeOutcome } from "../../engine/mod.ts";
import { checkAnswer } from "./check_answer.ts";
import type { MigrationReason } from "./lineage_ports.ts";
import type { RunCommand, RunDriver, RunRecord } from "./ports.ts";

/**
 * Carries out a command on a run that this hub drives; resolves when it is durable.
 *
 * @throws CallError SIGNAL_NOT_FOUND, SIGNAL_ANSWERED, NODE_NOT_FOUND, NODE_ENDED, NODE_NOT_WAITING, or RUN_NOT_HERE when it is not driven here, or has just ended
 */
export async function commandRun(
  engine: Engine,
  { runId, by, command }: { readonly runId: string; readonly by: string; readonly command: RunCommand },
): Promise<void> {
  if (command.type === "signal") {
    if (engine.live(runId) === null) throw elsewhere(runId);
    const { name, payload, scopes = [] } = command; // absent: from a hub of an older release
    const check = (node: SignalNode) => checkAnswer(node, payload, scopes);
    const outcome = await engine.answer(runId, { name, payload, by, check });
    if (outcome === "answered" || outcome === "kept") return;
    if (outcome === "full") {
      throw new CallError("SIGNALS_FULL", `Cannot keep signal "${name}": run ${runId} keeps too many that came early`, {
        retryAfterMs: 10_000,
      });
    }
    if (outcome === "already") throw signalAnswered(runId, command.name);
    throw new CallError(
      "SIGNAL_NOT_FOUND",
      `Cannot answer signal "${command.name}" of run ${runId}: it has none of that name or node key`,
    );
  }
  if (command.type === "node") {
    const outcome = await engine.actOnNode(runId, { ...command.act, key: command.key, by });
    if (outcome === null) throw elsewhere(runId);
    return settleNode(outcome, runId, { ...command, known: engine.live(runId)?.state.program.indexOf });
  }
  if (command.type === "migrate") {
    const reasons = await engine.migrate(runId, { version: command.version, planHash: command.planHash, by });
    if (reasons === null) throw elsewhere(runId);
    if (reasons.length > 0) throw migrationRefused({ runId, version: command.version, reasons });
    return;
  }
  const isDone = command.type === "abort"
    ? await engine.abort(runId, { reason: command.reason, by })
    : await engine.setPaused(runId, command.type === "pause", by);
  if (!isDone) throw elsewhere(runId);
}

const NODE_ACTS = {
  abort: "abort",
  pause: "pause",
  resume: "resume",
  nudge: "retry",
  "give-up": "give up",
} as const;

function settleNode(
  outcome: NodeOutcome,
  runId: string,
  { key, act, known }: Extract<RunCommand, { type: "node" }> & {
    /** Keys of the plan; undefined: the run has just ended. */
    readonly known: ReadonlyMap<string, number> | undefined;
  },
): void {
  const what = `Cannot ${NODE_ACTS[act.type]} node "${key}" of run ${runId}`;
  switch (outcome) {
    case "done":
      return;
    case "unknown":
      throw new CallError("NODE_NOT_FOUND", `${what}: ${missing(key, known)}`, { runId, key });
    case "ended":
      throw new CallError("NODE_ENDED", `${what}: it has already ended`, { runId, key });
    case "idle":
      throw new CallError("NODE_NOT_WAITING", `${what}: it must be waiting for its next attempt`, { runId, key });
  }
}

/** Why there is no such node. */
function missing(key: string, known: ReadonlyMap<string, number> = new Map()): string {
  const bracket = key.indexOf("[");
  const base = bracket < 0 ? key : key.slice(0, bracket);
  if (known.has(base)) {
    return bracket < 0
      ? "it stands in a Map or Loop: name one of its items, such as " + `"${key}[0]"`
      : "that item or turn has not begun, or never will: act on the Map or Loop around it, which holds for all its items";
  }
  const near = nearestName(base, known.keys());
  return `the run has no such node${near === undefined ? "" : `; did you mean "${near}"?`}`;
}

export function migrationRefused(
  { runId, version, reasons }: {
    readonly runId: string;
    readonly version: string;
    readonly reasons: readonly MigrationReason[];
  },
): CallError {
  const [first] = reasons;
  const where = first === undefined || first.key === null ? "" : `node "${first.key}": `;
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : "";
  return new CallError(
    "MIGRATION_REFUSED",
    `Cannot migrate run ${runId} to version "${version}": ${where}${first?.reason ?? "no reason"}${more}`,
    { runId, version, reasons },
  );
}

export function elsewhere(runId: string): CallError {
  return new CallError("RUN_NOT_HERE", `Run ${runId} is being taken up by a hub: ask again`, {
    runId,
    retryAfterMs: 1000,
  });
}

/** This hub has no way to the one that drives the run: asking again does not help. */
export function outOfReach(runId: string, { hubId, url }: RunDriver): CallError {
  const where = url === null ? "" : ` at ${url}`;
  return new CallError(
    "RUN_NOT_HERE",
    `Run ${runId} is driven by hub "${hubId}"${where}, which this hub cannot reach: send the request there, or set ` +
      "HUB_REDIS_URL on every hub, which they need to pass commands on",
    { runId, hubId, url, reason: "no-bus" },
  );
}

export function ended(row: RunRecord): CallError {
  return new CallError("RUN_ENDED", `Run ${row.id} has already ended: its status is ${row.status}`, {
    runId: row.id,
    status: row.status,
  });
}

export function signalAnswered(runId: string, name: string): CallError {
  return new CallError(
    "SIGNAL_ANSWERED",
    `Cannot answer signal "${name}" of run ${runId}: it has been answered, or the run has ended`,
  );
}
