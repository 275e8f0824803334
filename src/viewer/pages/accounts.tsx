import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { Time } from "../parts/time.tsx";
import { ResourceList, send } from "./resource_list.tsx";

interface Account {
  readonly accountId: string;
  readonly kind: string;
  readonly level: string;
  readonly keys: number;
  readonly displayName: string;
  readonly status: string;
  readonly createdAt: number;
}

interface Organization {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

/** Who has keys here; and, for the hub's own organization, which others there are. */
export function Accounts(): JSX.Element {
  return (
    <>
      <ResourceList<Account>
        title="Accounts"
        path="/api/accounts"
        keyOf={({ accountId }) => accountId}
        empty="There is no account."
        columns={(reload) => [
          { title: "Account", cell: ({ accountId }) => <code>{accountId}</code> },
          { title: "Name", cell: ({ displayName }) => displayName },
          { title: "Kind", cell: ({ kind, level }) => `${kind}, ${level}` },
          { title: "Keys", isNumber: true, cell: ({ keys }) => keys },
          { title: "Status", cell: ({ status }) => status },
          { title: "Made", cell: ({ createdAt }) => <Time at={createdAt} /> },
          {
            title: "Actions",
            cell: ({ accountId: id, status }) => {
              const isActive = status === "active";
              const path = `/api/accounts/${encodeURIComponent(id)}/${isActive ? "suspend" : "resume"}`;
              return (
                <Action
                  {...(isActive && { kind: "danger", confirm: `Suspend ${id}? None of its keys is taken until then.` })}
                  act={send("POST", path, reload)}
                >
                  {isActive ? "Suspend" : "Resume"}
                </Action>
              );
            },
          },
        ]}
      />
      <ResourceList<Organization>
        title="Organizations"
        path="/api/organizations"
        keyOf={({ id }) => id}
        empty="There is no organization."
        columns={() => [
          { title: "Organization", cell: ({ id }) => <code>{id}</code> },
          { title: "Name", cell: ({ name }) => name },
          { title: "Owner", cell: ({ ownerId }) => <code>{ownerId}</code> },
          { title: "Made", cell: ({ createdAt }) => <Time at={createdAt} /> },
        ]}
      />
    </>
  );
}
