import type { IOperationDefinition, OperationContext } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { extensionOf, isTestPath, languageOf } from "./languages.ts";
import { measureSource } from "./measure_source.ts";
import { operation } from "./operation.ts";
import { reportMarkdown } from "./report_markdown.ts";
import { summarizeMeasures, summarizeTests } from "./summarize_measures.ts";

/** One file, as `fs.list` names it. `size` is bytes. */
const ListedFile = Type.Object({ path: Type.String(), size: Type.Number() });

/** What `report.measure` tells of one file. */
const FileMeasure = Type.Object({
  path: Type.String(),
  language: Type.String(),
  isTest: Type.Boolean(),
  truncated: Type.Boolean(),
  lines: Type.Integer(),
  code: Type.Integer(),
  comment: Type.Integer(),
  blank: Type.Integer(),
  todos: Type.Integer(),
  imports: Type.Array(Type.String()),
  functions: Type.Integer(),
  longestFunction: Type.Union([
    Type.Object({ name: Type.String(), line: Type.Integer(), lines: Type.Integer() }),
    Type.Null(),
  ]),
  /** Tests that the file declares. */
  cases: Type.Integer(),
});

/** The whole of many measures. */
const SourceSummary = Type.Object({
  files: Type.Integer(),
  lines: Type.Integer(),
  code: Type.Integer(),
  comment: Type.Integer(),
  blank: Type.Integer(),
  todos: Type.Integer(),
  functions: Type.Integer(),
  languages: Type.Array(Type.Object({ name: Type.String(), files: Type.Integer(), code: Type.Integer() })),
  longestFunctions: Type.Array(
    Type.Object({ path: Type.String(), name: Type.String(), line: Type.Integer(), lines: Type.Integer() }),
  ),
  largestFiles: Type.Array(Type.Object({ path: Type.String(), lines: Type.Integer() })),
  packages: Type.Array(Type.Object({ name: Type.String(), importers: Type.Integer() })),
});

/** The tests among many measures. `ratio` is lines of test code per line of other code. */
const TestSummary = Type.Object({
  files: Type.Integer(),
  code: Type.Integer(),
  cases: Type.Integer(),
  ratio: Type.Number(),
});

/** A remark in the place of a summary. */
const Note = Type.Object({ note: Type.String() });

const select = operation({
  id: "report.select",
  type: "query",
  title: "Select source files",
  description: "Keeps the source files of a listing: by ending, no larger than `maxBytes`, at most `limit`, in order.",
  input: Type.Object({
    files: Type.Array(ListedFile),
    extensions: Type.Optional(Type.Array(Type.String())),
    exclude: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  output: Type.Object({
    files: Type.Array(ListedFile),
    count: Type.Integer(),
    tests: Type.Integer(),
    /** Source files that were left out for their size or number. */
    leftOut: Type.Integer(),
  }),
  run: ({ files, extensions, exclude = [], maxBytes = 256 * 1024, limit = 500 }) => {
    const wanted = extensions === undefined || extensions.length === 0 ? null : new Set(extensions);
    const isSource = (path: string) =>
      wanted === null
        ? languageOf(path) !== null
        : wanted.has(extensionOf(path)) || wanted.has(`.${extensionOf(path)}`);
    const hidden = (path: string) => path.split("/").some((part) => exclude.includes(part));
    const sources = files.filter(({ path }) => isSource(path) && !hidden(path)).sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : 0
    );
    const kept = sources.filter(({ size }) => size <= maxBytes).slice(0, limit).map(({ path, size }) => ({
      path,
      size,
    }));
    const tests = kept.filter(({ path }) => isTestPath(path)).length;
    return { files: kept, count: kept.length, tests, leftOut: sources.length - kept.length };
  },
});

const measure = operation({
  id: "report.measure",
  type: "query",
  title: "Measure a source file",
  description: "Counts the code, comment and blank lines, TODOs, imports and functions of a source text.",
  input: Type.Object({
    path: Type.String({ minLength: 1 }),
    text: Type.String(),
    truncated: Type.Optional(Type.Boolean()),
    /** Takes at least so many milliseconds: to look at a run while it is under way. */
    paceMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
  }),
  output: FileMeasure,
  run: async ({ path, text, truncated = false, paceMs = 0 }, context) => {
    if (paceMs > 0) await pause(paceMs, context);
    const cases = text.match(/^\s*(?:Deno\.test|test|it|def test_\w+|func Test\w+)\s*\(|^\s*#\[test\]/gm)?.length ?? 0;
    return {
      path,
      language: languageOf(path)?.name ?? "Other",
      isTest: isTestPath(path),
      truncated,
      ...measureSource(path, text),
      cases: isTestPath(path) ? cases : 0,
    };
  },
});

function pause(ms: number, { signal }: OperationContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

const summarize = operation({
  id: "report.summarize",
  type: "query",
  title: "Summarize measures",
  description: "Adds measures up: totals, languages, the longest functions, the largest files, the packages imported.",
  input: Type.Object({
    files: Type.Array(FileMeasure),
    top: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  }),
  output: SourceSummary,
  run: ({ files, top = 10 }) => summarizeMeasures(files, top),
});

const tests = operation({
  id: "report.tests",
  type: "query",
  title: "Summarize tests",
  description: "Adds up the test files among measures.",
  input: Type.Object({ files: Type.Array(FileMeasure) }),
  output: TestSummary,
  run: ({ files }) => summarizeTests(files),
});

const note = operation({
  id: "report.note",
  type: "query",
  title: "Leave a remark",
  description: "Answers the remark it was given, for a branch that has nothing to summarize.",
  input: Note,
  output: Note,
  run: (input) => input,
});

const compose = operation({
  id: "report.compose",
  type: "query",
  title: "Write the report",
  description: "Puts a summary and what is known of the tests together as Markdown.",
  input: Type.Object({
    title: Type.String(),
    summary: SourceSummary,
    tests: Type.Union([TestSummary, Note, Type.Null()]),
    leftOut: Type.Optional(Type.Integer()),
  }),
  output: Type.Object({ markdown: Type.String() }),
  run: (input) => ({ markdown: reportMarkdown(input) }),
});

/** The hub-local operations of `source_report`. */
export const reportOperations: readonly IOperationDefinition[] = [select, measure, summarize, tests, note, compose];
