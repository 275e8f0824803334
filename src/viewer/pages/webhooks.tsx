import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { Time } from "../parts/time.tsx";
import { ResourceList, send } from "./resource_list.tsx";

interface Webhook {
  readonly id: string;
  readonly definition: { readonly name?: string; readonly kind?: string; readonly url?: string };
  readonly paused: boolean;
  readonly path: string | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly lastAcceptedAt: number | null;
  readonly lastError: string | null;
}

export function Webhooks(): JSX.Element {
  const path = (id: string, act = ""): string => `/api/webhooks/${encodeURIComponent(id)}${act}`;
  return (
    <ResourceList<Webhook>
      title="Webhooks"
      path="/api/webhooks"
      keyOf={({ id }) => id}
      empty="There is no webhook. `hub webhooks add-in` and `add-out` make one."
      columns={(reload) => [
        { title: "Name", cell: ({ definition, id }) => definition.name ?? id },
        {
          title: "Where",
          cell: ({ definition, path: inbound }) => <code class="wrap">{inbound ?? definition.url ?? ""}</code>,
        },
        { title: "Taken", isNumber: true, cell: ({ accepted }) => accepted },
        { title: "Refused", isNumber: true, cell: ({ rejected }) => rejected },
        {
          title: "Last",
          cell: ({ lastAcceptedAt, lastError }) => (
            <>
              <Time at={lastAcceptedAt} /> <span class="error">{lastError ?? ""}</span>
            </>
          ),
        },
        {
          title: "Actions",
          cell: ({ id, paused, definition }) => (
            <div class="buttons">
              <Action act={send("POST", path(id, paused ? "/resume" : "/pause"), reload)}>
                {paused ? "Resume" : "Pause"}
              </Action>
              <Action
                kind="danger"
                confirm={`Remove webhook ${definition.name ?? id}?`}
                act={send("DELETE", path(id), reload)}
              >
                Remove
              </Action>
            </div>
          ),
        },
      ]}
    />
  );
}
