import type { Page, Workflow as WorkflowInfo } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { initialOf, JsonField, SchemaForm } from "../forms/schema_form.tsx";
import { shortId } from "../format.ts";
import { GraphView } from "../graph/graph_view.tsx";
import type { PlanPlace } from "../graph/shape_tree.ts";
import { Action } from "../parts/action.tsx";
import { JsonView } from "../parts/json_view.tsx";
import { Problem } from "../parts/problem.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { go, to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

interface PlannedWorkflow extends WorkflowInfo {
  /** Null: it depends on the input. */
  readonly plan: { readonly tree: readonly PlanPlace[] } | null;
}

interface Version {
  readonly version: string;
  readonly current: boolean;
  readonly deployedAt: number | null;
  readonly liveRuns: number;
}

const path = (name: string): string => `/api/workflows/${encodeURIComponent(name)}`;

/** One workflow: start it, see its plan, its schemas and its versions. */
export function Workflow({ name }: { readonly name: string }): JSX.Element {
  const { value, error } = useLoad(
    name,
    (signal) => hub.value.transport.json<PlannedWorkflow>("GET", path(name), { signal }),
  );
  const versions = useLoad(
    name,
    (signal) => hub.value.transport.json<Page<Version>>("GET", `${path(name)}/versions`, { signal }),
    5_000,
  );
  if (value === null) return error === null ? <p class="dim">Loading…</p> : <Problem error={error} />;
  return (
    <section>
      <h1>{value.title ?? name}</h1>
      {value.description !== null && <p>{value.description}</p>}
      <p>
        <a href={to(["runs"], { workflow: name })}>Its runs</a> · version{" "}
        <code title={value.version}>{shortId(value.version)}</code>
      </p>
      <div class="split">
        <StartForm key={name} name={name} schema={value.inputSchema} />
        <div class="panel">
          <h2>Plan</h2>
          {value.plan === null
            ? <p class="dim">The plan depends on the input.</p>
            : <GraphView tree={value.plan.tree} nodes={null} selected={null} onSelect={() => {}} />}
        </div>
      </div>
      <h2>Versions</h2>
      <Table
        label="Versions"
        rows={versions.value?.items ?? null}
        error={versions.error}
        keyOf={({ version }) => version}
        empty="None."
        columns={[
          {
            title: "Version",
            cell: ({ version, current }) => <code title={version}>{shortId(version)}{current ? " (served)" : ""}</code>,
          },
          { title: "Deployed", cell: ({ deployedAt }) => <Time at={deployedAt} /> },
          { title: "Live runs", isNumber: true, cell: ({ liveRuns }) => liveRuns },
        ]}
      />
      <h2>Schemas</h2>
      <div class="split">
        <div>
          <h3>Input</h3>
          <JsonView value={value.inputSchema} label="Input schema" />
        </div>
        <div>
          <h3>Output</h3>
          <JsonView value={value.outputSchema} label="Output schema" />
        </div>
      </div>
    </section>
  );
}

function StartForm({ name, schema }: { readonly name: string; readonly schema: unknown }): JSX.Element {
  const [input, setInput] = useState<unknown>(() => initialOf(schema) ?? {});
  const [asJson, setAsJson] = useState(false);
  const start = async (): Promise<void> => {
    const run = await hub.value.start(name, input);
    go(["runs", run.id]);
  };
  return (
    <form class="panel" onSubmit={(event) => event.preventDefault()} aria-label={`Start ${name}`}>
      <h2>Start a run</h2>
      {asJson
        ? <JsonField label="Input (JSON)" value={input} onChange={setInput} />
        : <SchemaForm {...{ schema, value: input, onChange: setInput }} />}
      <div class="buttons">
        <Action kind="main" act={start}>Start</Action>
        <button type="button" aria-pressed={asJson} onClick={() => setAsJson(!asJson)}>as JSON</button>
      </div>
    </form>
  );
}
