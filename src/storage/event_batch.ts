import { isTerminalType } from "../../engine/events.ts";
import type { Value } from "./database.ts";
import type { EventOf, RunEvent, RunStatus } from "../../engine/events.ts";
import { column, encodeBody, encodePair } from "./event_body.ts";
import type { OutcomeEvent } from "./event_body.ts";

/** Arguments of `commit_events_v3` after the fence, in its order. */
export interface EncodedBatch {
  /** Runs that begin and runs that change; null: neither. */
  readonly runs: readonly Value[] | null;
  readonly events: readonly Value[];
  /** Arguments of `note_run_versions_v1`; null: no run moves to another version. */
  readonly migrated: readonly Value[] | null;
}

/** Packs a batch: a request directly followed by its outcome becomes one row. */
export function encodeBatch(batch: readonly RunEvent[]): EncodedBatch {
  const events = new EventColumns();
  const created: EventOf<"run.created">[] = [];
  const changes = new Map<string, RunChange>();
  let migrated: Map<string, EventOf<"run.migrated">> | null = null;
  for (let i = 0; i < batch.length; i++) {
    const event = batch[i]!;
    if (event.type === "call.requested") {
      const outcome = pairAt(batch, i);
      if (outcome !== null) {
        events.push(outcome, encodePair(event, outcome));
        i++;
        continue;
      }
    } else if (event.type === "run.created") created.push(event);
    else if (event.type === "run.migrated") (migrated ??= new Map()).set(event.runId, event);
    else if (event.type.startsWith("run.")) noteChange(changes, event);
    events.push(event, encodeBody(event));
  }
  const runs = created.length === 0 && changes.size === 0
    ? null
    : [...createdColumns(created, changes), ...changeColumns(changes)];
  return { runs, events: events.columns(), migrated: migrated === null ? null : migratedColumns(migrated) };
}

function migratedColumns(migrated: ReadonlyMap<string, EventOf<"run.migrated">>): readonly Value[] {
  const events = [...migrated.values()];
  return [
    array(events, ({ runId }) => runId),
    lines(events, ({ version }) => column(version)),
    lines(events, ({ planHash }) => column(planHash)),
  ];
}

/** The outcome that shares a row with the request at `i`, which it directly follows; null: the event there has its own row. */
export function pairAt(batch: readonly RunEvent[], i: number): OutcomeEvent | null {
  const event = batch[i];
  const next = batch[i + 1];
  return event !== undefined && event.type === "call.requested" && next !== undefined &&
      (next.type === "call.responded" || next.type === "call.error") &&
      next.requestId === event.requestId && next.runId === event.runId && next.seq === event.seq + 1 &&
      next.attempt === event.attempt && next.key === event.key
    ? next
    : null;
}

interface RunChange {
  readonly status: RunStatus;
  readonly completedAt: number | null;
  readonly errorCode: string;
}

function noteChange(changes: Map<string, RunChange>, event: RunEvent): void {
  const status = statusAfter(event);
  if (status === null) return;
  changes.set(event.runId, {
    status,
    completedAt: isTerminalType(event.type) ? event.at : null,
    errorCode: event.type === "run.failed"
      ? event.error.code
      : event.type === "run.aborted"
      ? event.code ?? "ABORTED"
      : "",
  });
}

function statusAfter(event: RunEvent): RunStatus | null {
  switch (event.type) {
    case "run.started":
      return "running";
    case "run.paused":
      return "paused";
    case "run.resumed":
      return event.queued === true ? "queued" : "running";
    case "run.completed":
      return "completed";
    case "run.failed":
      return "failed";
    case "run.aborted":
      return "aborted";
    default:
      return null;
  }
}

/** Joined at once at the end: adding up would leave two strings of garbage for each value. */
class EventColumns {
  readonly #run: string[] = [];
  readonly #request: string[] = [];
  readonly #at: number[] = [];
  readonly #seq: number[] = [];
  readonly #type: string[] = [];
  readonly #key: string[] = [];
  readonly #body: string[] = [];

