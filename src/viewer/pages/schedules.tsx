import type { JSX } from "preact";
import { shortId } from "../format.ts";
import { Action } from "../parts/action.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { ResourceList, send } from "./resource_list.tsx";

interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly workflow: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly paused: boolean;
  readonly nextAt: number | null;
  readonly lastRunId: string | null;
  readonly lastError: string | null;
}

export function Schedules(): JSX.Element {
  const path = (id: string, act = ""): string => `/api/schedules/${encodeURIComponent(id)}${act}`;
  return (
    <ResourceList<Schedule>
      title="Schedules"
      path="/api/schedules"
      keyOf={({ id }) => id}
      empty="There is no schedule. `hub schedules add` makes one."
      columns={(reload) => [
        { title: "Name", cell: ({ name }) => name },
        { title: "Workflow", cell: ({ workflow }) => <a href={to(["workflows", workflow])}>{workflow}</a> },
        {
          title: "When",
          cell: ({ cron, timeZone }) => (
            <>
              <code>{cron}</code> <span class="dim">{timeZone}</span>
            </>
          ),
        },
        { title: "Next", cell: ({ nextAt, paused }) => paused ? "paused" : <Time at={nextAt} /> },
        {
          title: "Last",
          cell: ({ lastRunId, lastError }) => (
            <>
              {lastRunId !== null && (
                <a href={to(["runs", lastRunId])}>
                  <code>{shortId(lastRunId)}</code>
                </a>
              )}
              {lastError !== null && <span class="error">{` ${lastError}`}</span>}
            </>
          ),
        },
        {
          title: "Actions",
          cell: ({ id, name, paused }) => (
            <div class="buttons">
              <Action act={send("POST", path(id, paused ? "/resume" : "/pause"), reload)}>
                {paused ? "Resume" : "Pause"}
              </Action>
              <Action act={send("POST", path(id, "/run"), reload)}>Run now</Action>
              <Action kind="danger" confirm={`Remove schedule ${name}?`} act={send("DELETE", path(id), reload)}>
                Remove
              </Action>
            </div>
          ),
        },
      ]}
    />
  );
}
