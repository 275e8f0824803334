import type { IOperationDefinition } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { digestMarkdown } from "./digest_markdown.ts";
import { isTestPath, languageOf } from "./languages.ts";
import { operation } from "./operation.ts";

const Change = Type.Object({ path: Type.String(), added: Type.Integer(), removed: Type.Integer() });

const ClassifiedChange = Type.Object({
  path: Type.String(),
  added: Type.Integer(),
  removed: Type.Integer(),
  /** The first folder; "." for a file at the top. */
  area: Type.String(),
  kind: Type.Union([Type.Literal("test"), Type.Literal("source"), Type.Literal("docs"), Type.Literal("other")]),
});

const CommitDigest = Type.Object({
  hash: Type.String(),
  author: Type.String(),
  date: Type.String(),
  subject: Type.String(),
  kind: Type.String(),
  added: Type.Integer(),
  removed: Type.Integer(),
});

const parse = operation({
  id: "digest.parse",
  type: "query",
  title: "Count changed lines",
  description: "Reads the output of `git show --numstat`. Binary files count no lines.",
  input: Type.Object({ numstat: Type.String() }),
  output: Type.Object({ files: Type.Array(Change), added: Type.Integer(), removed: Type.Integer() }),
  run: ({ numstat }) => {
    const files = [...numstat.matchAll(/^(\d+|-)\t(\d+|-)\t(.+)$/gm)].map(([, added, removed, path]) => ({
      path: path ?? "",
      added: Number(added === "-" ? 0 : added),
      removed: Number(removed === "-" ? 0 : removed),
    }));
    const sum = (key: "added" | "removed") => files.reduce((total, file) => total + file[key], 0);
    return { files, added: sum("added"), removed: sum("removed") };
  },
});

const classify = operation({
  id: "digest.classify",
  type: "query",
  title: "Classify a change",
  description: "Tells the area and the kind of a changed file.",
  input: Change,
  output: ClassifiedChange,
  run: (change) => ({ ...change, area: areaOf(change.path), kind: kindOf(change.path) }),
});

function areaOf(path: string): string {
  const parts = path.split("/");
  return parts.length === 1 ? "." : parts.slice(0, Math.min(2, parts.length - 1)).join("/");
}

function kindOf(path: string): "test" | "source" | "docs" | "other" {
  if (isTestPath(path)) return "test";
  if (languageOf(path) !== null) return "source";
  return /\.(md|txt|rst)$/i.test(path) ? "docs" : "other";
}

const kind = operation({
  id: "digest.kind",
  type: "query",
  title: "Kind of commit",
  description: "Takes the scope off a commit's subject: what stands before its colon.",
  input: Type.Object({ subject: Type.String() }),
  output: Type.Object({ kind: Type.String() }),
  run: ({ subject }) => ({ kind: /^([\w./ -]{1,40})(?:\([^)]*\))?!?:/.exec(subject)?.[1] ?? "other" }),
});

const commit = operation({
  id: "digest.commit",
  type: "query",
  title: "Digest a commit",
  description: "Puts what is known of one commit together.",
  input: Type.Object({
    commit: Type.Object({ hash: Type.String(), author: Type.String(), date: Type.String(), subject: Type.String() }),
    kind: Type.String(),
    added: Type.Integer(),
    removed: Type.Integer(),
  }),
  output: CommitDigest,
  run: ({ commit: { hash, author, date, subject }, ...rest }) => ({ hash, author, date, subject, ...rest }),
});

const summarize = operation({
  id: "digest.summarize",
  type: "query",
  title: "Put the digest together",
  description: "Adds commits and their changes up, and writes the digest as Markdown.",
  input: Type.Object({
    commits: Type.Array(CommitDigest),
    /** By commit; null for one that changed nothing. */
    changes: Type.Array(Type.Union([Type.Array(ClassifiedChange), Type.Null()])),
  }),
  output: Type.Object({ markdown: Type.String(), commits: Type.Integer(), files: Type.Integer() }),
  run: ({ commits, changes }) => {
    const all = changes.flatMap((list) => list ?? []);
    return {
      markdown: digestMarkdown(commits, all),
      commits: commits.length,
      files: new Set(all.map(({ path }) => path)).size,
    };
  },
});

/** The hub-local operations of `git_digest`. */
export const digestOperations: readonly IOperationDefinition[] = [parse, classify, kind, commit, summarize];
