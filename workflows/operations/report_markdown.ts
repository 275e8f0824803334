import { markdownTable } from "./markdown_table.ts";
import type { SourceSummary, TestSummary } from "./report_types.ts";

/** What a report is made of. `tests` is null when its branch gave nothing. */
export interface ReportParts {
  readonly title: string;
  readonly summary: SourceSummary;
  readonly tests: TestSummary | { readonly note: string } | null;
  readonly leftOut?: number;
}

/** A report of sources as Markdown, ending in a newline. */
export function reportMarkdown({ title, summary, tests, leftOut = 0 }: ReportParts): string {
  const parts = [
    `# ${title}`,
    `${count(summary.files, "file")}, ${
      count(summary.lines, "line")
    }: ${summary.code} code, ${summary.comment} comment, ` +
    `${summary.blank} blank. ${count(summary.functions, "function")}, ${count(summary.todos, "open TODO")}.` +
    (leftOut > 0 ? ` ${count(leftOut, "file")} left out for size or number.` : ""),
    "## Languages",
    markdownTable(["language", "files", "lines of code"], summary.languages.map((it) => [it.name, it.files, it.code])),
    "## Tests",
    testsText(tests),
    "## Longest functions",
    markdownTable(
      ["function", "where", "lines"],
      summary.longestFunctions.map((it) => [`\`${it.name}\``, `${it.path}:${it.line}`, it.lines]),
    ),
    "## Largest files",
    markdownTable(["file", "lines"], summary.largestFiles.map((it) => [it.path, it.lines])),
    "## Packages imported",
    markdownTable(["package", "importing files"], summary.packages.map((it) => [`\`${it.name}\``, it.importers])),
  ];
  return parts.join("\n\n") + "\n";
}

function testsText(tests: ReportParts["tests"]): string {
  if (tests === null) return "Nothing is known of tests.";
  if ("note" in tests) return tests.note;
  return `${count(tests.cases, "test")} in ${count(tests.files, "file")}, ${tests.code} lines of code: ` +
    `${tests.ratio} for each line of other code.`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
