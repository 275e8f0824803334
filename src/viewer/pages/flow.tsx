import type { JSX } from "preact";
import { duration, shortId } from "../format.ts";
import { Action } from "../parts/action.tsx";
import { Problem } from "../parts/problem.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { ResourceList, send } from "./resource_list.tsx";

interface FlowKey {
  readonly key: string;
  readonly running: number;
  readonly waiting: number;
  readonly concurrency: number | null;
  readonly rate: { readonly limit: number; readonly perMs: number } | null;
}

interface Ticket {
  readonly holder: string;
  readonly runId: string;
  readonly nodeKey: string | null;
  readonly state: "held" | "waiting";
  readonly priority: number;
  readonly since: number;
  readonly position: number | null;
}

interface Hold {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** Keys of flow control, and what people hold back. */
export function Flow(): JSX.Element {
  return (
    <>
      <ResourceList<FlowKey>
        title="Flow control"
        path="/api/flow"
        keyOf={({ key }) => key}
        empty="Nothing runs or waits under a key."
        columns={() => [
          {
            title: "Key",
            cell: ({ key }) => (
              <a href={to(["flow", key])}>
                <code>{key}</code>
              </a>
            ),
          },
          { title: "Running", isNumber: true, cell: ({ running }) => running },
          { title: "Waiting", isNumber: true, cell: ({ waiting }) => waiting },
          { title: "At once", isNumber: true, cell: ({ concurrency }) => concurrency ?? "any" },
          { title: "Rate", cell: ({ rate }) => rate === null ? "any" : `${rate.limit} per ${duration(rate.perMs)}` },
        ]}
      />
      <ResourceList<Hold>
        title="Holds"
        path="/api/holds"
        keyOf={({ id }) => id}
        empty="No workflow, operation or spoke is held."
        columns={(reload) => [
          {
            title: "What",
            cell: ({ kind, name }) => (
              <>
                {kind} <code>{name}</code>
              </>
            ),
          },
          { title: "Why", cell: ({ reason }) => reason ?? "" },
          {
            title: "Since",
            cell: ({ createdAt, createdBy }) => (
              <>
                <Time at={createdAt} /> by {createdBy}
              </>
            ),
          },
          {
            title: "Actions",
            cell: ({ id }) => (
              <Action act={send("DELETE", `/api/holds/${encodeURIComponent(id)}`, reload)}>Let go on</Action>
            ),
          },
        ]}
      />
    </>
  );
}

/** Who holds a key, and who waits for it, in order. */
export function FlowLine({ name }: { readonly name: string }): JSX.Element {
  const { value, error } = useLoad(
    name,
    (signal) =>
      hub.value.transport.json<{ readonly tickets: readonly Ticket[] }>(
        "GET",
        `/api/flow/${encodeURIComponent(name)}`,
        { signal },
      ),
    2_000,
  );
  return (
    <section>
      <h1>
        <a href={to(["flow"])}>Flow control</a> / <code>{name}</code>
      </h1>
      <Problem error={error} />
      <Table
        label="Line"
        rows={value?.tickets ?? null}
        keyOf={({ holder }) => holder}
        empty="Nobody holds it and nobody waits."
        columns={[
          { title: "#", isNumber: true, cell: ({ position }) => position ?? "runs" },
          {
            title: "Run",
            cell: ({ runId, nodeKey }) => (
              <a href={to(["runs", runId])}>
                <code>{shortId(runId)}</code> {nodeKey ?? ""}
              </a>
            ),
          },
          { title: "Priority", isNumber: true, cell: ({ priority }) => priority },
          { title: "Since", cell: ({ since }) => <Time at={since} /> },
        ]}
      />
    </section>
  );
}
