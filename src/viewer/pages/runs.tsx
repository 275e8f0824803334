import type { Page, Run } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { duration, shortId } from "../format.ts";
import { Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { go, place, to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

const STATUSES = ["", "queued", "running", "paused", "completed", "failed", "aborted"] as const;
const PAGE = 50;

/** Runs, newest first; filters are in the address, so that they can be kept and sent. */
export function Runs(): JSX.Element {
  const { query } = place.value;
  const filter = Object.fromEntries(
    ["workflow", "status", "label", "q", "parent"].map((name) => [name, query.get(name) ?? ""]),
  );
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  const params = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
  const { value, error } = useLoad(
    JSON.stringify([params, cursor]),
    (signal) =>
      hub.value.transport.json<Page<Run>>("GET", "/api/runs", { query: { ...params, limit: PAGE, cursor }, signal }),
    cursor === undefined ? 2_000 : undefined,
  );
  const set = (name: string, text: string): void => {
    setCursors([]);
    go(["runs"], { ...filter, [name]: text });
  };
  return (
    <section>
      <h1>Runs</h1>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Status
          <select value={filter["status"]} onChange={({ currentTarget }) => set("status", currentTarget.value)}>
            {STATUSES.map((status) => <option key={status} value={status}>{status === "" ? "any" : status}</option>)}
          </select>
        </label>
        {(["workflow", "label", "q"] as const).map((name) => (
          <label key={name}>
            {name === "q" ? "Search" : name === "label" ? "Label" : "Workflow"}
            <input
              type="search"
              value={filter[name]}
              placeholder={name === "label" ? "key=value" : name === "q" ? "id, workflow or label" : ""}
              onChange={({ currentTarget }) => set(name, currentTarget.value.trim())}
            />
          </label>
        ))}
      </form>
      <Table
        label="Runs"
        rows={value?.items ?? null}
        error={error}
        keyOf={({ id }) => id}
        empty={
          <>
            No run is like that. <a href={to(["workflows"])}>Start one from a workflow</a>.
          </>
        }
        columns={[
          {
            title: "Run",
            cell: ({ id }) => (
              <a href={to(["runs", id])} title={id}>
                <code>{shortId(id)}</code>
              </a>
            ),
          },
          { title: "Workflow", cell: ({ workflow }) => <a href={to(["workflows", workflow])}>{workflow}</a> },
          {
            title: "Status",
            cell: ({ status, errorCode }) => (
              <>
                <Status status={status} /> {errorCode !== null && <code class="dim">{errorCode}</code>}
              </>
            ),
          },
          { title: "Labels", cell: ({ labels }) => <Labels {...{ labels }} /> },
          { title: "Started", cell: ({ createdAt }) => <Time at={createdAt} /> },
          {
            title: "Took",
            isNumber: true,
            cell: ({ createdAt, completedAt }) => completedAt === null ? "" : duration(completedAt - createdAt),
          },
        ]}
      />
      <nav class="pager" aria-label="Pages">
        {cursors.length > 0 && <button type="button" onClick={() => setCursors(cursors.slice(0, -1))}>Newer</button>}
        {value !== null && value.nextCursor !== null && (
          <button
            type="button"
            onClick={() => setCursors([...cursors, value.nextCursor!])}
          >
            Older
          </button>
        )}
      </nav>
    </section>
  );
}

/** Labels as links to the runs that have them. */
export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }): JSX.Element {
  return (
    <>
      {Object.entries(labels).map(([name, value]) => (
        <a class="label" key={name} href={to(["runs"], { label: `${name}=${value}` })}>{name}={value}</a>
      ))}
    </>
  );
}
