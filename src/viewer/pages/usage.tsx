import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ResourceList } from "./resource_list.tsx";

interface Usage {
  readonly group: string | null;
  readonly calls: number;
  readonly tokens: number;
  readonly costMicros: number;
}

interface Budget {
  readonly kind: string;
  readonly id: string;
  readonly limits: Readonly<Record<string, number | null>>;
  readonly spent: Readonly<Record<string, number>>;
  readonly reserved: Readonly<Record<string, number>>;
}

const GROUPS = ["workflow", "operation", "run", "key"] as const;

/** What was used, and what may be. */
export function UsagePage(): JSX.Element {
  const [by, setBy] = useState<string>("workflow");
  return (
    <>
      <ResourceList<Usage>
        title="Usage"
        path="/api/usage"
        query={{ by }}
        keyOf={({ group }) => group ?? ""}
        empty="Nothing has been counted yet."
        columns={() => [
          { title: by, cell: ({ group }) => group ?? "" },
          { title: "Calls", isNumber: true, cell: ({ calls }) => calls.toLocaleString() },
          { title: "Tokens", isNumber: true, cell: ({ tokens }) => tokens.toLocaleString() },
          { title: "Cost", isNumber: true, cell: ({ costMicros }) => (costMicros / 1e6).toFixed(4) },
        ]}
      >
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label>
            By
            <select value={by} onChange={({ currentTarget }) => setBy(currentTarget.value)}>
              {GROUPS.map((group) => <option key={group} value={group}>{group}</option>)}
            </select>
          </label>
        </form>
      </ResourceList>
      <ResourceList<Budget>
        title="Budgets"
        path="/api/budgets"
        keyOf={({ kind, id }) => `${kind}/${id}`}
        empty="No budget has been set or charged."
        columns={() => [
          {
            title: "Of",
            cell: ({ kind, id }) => (
              <>
                {kind} <code>{id}</code>
              </>
            ),
          },
          {
            title: "Spent of limit",
            cell: ({ limits, spent, reserved }) => (
              <ul class="plain">
                {Object.entries(limits).map(([name, limit]) =>
                  limit !== null && (
                    <li key={name}>
                      <label class="load">
                        <meter
                          aria-label={name}
                          min={0}
                          max={limit}
                          value={(spent[name] ?? 0) + (reserved[name] ?? 0)}
                        />{" "}
                        {name} {(spent[name] ?? 0).toLocaleString()} of {limit.toLocaleString()}
                      </label>
                    </li>
                  )
                )}
              </ul>
            ),
          },
        ]}
      />
    </>
  );
}
