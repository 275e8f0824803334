import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { ResourceList, send } from "./resource_list.tsx";

interface Spoke {
  readonly id: string;
  readonly name: string;
  readonly spokeType: string;
  readonly status: string;
  readonly version: string | null;
  readonly operations: readonly string[];
  readonly inFlight: number;
  readonly maxConcurrency: number;
  readonly lastHeartbeat: number | null;
}

export function Spokes(): JSX.Element {
  return (
    <ResourceList<Spoke>
      title="Spokes"
      path="/api/spokes"
      keyOf={({ id }) => id}
      empty="No spoke is connected. `hub spoke dev` starts one on this machine."
      columns={(reload) => [
        {
          title: "Name",
          cell: ({ name, version }) => (
            <>
              {name} <span class="dim">{version ?? ""}</span>
            </>
          ),
        },
        { title: "Status", cell: ({ status }) => <Status status={status} /> },
        {
          title: "Load",
          cell: ({ inFlight, maxConcurrency }) => (
            <label class="load">
              <meter aria-label="Load" min={0} max={maxConcurrency} value={inFlight} /> {inFlight} of {maxConcurrency}
            </label>
          ),
        },
        {
          title: "Operations",
          cell: ({ operations }) => <span title={operations.join("\n")}>{operations.length}</span>,
        },
        { title: "Heard of", cell: ({ lastHeartbeat }) => <Time at={lastHeartbeat} /> },
        {
          title: "Actions",
          cell: ({ id, status }) =>
            status === "connected" && (
              <Action act={send("POST", `/api/spokes/${encodeURIComponent(id)}/drain`, reload)}>Drain</Action>
            ),
        },
      ]}
    />
  );
}
