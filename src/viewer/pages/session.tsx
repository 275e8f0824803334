import type { Page } from "@alkdev/client";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Action } from "../parts/action.tsx";
import { Problem } from "../parts/problem.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { go, to } from "../router.ts";
import { hub } from "../session.ts";
import type { AgentSession } from "../sessions/agent_session.ts";
import { MessageView } from "../sessions/message_view.tsx";
import type { ToolPart, UiMessage } from "../sessions/ui_message.ts";
import { useTranscript } from "../sessions/use_transcript.ts";
import { useLoad } from "../use_load.ts";

/** One session: what was said, live, and all that can be said and done. */
export function SessionPage({ id }: { readonly id: string }): JSX.Element {
  const { session, messages, error, reload } = useTranscript(id);
  const path = `/api/sessions/${encodeURIComponent(id)}`;
  if (session === null) {
    return error === null ? <p class="dim" aria-busy="true">Loading…</p> : <Problem error={error} />;
  }
  const isBusy = session.turnId !== null;
  const act = (rest: string, body: unknown) => async (): Promise<void> => {
    await hub.value.transport.json("POST", `${path}/${rest}`, { body });
    reload();
  };
  return (
    <section class="session">
      <header class="run-head">
        <h1 class="wrap">
          {session.title === "" ? session.slug : session.title} <Status status={session.status} />
        </h1>
        <div class="buttons">
          {isBusy && <Action kind="danger" act={act("stop", {})}>Stop</Action>}
          <Action act={act("compact", {})} disabled={isBusy}>Compact</Action>
          <Action act={act("title", {})}>Find a title</Action>
        </div>
      </header>
      <Problem error={error} />
      {session.error !== null && (
        <div class="problem">
          <strong>{session.error.code}</strong> {session.error.message}
        </div>
      )}
      <div class="split wide">
        <div>
          <Messages {...{ path, messages }} />
          <PromptBox {...{ path, isBusy }} onSaid={reload} />
        </div>
        <Facts session={session} />
      </div>
    </section>
  );
}

function Messages(
  { path, messages }: { readonly path: string; readonly messages: readonly UiMessage[] | null },
): JSX.Element {
  const end = useRef<HTMLDivElement>(null);
  const length = messages?.reduce((sum, { parts }) => sum + 1 + parts.length, 0) ?? 0;
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [length]);
  if (messages === null) return <p class="dim" aria-busy="true">Loading…</p>;
  if (messages.length === 0) return <div class="empty">Nothing has been said yet.</div>;
  return (
    <div class="transcript" role="log" aria-label="Transcript">
      {messages.map((message) => (
        <MessageView
          key={message.id}
          message={message}
          onAnswer={(part, approved) => answer(path, message, part, approved)}
          onFork={() => fork(path, message)}
        />
      ))}
      <div ref={end} />
    </div>
  );
}

/** As `useChat` answers: the turn's message with the call that was asked about. */
async function answer(path: string, message: UiMessage, part: ToolPart, approved: boolean): Promise<void> {
  const { type, toolName, toolCallId, input, approval } = part;
  const answered = {
    type,
    toolName,
    toolCallId,
    input,
    state: "approval-responded",
    approval: { ...approval, approved },
  };
  const response = await hub.value.transport.send("POST", `${path}/stream`, {
    accept: "text/event-stream",
    body: {
      messages: [{ id: message.id, role: "assistant", parts: [answered] }],
      trigger: "submit-message",
      messageId: message.id,
    },
  });
  // What comes of it is told by the stream that the page reads already.
  await response.body?.cancel();
}

async function fork(path: string, message: UiMessage): Promise<void> {
  const { transport } = hub.value;
  const { items } = await transport.json<{ readonly items: readonly SaidMessage[] }>("GET", `${path}/messages`, {
    query: { newest: true, limit: 200 },
  });
  // A turn's message is made of all that its steps have said.
  const last = items.findLast(({ id, role, turnId }) =>
    id === message.id || role === "assistant" && turnId === message.id
  );
  const made = await transport.json<AgentSession>("POST", `${path}/fork`, {
    body: { messageId: last?.id ?? message.id },
  });
  go(["sessions", made.id]);
}

