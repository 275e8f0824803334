/** A table as Markdown; columns of numbers are set right. Without rows: "None." */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  if (rows.length === 0) return "None.";
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cellText).join(" | ")} |`;
  const rule = head.map((_, column) => typeof rows[0]?.[column] === "number" ? "--:" : "---");
  return [line(head), `|${rule.join("|")}|`, ...rows.map(line)].join("\n");
}

function cellText(cell: string | number): string {
  return String(cell).replaceAll("|", "\\|").replaceAll("\n", " ");
}
