import type { JSX } from "preact";
import { Time } from "../parts/time.tsx";
import { go, place } from "../router.ts";
import { ResourceList } from "./resource_list.tsx";

interface Entry {
  readonly id: string;
  readonly action: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: number;
}

const FILTERS = ["action", "owner", "key"] as const;

/** Who did what, and what was refused, newest first. */
export function Audit(): JSX.Element {
  const { query } = place.value;
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  return (
    <ResourceList<Entry>
      title="Audit"
      path="/api/audit"
      query={Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""))}
      keyOf={({ id }) => id}
      empty="Nothing like that was done or refused."
      columns={() => [
        { title: "When", cell: ({ at }) => <Time at={at} /> },
        { title: "What", cell: ({ action }) => <code>{action}</code> },
        { title: "Who", cell: ({ ownerId }) => <code>{ownerId}</code> },
        { title: "Key", cell: ({ keyId }) => <code class="wrap">{keyId ?? ""}</code> },
        { title: "Details", cell: ({ details }) => <code class="wrap">{JSON.stringify(details)}</code> },
      ]}
    >
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        {FILTERS.map((name) => (
          <label key={name}>
            {name[0]?.toUpperCase()}
            {name.slice(1)}
            <input
              type="search"
              value={filter[name]}
              onChange={({ currentTarget }) => go(["audit"], { ...filter, [name]: currentTarget.value.trim() })}
            />
          </label>
        ))}
      </form>
    </ResourceList>
  );
}
