import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Action } from "../parts/action.tsx";
import { Status } from "../parts/status.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";
import { ResourceList } from "./resource_list.tsx";

interface Report {
  readonly id: string;
  readonly task: string;
  readonly sessionId: string | null;
  readonly parentSessionId: string | null;
  readonly status: string;
  readonly state: string;
  readonly role: string | null;
  readonly branch: string | null;
  readonly depth: number;
  readonly current: readonly { readonly operationId: string }[];
  readonly lastMessage: { readonly role: string; readonly text: string } | null;
  readonly lastActivityAt: number | null;
  readonly anomalies: readonly { readonly type: string }[];
  readonly blockedBy: { readonly text: string } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Notice {
  readonly id: string;
  readonly mappingId: string;
  readonly kind: string;
  readonly level: string;
  readonly text: string;
  readonly sender: string;
  readonly runId: string | null;
  readonly answeredAt: number | null;
  readonly createdAt: number;
}

interface Detection {
  readonly id: string;
  readonly sessionId: string;
  readonly type: string;
  readonly severity: string;
  readonly suggestion: string;
  readonly createdAt: number;
}

/** Sessions that other sessions have spawned: how they do, what they ask, and what is odd about them. */
export function Coordination(): JSX.Element {
  return (
    <>
      <Team />
      <Notices />
      <ResourceList<Detection>
        title="Anomalies"
        path="/api/detections"
        keyOf={({ id }) => id}
        empty="Nothing odd has been found."
        columns={() => [
          { title: "What", cell: ({ type }) => type },
          { title: "Severity", cell: ({ severity }) => <span class={`severity is-${severity}`}>{severity}</span> },
          { title: "Session", cell: ({ sessionId }) => <a href={to(["sessions", sessionId])}>its transcript</a> },
          { title: "What to do", cell: ({ suggestion }) => <span class="wrap">{suggestion}</span> },
          { title: "Found", cell: ({ createdAt }) => <Time at={createdAt} /> },
        ]}
      />
    </>
  );
}

function Team(): JSX.Element {
  const { value, error, reload } = useLoad(
    "team",
    (signal) =>
      hub.value.transport.json<{ readonly sessions: readonly Report[] }>("POST", "/api/coord/status", {
        body: { limit: 200 },
        signal,
      }),
    3_000,
  );
  const abort = (id: string) => async (): Promise<void> => {
    await hub.value.transport.json("POST", "/api/coord/abort", { body: { ids: [id] } });
    reload();
  };
  return (
    <section>
      <h1>Spawned sessions</h1>
      <Table
        label="Spawned sessions"
        rows={value?.sessions ?? null}
        error={error}
        keyOf={({ id }) => id}
        empty="No session has spawned another."
        columns={[
          {
            title: "Task",
            cell: ({ task, sessionId, depth, branch }) => (
              <>
                <span class="dim" aria-hidden="true">{"↳ ".repeat(Math.max(0, depth - 1))}</span>
                {sessionId === null ? task : <a href={to(["sessions", sessionId])}>{task}</a>}
                {branch !== null && (
                  <>
                    {" "}
                    <code class="dim">{branch}</code>
                  </>
                )}
              </>
            ),
          },
          {
            title: "Status",
            cell: ({ status, state, error }) => (
              <>
                <Status status={status === "active" ? state : status} />
                {error !== null && (
                  <div class="error wrap">
                    {error.code}: {error.message}
                  </div>
                )}
              </>
            ),
          },
          { title: "Role", cell: ({ role }) => role ?? "" },
          {
            title: "Now",
            cell: ({ current, blockedBy, lastMessage, anomalies }) => (
              <>
                {blockedBy !== null
                  ? <span class="wrap">waits for an answer: {blockedBy.text}</span>
                  : current.length > 0
                  ? <code>{current.map(({ operationId }) => operationId).join(", ")}</code>
                  : <span class="dim wrap">{lastMessage?.text.slice(0, 160) ?? ""}</span>}
                {anomalies.length > 0 && <div class="error">{anomalies.map(({ type }) => type).join(", ")}</div>}
              </>
            ),
          },
          { title: "Active", cell: ({ lastActivityAt }) => <Time at={lastActivityAt} /> },
          {
            title: "Actions",
            cell: ({ id, task, status }) =>
              status === "active" && (
                <Action kind="danger" confirm={`Abort ${task}, with all that it has spawned?`} act={abort(id)}>
                  Abort
                </Action>
              ),
          },
        ]}
      />
    </section>
  );
}

function Notices(): JSX.Element {
  return (
    <ResourceList<Notice>
      title="Messages"
      path="/api/coord/notices"
      keyOf={({ id }) => id}
      empty="No session has told another anything."
      columns={(reload) => [
        {
          title: "What",
          cell: ({ kind, level }) => (
            <>
              {kind} <span class={`severity is-${level}`}>{level}</span>
            </>
          ),
        },
        { title: "Text", cell: ({ text }) => <span class="wrap">{text}</span> },
        { title: "From", cell: ({ sender }) => <code class="wrap">{sender}</code> },
        { title: "When", cell: ({ createdAt }) => <Time at={createdAt} /> },
        {
          title: "Answer",
          cell: (notice) =>
            notice.level !== "blocking" ? "" : notice.answeredAt !== null
              ? (
                <>
                  <Time at={notice.answeredAt} />
                </>
              )
              : <Reply notice={notice} onSent={reload} />,
        },
      ]}
    />
  );
}

/** A blocking notice is answered by a message to the session that asks. */
function Reply({ notice, onSent }: { readonly notice: Notice; readonly onSent: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const send = async (): Promise<void> => {
    await hub.value.transport.json("POST", "/api/coord/message", { body: { id: notice.mappingId, message: text } });
    onSent();
  };
  return (
    <form class="buttons" onSubmit={(event) => event.preventDefault()}>
      <input
        aria-label={`Answer to: ${notice.text.slice(0, 60)}`}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <Action kind="main" disabled={text.trim() === ""} act={send}>Answer</Action>
    </form>
  );
}