interface SaidMessage {
  readonly id: string;
  readonly role: string;
  readonly turnId: string | null;
}

function PromptBox(
  { path, isBusy, onSaid }: { readonly path: string; readonly isBusy: boolean; readonly onSaid: () => void },
): JSX.Element {
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isSending, setIsSending] = useState(false);
  const send = async (): Promise<void> => {
    if (text.trim() === "" || isSending) return;
    setIsSending(true);
    setError(null);
    try {
      await hub.value.transport.json("POST", `${path}/messages`, { body: { text } });
      setText("");
      onSaid();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setIsSending(false);
    }
  };
  return (
    <form class="prompt" onSubmit={(event) => (event.preventDefault(), void send())}>
      <label for="prompt">{isBusy ? "Steer the turn under way" : "Say something"}</label>
      <textarea
        id="prompt"
        rows={3}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) =>
          event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), void send())}
      />
      <div class="buttons">
        <button type="submit" class="main" disabled={isSending || text.trim() === ""}>
          {isBusy ? "Steer" : "Send"}
        </button>
        <span class="dim">Ctrl+Enter sends</span>
      </div>
      <Problem error={error} />
    </form>
  );
}

function Facts({ session }: { readonly session: AgentSession }): JSX.Element {
  const { id, role, model, usage, workspace, parentId, forkOf, runId, createdBy, createdAt } = session;
  return (
    <aside class="panel inspector" aria-label="About the session">
      <h2>About</h2>
      <dl class="about">
        <dt>Id</dt>
        <dd>
          <code class="wrap">{id}</code>
        </dd>
        <dt>Role</dt>
        <dd>{role === null ? "none" : `${role.name}@${role.version}`}</dd>
        <dt>Model</dt>
        <dd>
          <code>{model}</code>
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={createdAt} /> by {createdBy}
        </dd>
        <dt>Used</dt>
        <dd>
          {usage.inputTokens.toLocaleString()} in, {usage.outputTokens.toLocaleString()} out ·{" "}
          {(usage.costMicros / 1e6).toFixed(4)}
        </dd>
        <dt>Steps</dt>
        <dd>
          {usage.steps} in {usage.turns} {usage.turns === 1 ? "turn" : "turns"}
        </dd>
        <dt>Tools</dt>
        <dd>
          {usage.toolCalls} called, {usage.toolErrors} failed
        </dd>
        {workspace !== null && (
          <>
            <dt>Works in</dt>
            <dd class="wrap">
              {workspace.spoke}: <code>{workspace.directory}</code> {workspace.branch ?? ""}
            </dd>
          </>
        )}
      </dl>
      <ul class="plain links">
        {runId !== null && (
          <li>
            <a href={to(["runs", runId])}>Graph of the last turn</a>
          </li>
        )}
        {parentId !== null && (
          <li>
            <a href={to(["sessions", parentId])}>The session that spawned it</a>
          </li>
        )}
        {forkOf !== null && (
          <li>
            <a href={to(["sessions", forkOf.sessionId])}>The session that it was forked from</a>
          </li>
        )}
      </ul>
      <Children id={id} />
    </aside>
  );
}

function Children({ id }: { readonly id: string }): JSX.Element | null {
  const { value } = useLoad(
    `children of ${id}`,
    (signal) =>
      hub.value.transport.json<Page<AgentSession>>("GET", "/api/sessions", {
        query: { parent: id, limit: 100 },
        signal,
      }),
    5_000,
  );
  if (value === null || value.items.length === 0) return null;
  return (
    <>
      <h3>Spawned by it</h3>
      <ul class="plain links">
        {value.items.map((child) => (
          <li key={child.id}>
            <a href={to(["sessions", child.id])}>{child.title === "" ? child.slug : child.title}</a>{" "}
            <Status status={child.status} />
          </li>
        ))}
      </ul>
    </>
  );
}
