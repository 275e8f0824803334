import type { Page } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Action } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { go, place, to } from "../router.ts";
import { hub } from "../session.ts";
import type { AgentSession } from "../sessions/agent_session.ts";
import { useLoad } from "../use_load.ts";

const STATUSES = ["", "idle", "busy", "waiting", "stopped", "failed"] as const;

interface Row {
  readonly session: AgentSession;
  /** Where the text that was searched for stands; null: none was. */
  readonly excerpt: string | null;
}

interface Hits {
  readonly items: readonly {
    readonly session: AgentSession;
    readonly matches: readonly { readonly excerpt: string }[];
  }[];
}

/** Sessions of agents, last active first. */
export function Sessions(): JSX.Element {
  const { query } = place.value;
  const [isNew, setIsNew] = useState(false);
  const filter = Object.fromEntries(["status", "role", "q"].map((name) => [name, query.get(name) ?? ""]));
  const { value, error } = useLoad(JSON.stringify(filter), (signal) => find(filter, signal), 2_000);
  const set = (name: string, text: string): void => go(["sessions"], { ...filter, [name]: text });
  const isSearch = filter["q"] !== "";
  return (
    <section>
      <header class="run-head">
        <h1>Sessions</h1>
        <button type="button" class="main" onClick={() => setIsNew(true)}>New session…</button>
      </header>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Status
          <select
            value={filter["status"]}
            disabled={isSearch}
            onChange={({ currentTarget }) => set("status", currentTarget.value)}
          >
            {STATUSES.map((status) => <option key={status} value={status}>{status === "" ? "any" : status}</option>)}
          </select>
        </label>
        <label>
          Role
          <input
            type="search"
            value={filter["role"]}
            disabled={isSearch}
            onChange={({ currentTarget }) => set("role", currentTarget.value.trim())}
          />
        </label>
        <label>
          Search
          <input
            type="search"
            value={filter["q"]}
            placeholder="title, or what was said"
            onChange={({ currentTarget }) => set("q", currentTarget.value.trim())}
          />
        </label>
      </form>
      <Table
        label="Sessions"
        rows={value}
        error={error}
        keyOf={({ session }) => session.id}
        empty="No session is like that."
        columns={[
          {
            title: "Session",
            cell: ({ session: { id, title, slug }, excerpt }) => (
              <>
                <a href={to(["sessions", id])}>{title === "" ? slug : title}</a>
                {excerpt !== null && <div class="dim wrap">{excerpt}</div>}
              </>
            ),
          },
          { title: "Status", cell: ({ session: { status } }) => <Status status={status} /> },
          {
            title: "Role",
            cell: ({ session: { role } }) => role === null ? "" : <a href={to(["roles"])}>{role.name}</a>,
          },
          { title: "Model", cell: ({ session: { model } }) => <code>{model}</code> },
          { title: "Turns", isNumber: true, cell: ({ session: { usage } }) => usage.turns },
          {
            title: "Tokens",
            isNumber: true,
            cell: ({ session: { usage } }) => (usage.inputTokens + usage.outputTokens).toLocaleString(),
          },
          { title: "Cost", isNumber: true, cell: ({ session: { usage } }) => (usage.costMicros / 1e6).toFixed(4) },
          { title: "Active", cell: ({ session: { lastActivityAt } }) => <Time at={lastActivityAt} /> },
        ]}
      />
      {isNew && <NewSession onClose={() => setIsNew(false)} />}
    </section>
  );
}

async function find(filter: Readonly<Record<string, string>>, signal: AbortSignal): Promise<readonly Row[]> {
  const { q = "", ...rest } = filter;
  const { transport } = hub.value;
  if (q !== "") {
    const { items } = await transport.json<Hits>("GET", "/api/sessions/search", { query: { q, limit: 50 }, signal });
    return items.map(({ session, matches }) => ({ session, excerpt: matches[0]?.excerpt ?? null }));
  }
  const query = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ""));
  const { items } = await transport.json<Page<AgentSession>>("GET", "/api/sessions", {
    query: { limit: 100, ...query },
    signal,
  });
  return items.map((session) => ({ session, excerpt: null }));
}

const FIELDS = [["title", "Title"], ["role", "Role"], ["model", "Model"]] as const;

function NewSession({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  const set = (name: string, text: string): void => setFields((before) => ({ ...before, [name]: text }));
  const make = async (): Promise<void> => {
    const body = Object.fromEntries(Object.entries(fields).filter(([, text]) => text.trim() !== ""));
    const { id } = await hub.value.transport.json<AgentSession>("POST", "/api/sessions", { body });
    go(["sessions", id]);
  };
  return (
    <Dialog title="New session" onClose={onClose}>
      <form onSubmit={(event) => event.preventDefault()}>
        {FIELDS.map(([name, title]) => (
          <div class="field" key={name}>
            <label for={`new-${name}`}>{title}</label>
            <input
              id={`new-${name}`}
              value={fields[name] ?? ""}
              onInput={({ currentTarget }) => set(name, currentTarget.value)}
            />
            {name === "model" && <small>Empty: the role's own. One of the two is needed.</small>}
          </div>
        ))}
        <div class="field">
          <label for="new-prompt">Prompt</label>
          <textarea
            id="new-prompt"
            rows={4}
            value={fields["prompt"] ?? ""}
            onInput={({ currentTarget }) => set("prompt", currentTarget.value)}
          />
          <small>Begins the first turn.</small>
        </div>
        <Action kind="main" act={make}>Begin</Action>
      </form>
    </Dialog>
  );
}
