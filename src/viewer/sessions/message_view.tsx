import type { JSX } from "preact";
import { Action } from "../parts/action.tsx";
import { JsonView } from "../parts/json_view.tsx";
import { to } from "../router.ts";
import type { MessagePart, ToolPart, UiMessage } from "./ui_message.ts";

export interface MessageViewProps {
  readonly message: UiMessage;
  /** Answers whether a tool may be called. */
  readonly onAnswer: (part: ToolPart, approved: boolean) => Promise<void>;
  /** Makes a session that goes on from here. */
  readonly onFork: () => Promise<void>;
}

const SPEAKERS: Readonly<Record<string, string>> = { user: "You", assistant: "Agent", system: "System" };

/** What one has said, and the tools that were called by it. */
export function MessageView({ message, onAnswer, onFork }: MessageViewProps): JSX.Element {
  const { role, parts, metadata } = message;
  return (
    <article class={`message from-${role}`} aria-label={SPEAKERS[role]}>
      <header>
        <strong>{SPEAKERS[role] ?? role}</strong>
        {metadata !== undefined && (
          <span class="dim">
            {metadata.steps} {metadata.steps === 1 ? "step" : "steps"} ·{" "}
            {(metadata.usage.inputTokens + metadata.usage.outputTokens).toLocaleString()} tokens
            {metadata.runId !== null && (
              <>
                {" · "}
                <a class="plain-link" href={to(["runs", metadata.runId])}>graph of the turn</a>
              </>
            )}
          </span>
        )}
        <span class="message-tools">
          <Action act={onFork}>Fork from here</Action>
        </span>
      </header>
      {parts.map((part, at) => <PartView key={at} part={part} onAnswer={onAnswer} />)}
    </article>
  );
}

function PartView(
  { part, onAnswer }: { readonly part: MessagePart; readonly onAnswer: MessageViewProps["onAnswer"] },
): JSX.Element | null {
  switch (part.type) {
    case "text":
      return <Prose text={part.text} />;
    case "reasoning":
      return (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <Prose text={part.text} />
        </details>
      );
    case "dynamic-tool":
      return <Tool part={part} onAnswer={onAnswer} />;
    case "file":
      return <p class="dim">File {part.filename ?? ""} ({part.mediaType})</p>;
    case "data-compaction":
      return (
        <details class="reasoning">
          <summary>Summed up what was said before</summary>
          <Prose text={part.data.summary} />
        </details>
      );
    case "data-notice":
      return (
        <p class="notice">
          <code>{part.data.code}</code> {part.data.text}
        </p>
      );
    case "step-start":
      return null;
  }
}

const TOOL_STATUS: Readonly<Record<string, readonly [status: string, words: string]>> = {
  "input-streaming": ["running", "▶ is being written"],
  "input-available": ["running", "▶ runs"],
  "approval-requested": ["waiting", "◔ waits for you"],
  "approval-responded": ["running", "▶ answered"],
  "output-available": ["completed", "✓ done"],
  "output-error": ["failed", "✕ failed"],
  "output-denied": ["aborted", "⊘ denied"],
};

function Tool(
  { part, onAnswer }: { readonly part: ToolPart; readonly onAnswer: MessageViewProps["onAnswer"] },
): JSX.Element {
  const { toolName, state, input, output, errorText } = part;
  const [status, words] = TOOL_STATUS[state] ?? ["idle", state];
  const isAsked = state === "approval-requested";
  return (
    <details class={`tool is-${status}`} open={isAsked}>
      <summary>
        <code>{toolName}</code> <span class={`status is-${status}`}>{words}</span>
      </summary>
      <JsonView value={input} label={`Input of ${toolName}`} />
      {isAsked && (
        <div class="buttons">
          <Action kind="main" act={() => onAnswer(part, true)}>Allow</Action>
          <Action kind="danger" act={() => onAnswer(part, false)}>Deny</Action>
        </div>
      )}
      {output !== undefined && <JsonView value={output} label={`Output of ${toolName}`} />}
      {errorText !== undefined && <p class="error">{errorText}</p>}
    </details>
  );
}

/** Text as it is; what stands between fences of three backticks is set as code. */
function Prose({ text }: { readonly text: string }): JSX.Element {
  const blocks = text.split(/^```[^\n]*\n?/m);
  return (
    <>
      {blocks.map((block, at) =>
        block.trim() === ""
          ? null
          : at % 2 === 1
          ? <pre key={at} class="json" tabIndex={0} role="region" aria-label="Code">{block}</pre>
          : <p key={at} class="prose">{block.trim()}</p>
      )}
    </>
  );
}
