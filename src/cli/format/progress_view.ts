import { formatDuration } from "./duration.ts";
import type { RunProgress, StepProgress } from "./run_progress.ts";
import { statusMark } from "./status_mark.ts";
import type { Style } from "./style.ts";
import { fitText, padText, safeText, textWidth } from "./text_width.ts";

const BAR = 24;
/** Steps drawn at most: those that started last. */
const MAX_STEPS = 16;

/** A step on one line: mark, key, a bar when there are many, counts, time. */
export function stepLine(step: StepProgress, keyWidth: number, style: Style): string {
  const { key, operationId, running, completed, failed, retries, expected } = step;
  const mark = statusMark(
    running > 0 || completed + failed < expected ? "running" : failed > 0 ? "failed" : "completed",
    style,
  );
  const done = completed + failed;
  const counts = expected > 1
    ? ` ${bar(done / expected, style)} ${done}/${expected}`
    : running > 0
    ? ""
    : ` ${style.dim(formatDuration(step.lastAt - step.firstAt))}`;
  const notes = [
    ...(running > 1 ? [style.cyan(`${running} running`)] : []),
    ...(retries > 0 ? [style.yellow(`${retries} retried`)] : []),
    ...(failed > 0 && expected > 1 ? [style.red(`${failed} failed`)] : []),
  ];
  const note = notes.length === 0 ? "" : ` ${notes.join(" ")}`;
  return `${mark} ${padText(safeText(key), keyWidth, "left")} ${
    style.dim(safeText(operationId ?? ""))
  }${counts}${note}`;
}

function bar(share: number, style: Style): string {
  const full = Math.round(Math.min(1, share) * BAR);
  return style.green("━".repeat(full)) + style.dim("━".repeat(BAR - full));
}

/** What a terminal shows of a run under way. */
export function progressLines(
  progress: RunProgress,
  { width, style }: { readonly width: number; readonly style: Style },
): readonly string[] {
  const steps = progress.steps();
  const shown = steps.slice(-MAX_STEPS);
  const keyWidth = shown.reduce((widest, { key }) => Math.max(widest, textWidth(key)), 0);
  return [
    ...(steps.length > shown.length ? [style.dim(`${steps.length - shown.length} earlier steps`)] : []),
    ...shown.map((step) => stepLine(step, keyWidth, style)),
    style.dim(`${formatDuration(progress.elapsedMs)} elapsed`),
  ].map((line) => textWidth(line) <= width ? line : fitText(line, width));
}

/** Draws lines over those drawn before. */
export class LiveBlock {
  readonly #write: (text: string) => void;
  #drawn = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  draw(lines: readonly string[]): void {
    this.#write(this.#up() + lines.map((line) => `\x1b[2K${line}\n`).join("") + "\x1b[0J");
    this.#drawn = lines.length;
  }

  /** Wipes what was drawn. */
  clear(): void {
    if (this.#drawn > 0) this.#write(`${this.#up()}\x1b[0J`);
    this.#drawn = 0;
  }

  #up(): string {
    return this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A`;
  }
}

/**
 * Whether a step's change by an event of this type is told on its own line where nothing can be redrawn: its first start, each
 * quarter of many, its end.
 */
export function isNews(step: StepProgress, type: string): boolean {
  const done = step.completed + step.failed;
  if (isStart(type)) return done === 0 && step.running === 1 && step.retries === 0;
  if (done === step.expected) return step.running === 0;
  return step.expected >= 8 && done > 0 && done % Math.ceil(step.expected / 4) === 0;
}

function isStart(type: string): boolean {
  return type === "call.requested" || type === "timer.set" || type === "signal.awaited";
}
