import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { ResourceList, send } from "./resource_list.tsx";

interface Role {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  readonly systemPrompt: string;
  readonly model: string | null;
  readonly tools: {
    readonly operations: readonly string[];
    readonly workflows: readonly string[];
    readonly approve: readonly string[];
  };
  readonly scopes: readonly string[];
  readonly limits: Readonly<Record<string, number | null>>;
  readonly spawn: { readonly roles: readonly string[]; readonly maxDepth: number; readonly maxBreadth: number } | null;
  readonly createdAt: number;
}

/** What sessions of agents can be, and the most that they may do. */
export function Roles(): JSX.Element {
  return (
    <ResourceList<Role>
      title="Roles"
      path="/api/roles"
      keyOf={({ name }) => name}
      empty="There is no role. `hub roles put` makes one."
      columns={(reload) => [
        {
          title: "Role",
          cell: ({ name, version, title, description, systemPrompt }) => (
            <>
              <code>{name}</code> <span class="dim">v{version}</span>
              <div>{title}</div>
              {description !== "" && <div class="dim wrap">{description}</div>}
              {systemPrompt !== "" && (
                <details class="reasoning">
                  <summary>System prompt</summary>
                  <p class="prose">{systemPrompt}</p>
                </details>
              )}
            </>
          ),
        },
        { title: "Model", cell: ({ model }) => model === null ? <span class="dim">any</span> : <code>{model}</code> },
        {
          title: "May use",
          cell: ({ tools }) => (
            <>
              <Patterns patterns={[...tools.operations, ...tools.workflows.map((name) => `workflow.${name}`)]} />
              {tools.approve.length > 0 && (
                <div>
                  <span class="dim">asks before</span> <Patterns patterns={tools.approve} />
                </div>
              )}
            </>
          ),
        },
        { title: "Scopes", cell: ({ scopes }) => <Patterns patterns={scopes} /> },
        {
          title: "Spawns",
          cell: ({ spawn }) =>
            spawn === null ? <span class="dim">nothing</span> : `${spawn.roles.join(", ")}, ${spawn.maxDepth} deep`,
        },
        { title: "Written", cell: ({ createdAt }) => <Time at={createdAt} /> },
        {
          title: "Actions",
          cell: ({ name }) => (
            <div class="buttons">
              <a class="button" href={to(["sessions"], { role: name })}>Sessions</a>
              <Action
                kind="danger"
                confirm={`Archive role ${name}? No new session can have it.`}
                act={send("POST", `/api/roles/${encodeURIComponent(name)}/archive`, reload)}
              >
                Archive
              </Action>
            </div>
          ),
        },
      ]}
    />
  );
}

function Patterns({ patterns }: { readonly patterns: readonly string[] }): JSX.Element {
  if (patterns.length === 0) return <span class="dim">nothing</span>;
  return <>{patterns.map((pattern) => <code class="label" key={pattern}>{pattern}</code>)}</>;
}
