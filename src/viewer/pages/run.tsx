import type { Call, Page, RunGraph, RunView } from "@alkdev/client";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { duration } from "../format.ts";
import { criticalPath } from "../graph/critical_path.ts";
import { GraphView } from "../graph/graph_view.tsx";
import type { PlanPlace } from "../graph/shape_tree.ts";
import { JsonView } from "../parts/json_view.tsx";
import { Problem } from "../parts/problem.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { useRunClock } from "../use_run_clock.ts";
import { Inspector } from "./inspector.tsx";
import { RunActions } from "./run_actions.tsx";
import { Labels } from "./runs.tsx";
import { Waterfall } from "./waterfall.tsx";

/** What the hub adds to the client's types. */
export interface FullGraph extends RunGraph {
  readonly tree: readonly PlanPlace[];
}
export type FullRun = RunView;

/** One run: its graph as it goes, or as it was at any event, and all that can be asked and done about it. */
export function Run({ id }: { readonly id: string }): JSX.Element {
  const [at, setAt] = useState<number | null>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const clock = useRunClock(id);
  const asked = `${id} ${at ?? clock}`;
  const query = at === null ? {} : { at };
  const run = useKept(useLoad(asked, (signal) => get<FullRun>(id, "", query, signal)));
  const graph = useKept(useLoad(asked, (signal) => get<FullGraph>(id, "/graph", { data: false, ...query }, signal)));
  const calls = useKept(useLoad(`${id} ${clock}`, (signal) => get<Page<Call>>(id, "/calls", {}, signal)));
  useEffect(() => setSelected(null), [id]);
  const marked = useMemo(() => criticalPath(calls.value?.items ?? []), [calls.value]);
  if (run.value === null) return run.error === null ? <p class="dim">Loading…</p> : <Problem error={run.error} />;
  const view = run.value;
  const { total, completed, failed, skipped, aborted } = view.progress;
  const done = completed + failed + skipped + aborted;
  return (
    <section class="run">
      <header class="run-head">
        <h1>
          <a href={to(["workflows", view.workflow])}>{view.workflow}</a> <Status status={view.status} />
        </h1>
        <RunActions run={view} selected={selected} />
      </header>
      <p class="facts">
        <code>{view.id}</code> · <Time at={view.createdAt} />
        {view.completedAt !== null && ` · took ${duration(view.completedAt - view.createdAt)}`}
        {view.parentRunId !== null && (
          <>
            · child of <a href={to(["runs", view.parentRunId])}>its parent</a>
          </>
        )}
        {view.lineage != null && (
          <>
            · {view.lineage.kind} of <a href={to(["runs", view.lineage.runId])}>another run</a>
          </>
        )} <Labels labels={view.labels} />
      </p>
      <progress aria-label={`${done} of ${total} nodes have ended`} value={done} max={Math.max(1, total)} />
      <Problem error={run.error ?? graph.error} />
      {view.error !== null && (
        <div class="problem">
          <strong>{view.error.code}</strong> {view.error.nodeKey == null ? "" : (
            <>
              at <code>{view.error.nodeKey}</code>
              {": "}
            </>
          )}
          {view.error.message}
        </div>
      )}
      <div class="split wide">
        <div>
          {graph.value !== null && (
            <GraphView
              tree={graph.value.tree}
              nodes={graph.value.nodes}
              {...{ selected, onSelect: setSelected, marked }}
            />
          )}
          <Scrubber at={at} last={Math.max(clock, at ?? 1)} onChange={setAt} />
        </div>
        <Inspector
          run={view}
          clock={clock}
          selected={selected}
          node={graph.value?.nodes.find(({ key }) => key === selected) ?? null}
          calls={calls.value?.items ?? []}
        />
      </div>
      <h2>Where the time went</h2>
      <Waterfall calls={calls.value?.items ?? []} marked={marked} onSelect={setSelected} />
      <div class="split">
        <div>
          <h2>Input</h2>
          <JsonView value={view.input} label="Input" />
        </div>
        <div>
          <h2>Output</h2>
          {view.output === null ? <p class="dim">None yet.</p> : <JsonView value={view.output} label="Output" />}
        </div>
      </div>
    </section>
  );
}

/** The graph at any past event. */
function Scrubber(
  { at, last, onChange }: {
    readonly at: number | null;
    readonly last: number;
    readonly onChange: (at: number | null) => void;
  },
): JSX.Element {
  return (
    <div class="scrubber">
      <label>
        Event {at ?? last} of {last}
        <input
          type="range"
          min={1}
          max={last}
          value={at ?? last}
          onInput={({ currentTarget }) => onChange(Number(currentTarget.value))}
        />
      </label>
      <button type="button" disabled={at === null} onClick={() => onChange(null)}>Now</button>
    </div>
  );
}

function get<T>(
  id: string,
  rest: string,
  query: Readonly<Record<string, string | number | boolean>>,
  signal: AbortSignal,
): Promise<T> {
  return hub.value.transport.json<T>("GET", `/api/runs/${encodeURIComponent(id)}${rest}`, { query, signal });
}

/** What was loaded last, until the next is there: so that nothing flickers while a run goes on. */
function useKept<T>(
  loaded: { readonly value: T | null; readonly error: unknown },
): { readonly value: T | null; readonly error: unknown } {
  const [kept, setKept] = useState<T | null>(null);
  if (loaded.value !== null && loaded.value !== kept) setKept(loaded.value);
  return { value: loaded.value ?? kept, error: loaded.error };
}
