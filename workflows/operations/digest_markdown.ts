import { markdownTable } from "./markdown_table.ts";

/** One commit, as a digest tells of it. */
export interface CommitDigest {
  readonly hash: string;
  readonly author: string;
  readonly date: string;
  readonly subject: string;
  readonly kind: string;
  readonly added: number;
  readonly removed: number;
}

/** One changed file of one commit. */
export interface ClassifiedChange {
  readonly path: string;
  readonly added: number;
  readonly removed: number;
  readonly area: string;
  readonly kind: string;
}

const TOP = 10;

/** A digest of commits as Markdown, ending in a newline. */
export function digestMarkdown(commits: readonly CommitDigest[], changes: readonly ClassifiedChange[]): string {
  const added = commits.reduce((total, commit) => total + commit.added, 0);
  const removed = commits.reduce((total, commit) => total + commit.removed, 0);
  return [
    "# Git digest",
    `${commits.length} commits by ${
      new Set(commits.map(({ author }) => author)).size
    } authors: +${added} -${removed} lines.`,
    "## Areas",
    markdownTable(["area", "changes", "lines"], tally(changes, ({ area }) => area)),
    "## Kinds of file",
    markdownTable(["kind", "changes", "lines"], tally(changes, ({ kind }) => kind)),
    "## Busiest files",
    markdownTable(["file", "changes", "lines"], tally(changes, ({ path }) => path)),
    "## Commits",
    markdownTable(
      ["commit", "date", "subject", "lines"],
      commits.map(({ hash, date, subject, added, removed }) => [
        `\`${hash.slice(0, 8)}\``,
        date.slice(0, 10),
        subject,
        added + removed,
      ]),
    ),
  ].join("\n\n") + "\n";
}

function tally(
  changes: readonly ClassifiedChange[],
  of: (change: ClassifiedChange) => string,
): readonly (readonly [name: string, changes: number, lines: number])[] {
  const found = new Map<string, [name: string, changes: number, lines: number]>();
  for (const change of changes) {
    const entry = found.get(of(change)) ?? [of(change), 0, 0];
    found.set(entry[0], [entry[0], entry[1] + 1, entry[2] + change.added + change.removed]);
  }
  return [...found.values()].sort((a, b) => b[2] - a[2] || (a[0] < b[0] ? -1 : 1)).slice(0, TOP);
}
