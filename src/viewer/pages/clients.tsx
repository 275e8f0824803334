import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Action } from "../parts/action.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { hub } from "../session.ts";
import { ResourceList, send } from "./resource_list.tsx";

interface Client {
  readonly name: string;
  readonly type: string;
  readonly secrets: readonly { readonly name: string; readonly last4: string | null }[];
  readonly status: string;
  readonly circuit: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly retryAt: number | null;
  readonly operations: number;
  readonly inFlight: number;
}

interface Tried {
  readonly ok: boolean;
  readonly ms: number;
  readonly offers: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** MCP servers, OpenAPI services and providers of models. */
export function Clients(): JSX.Element {
  const path = (name: string, act = ""): string => `/api/clients/${encodeURIComponent(name)}${act}`;
  return (
    <ResourceList<Client>
      title="Clients"
      path="/api/clients"
      keyOf={({ name }) => name}
      empty="There is no client. `hub clients add` makes one."
      columns={(reload) => [
        { title: "Name", cell: ({ name }) => <code>{name}</code> },
        { title: "Kind", cell: ({ type }) => type },
        {
          title: "Status",
          cell: ({ status, circuit, error, retryAt }) => (
            <>
              <Status status={status} /> {circuit !== null && circuit !== "closed" && `circuit ${circuit}`}
              {error !== null && (
                <div class="error wrap">
                  {error.code}: {error.message}
                </div>
              )}
              {retryAt !== null && (
                <div class="dim">
                  tried again <Time at={retryAt} />
                </div>
              )}
            </>
          ),
        },
        { title: "Operations", isNumber: true, cell: ({ operations }) => operations },
        { title: "In flight", isNumber: true, cell: ({ inFlight }) => inFlight },
        {
          title: "Secrets",
          cell: ({ secrets }) => (
            <ul class="plain">
              {secrets.map(({ name, last4 }) => (
                <li key={name}>
                  <code>{name}</code> <span class="dim">{last4 === null ? "" : `…${last4}`}</span>
                </li>
              ))}
            </ul>
          ),
        },
        {
          title: "Actions",
          cell: ({ name, type }) => (
            <div class="buttons">
              <Try path={path(name, "/test")} />
              {type !== "llm-provider" && (
                <Action act={send("POST", path(name, "/refresh"), reload, {})}>Refresh</Action>
              )}
              <Action
                kind="danger"
                confirm={`Remove client ${name}? Its operations are refused at once.`}
                act={send("DELETE", path(name), reload)}
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

function Try({ path }: { readonly path: string }): JSX.Element {
  const [tried, setTried] = useState<Tried | null>(null);
  return (
    <span>
      <Action act={async () => setTried(await hub.value.transport.json<Tried>("POST", path, { body: {} }))}>Try</Action>
      {tried !== null && (
        <span role="status" class={tried.ok ? "dim" : "error"}>
          {tried.ok ? ` answers in ${tried.ms} ms` : ` ${tried.error?.code}: ${tried.error?.message}`}
        </span>
      )}
    </span>
  );
}
