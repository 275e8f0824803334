import type { JSX } from "preact";

/** A shape for each status, so that colour is not all there is. */
export const MARKS: Readonly<Record<string, string>> = {
  completed: "✓",
  failed: "✕",
  aborted: "⊘",
  running: "▶",
  waiting: "◔",
  ready: "◌",
  queued: "≡",
  paused: "‖",
  skipped: "↷",
  idle: "○",
  connected: "●",
  draining: "◔",
  disconnected: "○",
  pending: "○",
  "in-progress": "▶",
  blocked: "◔",
  busy: "▶",
  stopped: "⊘",
  spawning: "◌",
  gone: "○",
  up: "●",
  connecting: "◌",
  down: "✕",
  stored: "○",
};

export function Status({ status }: { readonly status: string }): JSX.Element {
  return (
    <span class={`status is-${status}`}>
      <span aria-hidden="true">{MARKS[status] ?? "•"}</span> {status}
    </span>
  );
}
