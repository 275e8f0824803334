import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { Time } from "../parts/time.tsx";
import { ResourceList, send } from "./resource_list.tsx";

interface ApiKey {
  readonly id: string;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
  readonly expiresAt: number | null;
}

export function Keys(): JSX.Element {
  return (
    <ResourceList<ApiKey>
      title="API keys"
      path="/api/keys"
      keyOf={({ id }) => id}
      empty="There is no key."
      columns={(reload) => [
        { title: "Name", cell: ({ name, id }) => <span title={id}>{name ?? id}</span> },
        { title: "Scopes", cell: ({ scopes }) => <code class="wrap">{scopes.join(" ")}</code> },
        { title: "Status", cell: ({ status }) => status },
        { title: "Used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} /> },
        { title: "Expires", cell: ({ expiresAt }) => <Time at={expiresAt} /> },
        {
          title: "Actions",
          cell: ({ id, name, status }) =>
            status === "active" && (
              <Action
                kind="danger"
                confirm={`Revoke key ${name ?? id}? Whoever uses it is refused at once.`}
                act={send("POST", `/api/keys/${encodeURIComponent(id)}/revoke`, reload, {})}
              >
                Revoke
              </Action>
            ),
        },
      ]}
    />
  );
}
