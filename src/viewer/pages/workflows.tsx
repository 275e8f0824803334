import type { Page, Workflow } from "@alkdev/client";
import type { JSX } from "preact";
import { shortId } from "../format.ts";
import { Table } from "../parts/table.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

export function Workflows(): JSX.Element {
  const { value, error } = useLoad(
    "workflows",
    (signal) => hub.value.transport.json<Page<Workflow>>("GET", "/api/workflows", { query: { limit: 500 }, signal }),
    5_000,
  );
  return (
    <section>
      <h1>Workflows</h1>
      <Table
        label="Workflows"
        rows={value?.items ?? null}
        error={error}
        keyOf={({ name }) => name}
        empty="No workflow is served. Drop a template into a workflows directory, or register one as JSON."
        columns={[
          { title: "Name", cell: ({ name }) => <a href={to(["workflows", name])}>{name}</a> },
          { title: "Title", cell: ({ title, description }) => <span title={description ?? ""}>{title ?? ""}</span> },
          { title: "Version", cell: ({ version }) => <code title={version}>{shortId(version)}</code> },
          { title: "Runs", cell: ({ name }) => <a href={to(["runs"], { workflow: name })}>runs</a> },
        ]}
      />
    </section>
  );
}