  push(event: RunEvent, body: string): void {
    this.#run.push(event.runId);
    this.#request.push("requestId" in event ? event.requestId : "NULL");
    this.#at.push(event.at);
    this.#seq.push(event.seq);
    this.#type.push(event.type);
    this.#key.push("key" in event ? event.key : "");
    this.#body.push(body);
  }

  columns(): readonly Value[] {
    return [
      `{${this.#run.join()}}`,
      `{${this.#request.join()}}`,
      `{${this.#at.join()}}`,
      `{${this.#seq.join()}}`,
      this.#type.join("\n"),
      this.#key.join("\n"),
      this.#body.join("\n"),
    ];
  }
}

const NO_RUNS: readonly null[] = new Array(15).fill(null);
const NO_CHANGES: readonly null[] = new Array(4).fill(null);
/** For a batch in which no run begins or changes. */
export const NO_RUN_CHANGES: readonly null[] = [...NO_RUNS, ...NO_CHANGES];

/** The rows of runs that begin in this batch, already as its later events leave them; those changes are taken out. */
function createdColumns(
  created: readonly EventOf<"run.created">[],
  changes: Map<string, RunChange>,
): readonly Value[] {
  if (created.length === 0) return NO_RUNS;
  const ends = created.map(({ runId }) => {
    const change = changes.get(runId);
    changes.delete(runId);
    return change;
  });
  const hasParent = created.some(({ parent }) => parent !== null);
  const hasLabels = created.some(({ labels }) => Object.keys(labels).length > 0);
  const hasError = ends.some((end) => end !== undefined && end.errorCode !== "");
  const hasKey = created.some(({ idempotencyKey }) => idempotencyKey !== null);
  return [
    array(created, ({ runId }) => runId),
    hasParent ? array(created, ({ parent }) => parent?.runId ?? null) : null,
    hasParent ? array(created, ({ parent }) => parent?.requestId ?? null) : null,
    hasParent ? array(created, ({ parent }) => parent?.rootRunId ?? null) : null,
    array(created, ({ at }) => at),
    array(ends, (end) => end?.completedAt ?? null),
    array(created, ({ priority }) => priority),
    lines(ends, (end, i) => end?.status ?? (created[i]!.gate === undefined ? "running" : "queued")),
    lines(created, ({ caller }) => column(caller.orgId)),
    lines(created, ({ workflow }) => column(workflow)),
    lines(created, ({ version }) => column(version)),
    lines(created, ({ planHash }) => column(planHash)),
    hasLabels ? lines(created, ({ labels }) => labelsText(labels)) : null,
    hasError ? lines(ends, (end) => column(end?.errorCode ?? "")) : null,
    hasKey ? lines(created, ({ idempotencyKey }) => idempotencyKey === null ? "" : keyText(idempotencyKey)) : null,
  ];
}

function changeColumns(changes: ReadonlyMap<string, RunChange>): readonly Value[] {
  if (changes.size === 0) return NO_CHANGES;
  const values = [...changes.values()];
  return [
    `{${[...changes.keys()].join(",")}}`,
    lines(values, ({ status }) => status),
    array(values, ({ completedAt }) => completedAt),
    values.some(({ errorCode }) => errorCode !== "") ? lines(values, ({ errorCode }) => column(errorCode)) : null,
  ];
}

/** Different keys give different texts, whatever is in them. */
export function keyText(key: string): string {
  return JSON.stringify(key);
}

/** Empty without labels. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  return JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [column(name), column(value)])));
}

function array<T>(items: readonly T[], value: (item: T) => string | number | null): string {
  let text = "{";
  for (let i = 0; i < items.length; i++) text += (i === 0 ? "" : ",") + (value(items[i]!) ?? "NULL");
  return text + "}";
}

function lines<T>(items: readonly T[], value: (item: T, index: number) => string): string {
  let text = "";
  for (let i = 0; i < items.length; i++) text += (i === 0 ? "" : "\n") + value(items[i]!, i);
  return text;
}
