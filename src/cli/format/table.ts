import type { Style } from "./style.ts";
import { fitText, padText, safeText, textWidth } from "./text_width.ts";

/** A column: what stands over it, and how much it may be cut. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Never cut below so many columns. Absent: never cut at all. */
  readonly min?: number;
  /** Colours a cell, after it was fitted. */
  readonly paint?: (text: string) => string;
}

const GAP = "  ";

/**
 * A table that fits `width` where its columns can be cut so far: what is too wide is taken from the widest column that may still be cut.
 * The last column is not padded.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, style }: { readonly width: number; readonly style: Style },
): string {
  const cells = rows.map((row) => columns.map((_, index) => safeText(row[index] ?? "")));
  const widths = fitWidths(columns, cells, width);
  const line = (row: readonly string[], paint: (text: string, column: Column) => string) =>
    columns.map((column, index) => {
      const fitted = fitText(row[index] ?? "", widths[index] ?? 0);
      const last = index === columns.length - 1 && column.align !== "right";
      const padded = last ? fitted : padText(fitted, widths[index] ?? 0, column.align ?? "left");
      return paint(padded, column);
    }).join(GAP).trimEnd();
  return [
    line(columns.map(({ title }) => title), (text) => style.dim(text)),
    ...cells.map((row) => line(row, (text, column) => column.paint === undefined ? text : column.paint(text))),
  ].join("\n");
}

function fitWidths(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[index] ?? "")))
  );
  let over = widths.reduce((sum, own) => sum + own, 0) + GAP.length * (columns.length - 1) - width;
  while (over > 0) {
    let widest = -1;
    columns.forEach(({ min }, index) => {
      const own = widths[index] ?? 0;
      if (min !== undefined && own > min && own > (widths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
}
