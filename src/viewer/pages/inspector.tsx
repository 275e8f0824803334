import type { Call, GraphNode, Page, RunError, WhyEntry } from "@alkdev/client";
import type { JSX } from "preact";
import { duration, instant } from "../format.ts";
import { Action } from "../parts/action.tsx";
import { JsonView } from "../parts/json_view.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { AnswerForm, type Approval } from "./approvals.tsx";
import type { FullRun } from "./run.tsx";

interface LogLine {
  readonly id: number;
  readonly at: number;
  readonly level: string;
  readonly message: string;
}

export interface InspectorProps {
  readonly run: FullRun;
  /** Moves with the run. */
  readonly clock: number;
  readonly selected: string | null;
  /** Null: a container. */
  readonly node: GraphNode | null;
  readonly calls: readonly Call[];
}

/** All about the selected node; with none, what the run waits for. */
export function Inspector({ run, clock, selected, node, calls }: InspectorProps): JSX.Element {
  const isLive = run.completedAt === null;
  const why = useLoad(`${run.id} ${clock}`, () => isLive ? hub.value.handle(run.id).why() : Promise.resolve([]));
  const approvals = useLoad(
    `${run.id} ${clock} ${isLive}`,
    (signal) =>
      isLive
        ? hub.value.transport.json<Page<Approval>>("GET", "/api/approvals", {
          query: { all: true, limit: 200 },
          signal,
        })
        : Promise.resolve<Page<Approval>>({ items: [], nextCursor: null }),
  );
  const open = (approvals.value?.items ?? []).filter(({ runId, key }) =>
    runId === run.id && (selected === null || key === selected)
  );
  const reasons = (why.value ?? []).filter(({ key }) => selected === null || key === selected);
  return (
    <aside class="panel inspector" aria-label="Node" aria-live="polite">
      {selected === null ? <h2>The run</h2> : (
        <h2>
          <code>{selected}</code>
        </h2>
      )}
      {open.map((approval) => (
        <AnswerForm key={`${approval.runId}/${approval.key}`} approval={approval} onAnswered={() => {}} />
      ))}
      {reasons.length > 0 && <WhyList {...{ reasons }} />}
      {selected === null && reasons.length === 0 && (
        <p class="dim">{isLive ? "All that can move is moving." : "It has ended."} Choose a node to see more of it.</p>
      )}
      {node !== null && <NodeFacts {...{ run, node, calls, isLive, clock }} />}
    </aside>
  );
}

function WhyList({ reasons }: { readonly reasons: readonly WhyEntry[] }): JSX.Element {
  return (
    <>
      <h3>Waits for</h3>
      <ul class="why">
        {reasons.slice(0, 50).map(({ key, message, until }) => (
          <li key={key}>
            <code>{key}</code> {message}
            {until !== null && (
              <>
                , <Time at={until} />
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function NodeFacts(
  { run, node, calls, isLive, clock }: {
    readonly run: FullRun;
    readonly node: GraphNode;
    readonly calls: readonly Call[];
    readonly isLive: boolean;
    readonly clock: number;
  },
): JSX.Element {
  const attempts = calls.filter(({ nodeKey }) => nodeKey === node.key);
  const last = attempts.at(-1);
  const logs = useLoad(
    `${run.id} ${node.key} ${clock}`,
    (signal) =>
      hub.value.transport.json<Page<LogLine>>("GET", `/api/runs/${run.id}/logs`, {
        query: { node: node.key, limit: 100 },
        signal,
      }),
  );
  const act = (what: string) => () =>
    hub.value.transport.json("POST", `/api/runs/${run.id}/nodes/${encodeURIComponent(node.key)}/${what}`, { body: {} });
  const waitsToRetry = node.status === "waiting" && node.nextAt !== null && node.kind === "operation";
  return (
    <>
      <p>
        <Status status={node.status} /> {node.operationId !== null && <code>{node.operationId}</code>}
        {node.startedAt !== null && node.completedAt !== null && ` · ${duration(node.completedAt - node.startedAt)}`}
      </p>
      {isLive && (
        <div class="buttons">
          {waitsToRetry && <Action act={act("retry")}>Retry now</Action>}
          {waitsToRetry && <Action act={act("give-up")}>Give up</Action>}
          {!["completed", "failed", "aborted", "skipped"].includes(node.status) && (
            <Action kind="danger" confirm={`Abort ${node.key}?`} act={act("abort")}>Abort node</Action>
          )}
        </div>
      )}
      {node.kind === "workflow" && node.requestId !== null && (
        <p>
          <a href={to(["runs", node.requestId])}>Its own run</a>
        </p>
      )}
      {node.error !== undefined && <ErrorBox error={node.error} />}
      {attempts.length > 0 && (
        <>
          <h3>Attempts</h3>
          <ol class="attempts">
            {attempts.map((call) => (
              <li key={call.requestId} title={instant(call.startedAt)}>
                <Status status={call.status} /> {call.durationMs !== null && duration(call.durationMs)}
                {call.error !== null && <code class="dim">{` ${call.error.code}`}</code>}
              </li>
            ))}
          </ol>
        </>
      )}
      {last !== undefined && <h3>Input</h3>}
      {last !== undefined && <JsonView value={last.input} label="Input of the node" />}
      {last !== undefined && last.output !== null && <h3>Output</h3>}
      {last !== undefined && last.output !== null && <JsonView value={last.output} label="Output of the node" />}
      {(logs.value?.items.length ?? 0) > 0 && (
        <>
          <h3>Log</h3>
          <ul class="log">
            {logs.value!.items.map(({ id, at, level, message }) => (
              <li key={id} class={`level-${level}`}>
                <Time at={at} /> {message}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function ErrorBox({ error }: { readonly error: RunError }): JSX.Element {
  return (
    <div class="problem">
      <strong>{error.code}</strong> {error.message}
    </div>
  );
}
