import type { Style } from "./style.ts";
import { safeText } from "./text_width.ts";

/** How two plans differ, as the HTTP API gives it. */
export interface DiffBody {
  readonly added: readonly DiffNodeBody[];
  readonly removed: readonly DiffNodeBody[];
  readonly changed: readonly (DiffNodeBody & {
    readonly fields: readonly { readonly field: string; readonly from: unknown; readonly to: unknown }[];
  })[];
  readonly unchanged: number;
}

interface DiffNodeBody {
  readonly key: string;
  readonly kind: string;
  readonly operationId?: string;
}

/** Longer values are cut. */
const MAX_VALUE = 60;

/** A line a node: `+` added, `-` removed, `~` changed with what changed. */
export function diffText(diff: DiffBody, style: Style): string {
  const what = ({ key, kind, operationId }: DiffNodeBody) =>
    `${safeText(key)}  ${style.dim(safeText(operationId ?? kind))}`;
  const lines = [
    ...diff.added.map((node) => `${style.green("+")} ${what(node)}`),
    ...diff.removed.map((node) => `${style.red("-")} ${what(node)}`),
    ...diff.changed.flatMap((node) => [
      `${style.yellow("~")} ${what(node)}`,
      ...node.fields.map(({ field, from, to }) => `    ${field}: ${value(from)} -> ${value(to)}`),
    ]),
  ];
  const same = style.dim(`${diff.unchanged} ${diff.unchanged === 1 ? "node is" : "nodes are"} the same`);
  return [...lines, same].join("\n");
}

function value(json: unknown): string {
  const text = safeText(JSON.stringify(json) ?? "nothing");
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text;
}
