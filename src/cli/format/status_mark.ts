import type { Style } from "./style.ts";

/** Statuses of nodes and runs, in the order in which counts are shown. */
export const STATUSES: readonly string[] = [
  "completed",
  "failed",
  "aborted",
  "running",
  "queued",
  "paused",
  "waiting",
  "ready",
  "idle",
  "skipped",
];

const MARKS: Readonly<Record<string, readonly [mark: string, colour: Exclude<keyof Style, "bold">]>> = {
  completed: ["✓", "green"],
  failed: ["✗", "red"],
  aborted: ["⊘", "yellow"],
  running: ["▸", "cyan"],
  queued: ["⋯", "yellow"],
  paused: ["‖", "yellow"],
  waiting: ["…", "yellow"],
  ready: ["○", "cyan"],
  idle: ["·", "dim"],
  skipped: ["–", "dim"],
};

/** One sign for a status. */
export function statusMark(status: string, style: Style): string {
  const [mark, colour] = MARKS[status] ?? ["?", "dim"];
  return style[colour](mark);
}

/** A text in the colour of a status. */
export function statusText(status: string, text: string, style: Style): string {
  return style[MARKS[status]?.[1] ?? "dim"](text);
}

/** Counts with their marks: `40 ✓ 1 ✗`. */
export function formatCounts(counts: ReadonlyMap<string, number>, style: Style): string {
  return STATUSES.flatMap((status) => {
    const count = counts.get(status) ?? 0;
    return count === 0 ? [] : [`${count} ${statusMark(status, style)}`];
  }).join(" ");
}
