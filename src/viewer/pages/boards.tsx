import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Action } from "../parts/action.tsx";
import { Problem } from "../parts/problem.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { go, to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { ResourceList } from "./resource_list.tsx";

interface Board {
  readonly name: string;
  readonly title: string;
  readonly source: { readonly spoke: string | null; readonly directory: string } | null;
  readonly updatedAt: number;
}

interface BoardView {
  readonly board: Board;
  readonly counts: Readonly<Record<string, number>>;
  readonly estimate: {
    readonly tasks: number;
    readonly completed: number;
    readonly left: number;
    readonly groups: readonly (readonly string[])[];
    readonly criticalPath: readonly string[];
    readonly probability: number;
    readonly problems: readonly string[];
  };
}

interface Task {
  readonly id: string;
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly status: string;
  readonly note: string | null;
  readonly risk: string | null;
  readonly assignee: string | null;
  readonly tags: readonly string[];
  readonly attempts: number;
  readonly runId: string | null;
}

const COLUMNS = ["pending", "in-progress", "blocked", "failed", "completed"] as const;

export function Boards(): JSX.Element {
  return (
    <ResourceList<Board>
      title="Task boards"
      path="/api/boards"
      keyOf={({ name }) => name}
      empty="There is no board. `hub boards create` makes one."
      columns={() => [
        { title: "Board", cell: ({ name, title }) => <a href={to(["boards", name])}>{title}</a> },
        { title: "Name", cell: ({ name }) => <code>{name}</code> },
        {
          title: "Files",
          cell: ({ source }) =>
            source === null ? <span class="dim">none</span> : (
              <>
                {source.spoke ?? "any spoke"}: <code class="wrap">{source.directory}</code>
              </>
            ),
        },
        { title: "Changed", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
      ]}
    />
  );
}

/** A board's tasks by status, what is left of them, and the run that works them off. */
export function BoardPage({ name }: { readonly name: string }): JSX.Element {
  const path = `/api/boards/${encodeURIComponent(name)}`;
  const head = useLoad(name, (signal) => hub.value.transport.json<BoardView>("GET", path, { signal }), 3_000);
  const tasks = useLoad(name, (signal) => allTasks(name, signal), 3_000);
  if (head.value === null || tasks.value === null) {
    const error = head.error ?? tasks.error;
    return error === null ? <p class="dim" aria-busy="true">Loading…</p> : <Problem error={error} />;
  }
  const { board, estimate } = head.value;
  const reload = (): void => (head.reload(), tasks.reload());
  const run = async (): Promise<void> => {
    const { id } = await hub.value.transport.json<{ readonly id: string }>("POST", `${path}/runs`, { body: {} });
    go(["runs", id]);
  };
  const sync = async (): Promise<void> => {
    await hub.value.transport.json("POST", `${path}/sync`, { body: {} });
    reload();
  };
  return (
    <section>
      <header class="run-head">
        <h1>
          <a href={to(["boards"])}>Task boards</a> / {board.title}
        </h1>
        <div class="buttons">
          {board.source !== null && <Action act={sync}>Bring files in</Action>}
          <Action kind="main" act={run} disabled={estimate.left === 0 || estimate.problems.length > 0}>
            Work it off
          </Action>
        </div>
      </header>
      <Problem error={head.error ?? tasks.error} />
      <p class="facts">
        {estimate.completed} of {estimate.tasks} done
        {estimate.left > 0 && ` · ${estimate.groups.length} groups, one after the other`}
        {estimate.criticalPath.length > 0 && ` · longest way: ${estimate.criticalPath.join(" → ")}`}
        {estimate.left > 0 && ` · ${Math.round(estimate.probability * 100)} % that no task fails at first`}
      </p>
      <progress aria-label="Tasks that are done" value={estimate.completed} max={Math.max(1, estimate.tasks)} />
      {estimate.problems.map((problem) => <div class="problem" key={problem}>{problem}</div>)}
      <div class="board" tabIndex={0} role="region" aria-label="Tasks by status">
        {COLUMNS.map((status) => (
          <Column
            key={status}
            status={status}
            tasks={tasks.value?.filter((task) => task.status === status) ?? []}
            path={path}
            onChange={reload}
          />
        ))}
      </div>
    </section>
  );
}

async function allTasks(board: string, signal: AbortSignal): Promise<readonly Task[]> {
  const all: Task[] = [];
  for await (const task of hub.value.transport.pages<Task>("/api/tasks", { board, limit: 200 }, { signal })) {
    all.push(task);
  }
  return all;
}

function Column(
  { status, tasks, path, onChange }: {
    readonly status: string;
    readonly tasks: readonly Task[];
    readonly path: string;
    readonly onChange: () => void;
  },
): JSX.Element {
  return (
    <section class="board-column" aria-label={status}>
      <h2>
        <Status status={status} /> <span class="dim">{tasks.length}</span>
      </h2>
      {tasks.map((task) => <Card key={task.id} {...{ task, path, onChange }} />)}
    </section>
  );
}

function Card(
  { task, path, onChange }: { readonly task: Task; readonly path: string; readonly onChange: () => void },
): JSX.Element {
  const { id, name, dependsOn, note, risk, assignee, tags, attempts, runId, status } = task;
  const [error, setError] = useState<unknown>(null);
  const move = async (next: string): Promise<void> => {
    setError(null);
    try {
      // Only from where it was seen: another may have moved it.
      const body = { status: next, from: [status] };
      await hub.value.transport.json("POST", `${path}/tasks/${encodeURIComponent(id)}/status`, { body });
    } catch (thrown) {
      setError(thrown);
    }
    onChange();
  };
  return (
    <article class="card" aria-label={name}>
      <strong class="wrap">{name}</strong>
      <code class="dim wrap">{id}</code>
      {note !== null && <p class="wrap">{note}</p>}
      {dependsOn.length > 0 && <p class="dim wrap">after {dependsOn.join(", ")}</p>}
      {(risk !== null || assignee !== null || tags.length > 0) && (
        <p>
          {risk !== null && <span class="label">risk {risk}</span>}
          {assignee !== null && <span class="label">{assignee}</span>}
          {tags.map((tag) => <span class="label" key={tag}>{tag}</span>)}
        </p>
      )}
      <footer>
        <select
          aria-label={`Status of ${name}`}
          value={status}
          onChange={({ currentTarget }) => void move(currentTarget.value)}
        >
          {COLUMNS.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
        {runId !== null && <a class="plain-link" href={to(["runs", runId])}>run{attempts > 1 ? ` ${attempts}` : ""}</a>}
      </footer>
      <Problem error={error} />
    </article>
  );
}
