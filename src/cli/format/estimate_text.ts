import type { Cli } from "../cli.ts";
import { formatDuration } from "./duration.ts";
import { formatTable } from "./table.ts";

interface RangeBody {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
}

interface HistoryBody {
  readonly operationId: string;
  readonly attempts: number;
  readonly failureRate: number | null;
  readonly durationMs: RangeBody | null;
  readonly costMicros: RangeBody | null;
}

/** A dry-run's estimate as the HTTP API gives it. */
export interface EstimateBody {
  readonly durationMs: RangeBody | null;
  readonly calls: RangeBody | null;
  readonly costMicros: RangeBody | null;
  readonly tokens: RangeBody | null;
  readonly failureRisk: RangeBody | null;
  readonly samples: number;
  readonly missing: readonly { readonly key: string; readonly what: string }[];
  readonly operations: readonly HistoryBody[];
  readonly workflow: HistoryBody | null;
}

type Format = (value: number) => string;

const percent: Format = (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
const money: Format = (micros) => (micros / 1e6).toFixed(micros < 10_000 ? 6 : 2);

/** Ranges, what they rest on, and what is not known. */
export function estimateText(estimate: EstimateBody, { style, width }: Pick<Cli, "style" | "width">): string {
  const { missing, workflow, samples } = estimate;
  const row = (name: string, range: RangeBody | null, format: Format) =>
    range === null ? [name, "not known", "", ""] : [name, format(range.p10), format(range.p50), format(range.p90)];
  const rows = [
    row("duration", estimate.durationMs, formatDuration),
    row("calls", estimate.calls, String),
    row("cost", estimate.costMicros, money),
    row("tokens", estimate.tokens, String),
    row("risk of failure", estimate.failureRisk, percent),
  ];
  const right = { align: "right" } as const;
  const columns = [{ title: "estimate" }, { title: "p10", ...right }, { title: "p50", ...right }, {
    title: "p90",
    ...right,
  }];
  const lines = [formatTable(columns, rows, { style, width })];
  lines.push(style.dim(`from at least ${samples} ${samples === 1 ? "attempt" : "attempts"} of each operation`));
  if (missing.length > 0) {
    lines.push(style.yellow(`Never seen: ${missing.map(({ key, what }) => `${key} (${what})`).join(", ")}`));
  }
  if (workflow !== null) {
    const usual = workflow.durationMs === null
      ? ""
      : `, half of them within ${formatDuration(workflow.durationMs.p50)}`;
    const rate = workflow.failureRate === null ? "" : `, ${percent(workflow.failureRate)} failed`;
    lines.push(style.dim(`${workflow.attempts} runs of this workflow so far${usual}${rate}`));
  }
  return lines.join("\n");
}
